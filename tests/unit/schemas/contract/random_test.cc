// Whatever the registry's structs hold, what is encoded from them is what the schemas allow: random ones of every message
// it sends, judged by the independent validator in one run, and read back by our own decoders.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <functional>
#include <map>
#include <random>
#include <set>

#include "schemas/wire/codec.h"
#include "schemas/wire/envelope.h"
#include "schemas/wire/field_tables.h"
#include "schemas/wire/queries.h"
#include "schemas/wire/symbols.h"
#include "tests/unit/schemas/contract/judge.h"

namespace registry::contract {
namespace {

using nlohmann::json;

// Seeded by rapidcheck for every case; a draw from rapidcheck itself for every octet takes ten times as long.
std::mt19937_64& Engine() {
  static std::mt19937_64 engine;
  return engine;
}

std::uint64_t Between(std::uint64_t first, std::uint64_t last) {
  return std::uniform_int_distribution<std::uint64_t>(first, last)(Engine());
}

std::size_t Below(std::size_t end) { return Between(0, end - 1); }

// Small ones mostly, but the limits as well.
std::uint64_t Number(std::uint64_t min, std::uint64_t max) {
  switch (Below(6)) {
    case 0:
      return min;
    case 1:
      return max;
    case 2:
      return Between(min, max);
    default:
      return std::min(max, min + Below(1000));
  }
}

Bytes Octets(std::size_t min, std::size_t max) {
  Bytes octets(Number(min, max));
  for (auto& octet : octets) octet = static_cast<std::uint8_t>(Below(256));
  return octets;
}

std::string Of(const std::vector<std::string>& characters, std::size_t min, std::size_t max) {
  std::string text;
  for (std::size_t left = Number(min, max); left > 0; --left) text += characters[Below(characters.size())];
  return text;
}

std::vector<std::string> Characters(const std::string& ascii) {
  std::vector<std::string> characters;
  for (char c : ascii) characters.emplace_back(1, c);
  return characters;
}

std::string Visible(std::size_t min, std::size_t max) {
  std::string ascii;
  for (char c = '!'; c <= '~'; ++c) ascii.push_back(c);
  return Of(Characters(ascii), min, max);
}

std::string Line(std::size_t min, std::size_t max) {
  static const std::vector<std::string> characters{
      " ", "a", "Z", "0", "\"", "\\", "/", "ü", "€", "\xe2\x80\xa8", "\xf0\x9f\x98\x80"};
  return Of(characters, min, max);
}

DeviceId Device() {
  DeviceId::Octets octets;
  for (auto& octet : octets) octet = static_cast<std::uint8_t>(Below(256));
  return DeviceId::FromRandom(octets);
}
JobId Job() { return *JobId::Parse(Device().text()); }
std::string Name() { return DeviceName(Device(), Below(2) == 0 ? "iotregistry.test" : "a.b-c.example"); }
PartyId Party() { return *PartyId::Parse("p" + Of(Characters("a0-"), 0, 31)); }
EndpointName Endpoint() { return *EndpointName::Parse(Of(Characters("a0-"), 1, 63)); }
UtcTime Time() { return {static_cast<std::int64_t>(Number(0, 253'402'300'799'999'999))}; }  // year 9999
std::uint64_t Count() { return Number(0, (1ull << 53) - 1); }
std::uint64_t Ordinal() { return Number(1, (1ull << 53) - 1); }
std::uint32_t Attempt() { return static_cast<std::uint32_t>(Number(1, 1000)); }
Bytes Certificate() { return Octets(1, 4096); }
std::string Reason() { return Line(0, 200); }

template <class Job>
Job Action() {
  Job job;
  job.job = contract::Job();
  job.device = Device();
  job.attempt = Attempt();
  job.deadline = Time();
  return job;
}

wire::Bootstrap Bootstrap() {
  wire::Bootstrap bootstrap;
  bootstrap.registry_profile = "iot-registry-1";
  bootstrap.device_name = Name();
  bootstrap.root_certificate = Certificate();
  bootstrap.issuing_certificate = Certificate();
  bootstrap.resolver = {"192.0.2.1", static_cast<std::uint16_t>(Number(1, 65535)), "r.test", Certificate(),
                        Octets(32, 32)};
  bootstrap.trust_anchors.resize(Number(1, 16));
  for (std::string& anchor : bootstrap.trust_anchors) anchor = Line(1, 1024);
  return bootstrap;
}

Error RandomError() {
  Error error;
  error.code = wire::kCodes[Below(wire::kCodes.size())];
  error.symbol = Of(Characters("a0_.-"), 1, 64);
  error.message = Line(1, 1024);
  if (Below(2) == 0) error.field = "/" + Line(0, 511);
  if (Below(2) == 0) error.step = Line(1, 200);
  if (Below(2) == 0) error.retry_after_seconds = static_cast<int>(Number(0, 86400));
  return error;
}

std::string PilotFormAbsent() {
  constexpr const char* kWords[] = {"", "trust_is_tlsa", "host_too_long", "name_too_long"};
  return kWords[Below(4)];
}

wire::PayloadPush PayloadPush() {
  auto push = Action<wire::PayloadPush>();
  push.version = Ordinal();
  push.cms = Octets(1, Below(20) == 0 ? 65536 : 500);
  push.containers.resize(Number(0, 16));
  for (auto& container : push.containers)
    container = {static_cast<std::uint8_t>(Below(256)), Octets(0, Below(20) == 0 ? 8192 : 50)};
  if (push.containers.empty()) push.pilot_form_absent = PilotFormAbsent();
  return push;
}

template <class Message>
Message Ended() {
  return {Device(), Name(), Party(), Reason()};
}

std::string State() {
  static const std::vector<std::string> states{"registered", "attached",    "certified", "published",
                                               "active",     "deactivated", "deleted"};
  return states[Below(states.size())];
}

std::vector<std::string> Holds() {
  std::vector<std::string> holds(Number(0, 8));
  for (auto& hold : holds) hold = Below(2) == 0 ? "serverHold" : "clientHold";
  return holds;
}

template <class Value>
std::optional<Value> Maybe(Value value) {
  return Below(2) == 0 ? std::nullopt : std::optional<Value>(std::move(value));
}

// A device's id, or a time and one.
std::string Cursor() { return (Below(2) == 0 ? "" : std::to_string(Time().micros) + "/") + Device().text(); }

wire::DeviceDescribed Described() {
  wire::DeviceDescribed told{
      Device(), Name(), State(), Holds(), Below(2) == 0, Party(), Maybe(Party()), Maybe(Endpoint()),
      {},       {},     "",      {},      Time(),        Time()};
  if (Below(2) == 0) {
    told.eid = Eid::Parse("89049032123451234512345678901235");
    told.iccid = Iccid::Parse("8988211000000530082");
  }
  if (Below(2) == 0) told.serial = ToHex(Octets(1, 20));
  told.not_after = Maybe(Time());
  return told;
}

// Now and then as much as a page can hold.
wire::DeviceListed Listed() {
  wire::DeviceListed told;
  told.devices.resize(Below(20) == 0 ? 500 : Below(5));
  for (auto& device : told.devices) {
    device = {Device(), State(), Holds(), Party(), Maybe(Party()), Maybe(Endpoint()), Maybe(Time())};
  }
  if (Below(2) == 0) told.next = Cursor();
  return told;
}

wire::DeviceTraced Traced() {
  wire::DeviceTraced told{Device(), State(), Line(1, 1024), {}, {}};
  told.waits.resize(Number(0, 16));
  for (auto& wait : told.waits)
    wait = {"payload.push", Party(), Attempt(), Below(2) == 0 ? 0 : Attempt(), Time(), Maybe(Time())};
  told.steps.resize(Number(0, 32));
  for (auto& step : told.steps) step = {Line(1, 200), Time()};
  return told;
}

using Maker = std::function<json()>;

std::map<std::string, Maker> ReplyMakers() {
  return {
      {"error", [] { return wire::EncodeError(RandomError()); }},
      {"esim.registered",
       [] {
         return Encode(wire::EsimRegistered{Device(), Visible(1, 64), Bootstrap()});
       }},
      {"device.state",
       [] {
         return Encode(wire::DeviceState{Device(), State(), PilotFormAbsent()});
       }},
      {"certificate.issued",
       [] {
         return Encode(wire::CertificateIssued{Device(), Certificate(), ToHex(Octets(1, 20)), Time()});
       }},
      {"endpoint.published",
       [] {
         return Encode(wire::EndpointPublished{Endpoint(), Ordinal(), PilotFormAbsent()});
       }},
      {"feed.status",
       [] {
         return Encode(wire::FeedStatus{Count(), Count(), Count()});
       }},
      {"job.noted", [] { return Encode(wire::JobNoted{Job()}); }},
      {"device.described", [] { return Encode(Described()); }},
      {"device.listed", [] { return Encode(Listed()); }},
      {"device.traced", [] { return Encode(Traced()); }},
  };
}

OrderId Order() { return *OrderId::Parse(Device().text()); }

wire::OrderState OrderState() {
  wire::OrderState state;
  state.order = Order();
  state.owner = Party();
  state.kind = "deactivate";
  state.state = Below(2) == 0 ? "running" : "cancelled";
  state.dry_run = Below(2) == 0;
  state.rate = static_cast<std::uint32_t>(Number(1, 500));
  state.done = Count();
  state.skipped = Count();
  state.created = Time();
  state.updated = Time();
  return state;
}

wire::OrderReported OrderReported() {
  wire::OrderReported reported;
  for (std::size_t left = Number(0, 500); left > 0; --left) {
    const bool refused = Below(2) == 0;
    reported.items.push_back(
        {Ordinal(), Device(), refused ? "refused" : "done", refused ? "state_prohibits" : ""});
  }
  reported.next = Count();
  return reported;
}

std::map<std::string, Maker> OrderMakers() {
  return {
      {"order.state", [] { return Encode(OrderState()); }},
      {"order.reported", [] { return Encode(OrderReported()); }},
      {"order.progress",
       [] {
         return Encode(wire::OrderProgress{Order(), Count(), Count(), Count(), Count()});
       }},
      {"order.done",
       [] {
         return Encode(wire::OrderDone{Order(), "deactivate", "done", Below(2) == 0, Count(), Count(),
                                       Count(), Count()});
       }},
  };
}

std::map<std::string, Maker> ActionAndEventMakers() {
  return {
      {"key.generate", [] { return Encode(Action<wire::KeyGenerate>()); }},
      {"applet.wipe", [] { return Encode(Action<wire::AppletWipe>()); }},
      {"payload.push", [] { return Encode(PayloadPush()); }},
      {"device.certified",
       [] {
         return Encode(wire::DeviceCertified{Device(), Name(), Certificate(), Time()});
       }},
      {"device.activated",
       [] {
         return Encode(wire::DeviceActivated{Device(), Name(), Endpoint(), Octets(32, 32)});
       }},
      {"device.deactivated", [] { return Encode(Ended<wire::DeviceDeactivated>()); }},
      {"device.reactivated", [] { return Encode(Ended<wire::DeviceReactivated>()); }},
      {"device.deleted", [] { return Encode(Ended<wire::DeviceDeleted>()); }},
      {"device.failed",
       [] {
         return Encode(wire::DeviceFailed{Device(), Name(), RandomError()});
       }},
  };
}

// By the stem of its schema, all that the registry says.
std::map<std::string, Maker> Makers() {
  std::map<std::string, Maker> makers = ReplyMakers();
  makers.merge(ActionAndEventMakers());
  makers.merge(OrderMakers());
  return makers;
}

std::string Wrapped(json data) {
  wire::Envelope envelope;
  envelope.id = *EventId::Parse(Visible(1, 128));
  envelope.source = "registry";
  envelope.type = wire::EventType("device.failed");
  if (Below(2) == 0) envelope.subject = Line(1, 60);
  if (Below(2) == 0) envelope.time = Time();
  if (Below(2) == 0) envelope.traceparent = "00-" + ToHex(Octets(16, 16)) + "-" + ToHex(Octets(8, 8)) + "-01";
  if (envelope.traceparent && Below(2) == 0) envelope.tracestate = "v=" + Of(Characters("a0~"), 1, 256);
  if (Below(2) == 0) envelope.cause = EventId::Parse(Visible(1, 128));
  if (Below(2) == 0) envelope.seq = Count();
  envelope.data = std::move(data);
  return wire::EncodeEnvelope(envelope);
}

TEST(Random, AMakerForAllTheRegistrySays) {
  using Kind = wire::MessageName::Kind;
  std::set<std::string> said{"error"};
  for (const wire::MessageName& name : wire::Catalogue()) {
    if (name.kind != Kind::kCommand && name.kind != Kind::kDocument) said.insert(std::string(name.schema));
  }
  std::set<std::string> made;
  for (const auto& [stem, make] : Makers()) made.insert(stem);
  EXPECT_EQ(made, said) << "the makers of tests/unit/schemas/contract/random_test.cc";
}

TEST(Random, WhatIsEncodedTheSchemasAndTheDecodersAccept) {
  std::vector<Case> cases;
  for (const auto& [stem, make] : Makers()) {
    SCOPED_TRACE(stem);
    const bool held = rc::check(stem, [&cases, &stem = stem, &make = make] {
      Engine().seed(*rc::gen::arbitrary<std::uint64_t>());
      const json data = make();
      cases.push_back({stem, data.dump()});
      const auto recoded = wire::Recode(stem, data);
      if (!recoded) RC_FAIL(recoded.error().symbol + " at " + recoded.error().field + ": " + data.dump());
      RC_ASSERT(*recoded == data);
      const std::string event = Wrapped(data);
      cases.push_back({"envelope", event});
      const auto read = wire::DecodeReply(event);
      if (!read) RC_FAIL(read.error().symbol + " at " + read.error().field + ": " + event);
      RC_ASSERT(wire::EncodeEnvelope(*read) == event);
    });
    EXPECT_TRUE(held);
  }
  const std::vector<bool> verdicts = Judge(cases);
  for (std::size_t i = 0; i < cases.size(); ++i)
    EXPECT_TRUE(verdicts[i]) << cases[i].stem << ' ' << cases[i].text;
}

}  // namespace
}  // namespace registry::contract
