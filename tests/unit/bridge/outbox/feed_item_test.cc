// What a party sees of a notification: one envelope, the same bytes at every replay.
#include <gtest/gtest.h>

#include "bridge/outbox/relay.h"
#include "schemas/wire/envelope.h"

namespace registry::outbox {
namespace {

ledger::FeedItem Activated() {
  ledger::FeedItem item;
  item.seq = 7;
  item.notification.to = *PartyId::Parse("asp-a");
  item.notification.type = "device.activated";
  item.notification.id = *EventId::Parse("n-1");
  item.notification.time = *FromRfc3339("2026-09-21T10:00:00Z");
  item.notification.data = R"({"device":"d","at":1})";
  item.notification.cause = EventId::Parse("c-1");
  item.notification.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  return item;
}

TEST(FeedItem, GoesToThePartysEventTopicWithoutCorrelation) {
  const auto message = RenderFeedItem(Activated());
  EXPECT_EQ(message.topic, "registry/v1/to/asp-a/event/device.activated");
  EXPECT_TRUE(message.correlation_data.empty());
}

TEST(FeedItem, IsAnEnvelopeOfTheRegistryWithItsPlaceInTheFeed) {
  const auto envelope = wire::DecodeEnvelope(RenderFeedItem(Activated()).payload);
  ASSERT_TRUE(envelope.ok()) << envelope.error().message;
  EXPECT_EQ(envelope->id.text(), "n-1");
  EXPECT_EQ(envelope->source, "registry");
  EXPECT_EQ(envelope->type, "registry.v1.event.device.activated");
  EXPECT_EQ(envelope->seq, 7u);
  EXPECT_EQ(envelope->cause->text(), "c-1");
  EXPECT_EQ(ToRfc3339(*envelope->time), "2026-09-21T10:00:00.000000Z");
  EXPECT_EQ(envelope->traceparent, Activated().notification.traceparent);
  EXPECT_EQ(envelope->data.dump(), R"({"at":1,"device":"d"})");
}

TEST(FeedItem, IsTheSameBytesEveryTime) {
  EXPECT_EQ(RenderFeedItem(Activated()).payload, RenderFeedItem(Activated()).payload);
}

}  // namespace
}  // namespace registry::outbox
