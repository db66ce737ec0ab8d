#include "workers/domain/compose.h"

#include <gtest/gtest.h>

#include "workers/domain/trace.h"

namespace registry::domain {
namespace {

Context Seeded(std::uint8_t seed) {
  return {UtcTime{1'700'000'000'000'000}, [seed](std::uint8_t* out, std::size_t size) mutable {
            for (std::size_t i = 0; i < size; ++i) out[i] = seed++;
          }};
}

TEST(Compose, ATraceKeepsItsLastSteps) {
  Device device;
  for (std::size_t i = 0; i < kTraceMax + 5; ++i)
    NoteStep(device, std::to_string(i), UtcTime{static_cast<std::int64_t>(i)});
  EXPECT_EQ(device.trace.size(), kTraceMax);
  EXPECT_EQ(device.trace.front().step, "5");
  EXPECT_EQ(device.trace.back().step, std::to_string(kTraceMax + 4));
  EXPECT_EQ(device.updated.micros, static_cast<std::int64_t>(kTraceMax + 4));
}

TEST(Compose, ATraceKeepsWhatIsKnownOfItsPayloads) {
  Device device;
  auto note = [&, at = 0](const char* step) mutable { NoteStep(device, step, UtcTime{++at}); };
  for (const char* step : {"payload.push", "delivered", "payload.push", "delivered", "payload.push"})
    note(step);
  for (std::size_t i = 0; i < 3 * kTraceMax; ++i) note(i % 2 == 0 ? "detached" : "attached");
  ASSERT_EQ(device.trace.size(), kTraceMax);
  const PayloadSteps steps = PayloadStepsOf(device);
  ASSERT_TRUE(steps.newest && steps.confirmation && steps.confirmed);
  EXPECT_EQ(device.trace[*steps.confirmed].at, UtcTime{3});
  EXPECT_EQ(device.trace[*steps.confirmation].at, UtcTime{4});
  EXPECT_EQ(device.trace[*steps.newest].at, UtcTime{5});
  note("delivered");
  EXPECT_EQ(device.trace[*PayloadStepsOf(device).confirmed].at, UtcTime{5});
}

TEST(Compose, ANotificationIsRenderedTheSameEveryTime) {
  const wire::DeviceDeactivated message{DeviceId::FromRandom({1}), "x", *PartyId::Parse("operator"), "lost"};
  const auto context = Seeded(7);
  const auto notification = Notify(*PartyId::Parse("asp-a"), message, context);
  const auto first = Render(notification, 42);
  EXPECT_EQ(first.topic, "registry/v1/to/asp-a/event/device.deactivated");
  EXPECT_EQ(first.payload, Render(notification, 42).payload);
  const auto envelope = wire::DecodeEnvelope(first.payload);
  ASSERT_TRUE(envelope) << envelope.error().message;
  EXPECT_EQ(envelope->seq, 42u);
  EXPECT_EQ(envelope->type, "registry.v1.event.device.deactivated");
  EXPECT_EQ(envelope->data["reason"], "lost");
}

TEST(Compose, AnActionGoesToTheSponsorAlone) {
  const auto message = Action(*PartyId::Parse("mno-a"), "key.generate", R"({"job":"j"})", Seeded(1));
  EXPECT_EQ(message.topic, "registry/v1/to/mno-a/do/key.generate");
  const auto envelope = wire::DecodeEnvelope(message.payload);
  ASSERT_TRUE(envelope) << envelope.error().message;
  EXPECT_EQ(envelope->source, "registry");
  EXPECT_EQ(envelope->data["job"], "j");
}

}  // namespace
}  // namespace registry::domain
