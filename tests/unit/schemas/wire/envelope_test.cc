// schemas/wire/envelope.h: strict in, canonical out, and nothing that arrives does harm.
#include "schemas/wire/envelope.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <random>

#include "schemas/wire/codec.h"
#include "schemas/wire/strict_json.h"

namespace registry::wire {
namespace {

using nlohmann::json;

std::string Nested(int levels) {
  const auto count = static_cast<std::size_t>(levels);
  return std::string(count, '[') + std::string(count, ']');
}

std::string SymbolOf(std::string_view payload) {
  const Result<Envelope> envelope = DecodeEnvelope(payload);
  return envelope ? "" : envelope.error().symbol;
}

json Plain() {
  return {{"specversion", "1.0"},
          {"id", "c-1"},
          {"source", "mno-a"},
          {"type", "registry.v1.feed.ack"},
          {"data", {{"seq", 1}}}};
}

TEST(Envelope, ComesBackByteForByte) {
  Envelope envelope;
  envelope.id = *EventId::Parse("c-\"1\"");
  envelope.source = "registry";
  envelope.type = EventType("device.activated");
  envelope.subject = "Gerät";
  envelope.time = UtcTime{1'700'000'000'000'000};
  envelope.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  envelope.cause = EventId::Parse("c-0");
  envelope.seq = 7;
  envelope.data = {{"b", 1}, {"a", "ü"}};
  const std::string text = EncodeEnvelope(envelope);
  EXPECT_EQ(text, json::parse(text).dump()) << "canonical: members sorted, no white space";
  const Result<Envelope> read = DecodeEnvelope(text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(EncodeEnvelope(*read), text);
}

TEST(Envelope, DataThatIsTextAlreadyIsTheSame) {
  Envelope envelope = *DecodeEnvelope(Plain().dump());
  const std::string whole = EncodeEnvelope(envelope);
  const std::string data = std::exchange(envelope.data, json()).dump();
  EXPECT_EQ(EncodeEnvelope(envelope, data), whole);
}

TEST(Envelope, TextThatIsNotUtf8IsReplacedWhenEncoding) {
  Envelope envelope;
  envelope.id = *EventId::Parse("c-1");
  envelope.source = "registry";
  envelope.type = "t";
  envelope.data = {{"text", "\xff"}};
  EXPECT_TRUE(ValidUtf8(EncodeEnvelope(envelope)));
}

TEST(Envelope, SizeIsLimited) {
  json event = Plain();
  event["data"]["text"] = "";
  event["data"]["text"] = std::string(kMessageMax - event.dump().size(), 'x');
  EXPECT_EQ(SymbolOf(event.dump()), "");
  EXPECT_EQ(SymbolOf(event.dump() + " "), "message_too_large");
}

TEST(Envelope, DepthIsLimited) {
  const auto with = [](const std::string& data) {
    return R"({"specversion":"1.0","id":"c","source":"s","type":"t","data":{"a":)" + data + "}}";
  };
  EXPECT_EQ(SymbolOf(with(Nested(kDepthMax - 2))), "");
  EXPECT_EQ(SymbolOf(with(Nested(kDepthMax - 1))), "too_deep");
  EXPECT_EQ(SymbolOf(std::string(kMessageMax, '[')), "too_deep");
}

TEST(Envelope, DuplicatesAreRefusedAtEveryLevel) {
  EXPECT_EQ(SymbolOf(R"({"specversion":"1.0","id":"c","id":"c","source":"s","type":"t","data":{}})"),
            "duplicate_member");
  EXPECT_EQ(SymbolOf(R"({"specversion":"1.0","id":"c","source":"s","type":"t","data":{"a":1,"\u0061":2}})"),
            "duplicate_member");
}

TEST(Envelope, VersionIsJudgedBeforeTheRest) {
  EXPECT_EQ(SymbolOf(R"({"specversion":"2.0","what":["ever"]})"), "unsupported_version");
  EXPECT_EQ(DecodeEnvelope(R"({"specversion":"2.0"})").error().code, Code::kUnsupportedVersion);
}

TEST(Envelope, IdIsFoundAlthoughTheRestIsWrong) {
  EXPECT_EQ(FindEventId(R"({"specversion":"9","id":"c-7"})"), EventId::Parse("c-7"));
  EXPECT_EQ(FindEventId(R"({"id":7})"), std::nullopt);
  EXPECT_EQ(FindEventId(R"({"id":"c-7")"), std::nullopt);
  EXPECT_EQ(FindEventId("[]"), std::nullopt);
}

TEST(Envelope, TypeMustBeTheTopicsCommand) {
  const Envelope envelope = *DecodeEnvelope(Plain().dump());
  EXPECT_TRUE(CheckCommandType(envelope, "feed.ack"));
  const Status other = CheckCommandType(envelope, "feed.replay");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().field, "/type");
}

// RFC 3629 §4 and §10: the classic wrong sequences.
TEST(StrictJson, Utf8) {
  for (const char* good :
       {"", "a", "\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(ValidUtf8(good));
  }
  for (const char* bad :
       {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf0\x80\x80\xaf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc3", "\xe2\x82", "\xf0\x9f\x98"}) {
    EXPECT_FALSE(ValidUtf8(bad));
  }
}

TEST(StrictJson, NotJson) {
  for (const std::string text :
       {"", " ", "{", "{}}", "{'a':1}", "[1,]", "nul", "01", "1.", "\"\\x\"", "\"\\ud800\"", "NaN", "/* */{}",
        "\"a\nb\"", "\xef\xbb\xbf", "\xef\xbb\xbf{}"}) {
    const Result<json> parsed = ParseStrict(text, kMessageMax, kDepthMax);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().symbol, "bad_json") << text;
  }
  for (const std::string tail : {"", "{}", "anything", "\"}"}) {
    for (const std::string head : {"", "{}", "{} ", "[\"", "1"}) {
      const Result<json> parsed = ParseStrict(head + '\0' + tail, kMessageMax, kDepthMax);
      ASSERT_FALSE(parsed) << head << "\\0" << tail;
      EXPECT_EQ(parsed.error().symbol, "bad_json") << head << "\\0" << tail;
    }
  }
  EXPECT_EQ(ParseStrict("[-1e999]", kMessageMax, kDepthMax).error().symbol, "number_too_large");
}

RC_GTEST_PROP(StrictJson, ReadsWhatTheOrdinaryParserReads,
              (const std::map<std::string, std::vector<int>>& values)) {
  json object = json::object();
  for (const auto& [name, numbers] : values) {
    if (ValidUtf8(name)) object[name] = numbers;
  }
  const Result<json> parsed = ParseStrict(object.dump(), kMessageMax, kDepthMax);
  RC_ASSERT(parsed.ok());
  RC_ASSERT(*parsed == object);
}

// What an attacker may try: change, drop, repeat or insert octets anywhere in a good message.
class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_(seed) {}

  std::string operator()(std::string text) {
    for (std::size_t changes = 1 + Below(5); changes > 0 && !text.empty(); --changes) Change(&text);
    return text;
  }

 private:
  std::size_t Below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }

  void Change(std::string* text) {
    static const std::vector<std::string> kInsertions{
        "{", "}",    std::string(18, '['),     "\"", "\\u0000", "1e400", "-", "null", ":",
        ",", "\xff", "12345678901234567890123"};
    const std::size_t at = Below(text->size());
    switch (Below(5)) {
      case 0:
        (*text)[at] = static_cast<char>(Below(256));
        break;
      case 1:
        text->erase(at, 1 + Below(8));
        break;
      case 2:
        text->insert(at, kInsertions[Below(kInsertions.size())]);
        break;
      case 3:
        text->insert(at, text->substr(at / 2, 1 + Below(32)));
        break;
      default:
        text->resize(at);
    }
  }

  std::mt19937_64 random_;
};

// Read or refused with a symbol; what is read can be said again.
bool HarmlessOrRefused(const std::string& text, std::size_t* refused) {
  static_cast<void>(FindEventId(text));
  const Result<Envelope> envelope = DecodeEnvelope(text);
  if (!envelope) {
    ++*refused;
    return !envelope.error().symbol.empty();
  }
  for (const char* command : {"device.delete", "csr.submit", "endpoint.publish", "nonsense"}) {
    const Result<Command> decoded = DecodeCommand(command, envelope->data);
    if (!decoded && decoded.error().symbol.empty()) return false;
  }
  return DecodeEnvelope(EncodeEnvelope(*envelope)).ok();
}

RC_GTEST_PROP(Envelope, MutantsAreReadOrRefusedWithASymbol, (std::uint64_t seed)) {
  constexpr int kMutants = 200;  // times 100 seeds
  json event = Plain();
  event["data"] = {{"device", "3f0c9a52-6a1e-4d57-9b1a-2f5c7e9d1b34"}, {"reason", "ordered"}};
  event["extra"] = 1;
  const std::string good = event.dump();
  Mutator mutate(seed);
  std::size_t refused = 0;
  for (int i = 0; i < kMutants; ++i) {
    const std::string mutant = mutate(good);
    if (!HarmlessOrRefused(mutant, &refused)) RC_FAIL("harmful mutant: " + mutant);
  }
  RC_ASSERT(refused > kMutants / 4u);  // else the mutator is too tame to prove anything
}

}  // namespace
}  // namespace registry::wire
