// Whatever the registry's structs hold, what is encoded from them is what the schemas allow: random ones of every message
// it sends, judged by the independent validator in one run, and read back by our own decoders. They are made of the field
// tables, so a new message is among them by itself. Only a text of a new form needs a maker (TextMakers).
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

std::string Uuid() {
  DeviceId::Octets octets;
  for (auto& octet : octets) octet = static_cast<std::uint8_t>(Below(256));
  return DeviceId::FromRandom(octets).text();
}

std::string DomainName() {
  return Uuid() + (Below(2) == 0 ? "._device.iotregistry.test" : "._device.a.b-c.example");
}

std::string Time() {  // up to the year 9999
  return ToRfc3339({static_cast<std::int64_t>(Number(0, 253'402'300'799'999'999))});
}

// A device's id, or a time and one.
std::string Cursor() { return (Below(2) == 0 ? "" : std::to_string(Number(0, 999'999'999)) + "/") + Uuid(); }

// Large ones now and then only: a list may have many.
std::size_t MostOctets(std::size_t most) { return Below(20) == 0 ? most : std::min<std::size_t>(most, 200); }

// `rule` counts characters of base64, which say the number of octets to three only. Texts of one length are digests.
std::string Base64(const wire::Rule& rule) {
  if (rule.min == rule.max) return ToBase64(Octets(32, 32));
  const std::size_t least = rule.min == 0 ? 0 : rule.min / 4 * 3 - 2, most = rule.max / 4 * 3 - 2;
  return ToBase64(Octets(least, std::max(least, MostOctets(most))));
}

std::string Pem(const wire::Rule&) { return ToPem("CERTIFICATE", Octets(1, 4096)); }

using TextMaker = std::function<std::string(const wire::Rule& rule)>;

template <class Maker>
TextMaker Any(Maker maker) {
  return [maker](const wire::Rule&) { return std::string(maker()); };
}

TextMaker OfAscii(const std::string& ascii) {
  return
      [characters = Characters(ascii)](const wire::Rule& rule) { return Of(characters, rule.min, rule.max); };
}

// The form of a text is known by the pattern of a member that has it.
std::string PatternOf(const std::string& stem, const std::string& member) {
  for (const wire::FieldRule& field : wire::FieldRules(stem)) {
    if (field.name == member) return field.rule.pattern;
  }
  throw std::runtime_error(stem + " has no member " + member);
}

std::map<std::string, TextMaker> TextMakers() {
  return {
      {PatternOf("device.get", "device"), Any(Uuid)},
      {PatternOf("job.noted", "job"), Any(Uuid)},
      {PatternOf("esim.register", "eid"), Any([] { return "89049032123451234512345678901235"; })},
      {PatternOf("esim.register", "iccid"), Any([] { return "8988211000000530082"; })},
      {PatternOf("device-brief", "sponsor"),
       [](const wire::Rule&) { return "p" + Of(Characters("a0-"), 0, 31); }},
      {PatternOf("device-brief", "endpoint"), OfAscii("a0-")},
      {PatternOf("device.described", "name"), Any(DomainName)},
      {PatternOf("endpoint-in-use", "fqdn"), Any([] { return Uuid() + ".a.b-c.example"; })},
      {PatternOf("device.described", "serial"), Any([] { return ToHex(Octets(1, 20)); })},
      {PatternOf("device.described", "created"), Any(Time)},
      {PatternOf("device.listed", "next"), Any(Cursor)},
      {PatternOf("device.activated", "certificateSha256"), Any([] { return ToHex(Octets(32, 32)); })},
      {PatternOf("device.certified", "certificate"), Pem},
      {PatternOf("payload.push", "cms"), Base64},
      {PatternOf("container", "id"), Any([] { return Of(Characters("0123456789ABCDEF"), 2, 2); })},
      {PatternOf("esim.registered", "authorisationCode"),
       [](const wire::Rule& rule) { return Visible(rule.min, rule.max); }},
      {PatternOf("resolver", "address"), Any([] { return Below(2) == 0 ? "192.0.2.1" : "2001:db8::1"; })},
      {PatternOf("error", "symbol"), OfAscii("a0_.-")},
      {PatternOf("error", "field"),
       [](const wire::Rule& rule) { return "/" + Line(rule.min - 1, rule.max - 1); }},
      {PatternOf("error", "message"), [](const wire::Rule& rule) { return Line(rule.min, rule.max); }},
  };
}

json Text(const wire::Rule& rule) {
  if (!rule.choices.empty()) return rule.choices[Below(rule.choices.size())];
  static const std::map<std::string, TextMaker> makers = TextMakers();
  const auto maker = makers.find(rule.pattern);
  if (maker != makers.end()) return maker->second(rule);
  throw std::runtime_error("TextMakers in tests/unit/schemas/contract/random_test.cc has none for " +
                           rule.pattern);
}

json Made(const std::string& stem);

// An optional member is left out or says something: what is as good as nothing is never encoded.
json Value(const wire::Rule& rule, bool required) {
  switch (rule.shape) {
    case wire::Shape::kText:
      return Text(rule);
    case wire::Shape::kInteger:
      if (!rule.numbers.empty()) return rule.numbers[Below(rule.numbers.size())];
      return Number(std::max<std::uint64_t>(rule.min, required ? 0 : 1), rule.max);
    case wire::Shape::kBoolean:
      return !required || Below(2) == 0;
    case wire::Shape::kObject:
      return Made(rule.part);
    case wire::Shape::kArray: {
      json items = json::array();
      const std::size_t most = Below(20) == 0 ? rule.max : std::min<std::size_t>(rule.max, 8);
      const auto least = std::max<std::size_t>(rule.min, required ? 0 : 1);
      for (std::size_t left = Number(least, most); left > 0; --left) items.push_back(Value(*rule.item, true));
      return items;
    }
  }
  return nullptr;
}

json Made(const std::string& stem) {
  json made = json::object();
  for (const wire::FieldRule& field : wire::FieldRules(stem)) {
    if (field.required || Below(2) == 0) made[field.name] = Value(field.rule, field.required);
  }
  return made;
}

// Stems of all that the registry says.
std::set<std::string> Said() {
  using Kind = wire::MessageName::Kind;
  std::set<std::string> said{"error"};
  for (const wire::MessageName& name : wire::Catalogue()) {
    if (name.kind != Kind::kCommand && name.kind != Kind::kDocument) said.insert(std::string(name.schema));
  }
  return said;
}

std::string Wrapped(json data) {
  wire::Envelope envelope;
  envelope.id = *EventId::Parse(Visible(1, 128));
  envelope.source = "registry";
  envelope.type = wire::EventType("device.failed");
  if (Below(2) == 0) envelope.subject = Line(1, 60);
  if (Below(2) == 0) envelope.time = FromRfc3339(Time());
  if (Below(2) == 0) envelope.traceparent = "00-" + ToHex(Octets(16, 16)) + "-" + ToHex(Octets(8, 8)) + "-01";
  if (envelope.traceparent && Below(2) == 0) envelope.tracestate = "v=" + Of(Characters("a0~"), 1, 256);
  if (Below(2) == 0) envelope.cause = EventId::Parse(Visible(1, 128));
  if (Below(2) == 0) envelope.seq = Number(0, (1ull << 53) - 1);
  envelope.data = std::move(data);
  return wire::EncodeEnvelope(envelope);
}

TEST(Random, WhatIsEncodedTheSchemasAndTheDecodersAccept) {
  std::vector<Case> cases;
  for (const std::string& stem : Said()) {
    SCOPED_TRACE(stem);
    const bool held = rc::check(stem, [&cases, &stem] {
      Engine().seed(*rc::gen::arbitrary<std::uint64_t>());
      const json data = Made(stem);
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
