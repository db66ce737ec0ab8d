// schemas/wire/envelope.h: strict in, canonical out, and nothing that arrives does harm.
#include "schemas/wire/envelope.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <random>

#include "schemas/wire/codec.h"
#include "schemas/wire/field_tables.h"
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
  envelope.tracestate = "rojo=00f067aa0ba902b7";
  envelope.cause = EventId::Parse("c-0");
  envelope.seq = 7;
  envelope.data = {{"b", 1}, {"a", "ü"}};
  const std::string text = EncodeEnvelope(envelope);
  EXPECT_EQ(text, json::parse(text).dump()) << "canonical: members sorted, no white space";
  const Result<Envelope> read = DecodeEnvelope(text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(EncodeEnvelope(*read), text);
}

// CloudEvents JSON format 1.0.1 §2.2: null is unset.
TEST(Envelope, NullIsAbsent) {
  json event = Plain();
  for (const char* name :
       {"subject", "time", "datacontenttype", "traceparent", "tracestate", "cause", "seq", "other"})
    event[name] = nullptr;
  const Result<Envelope> read = DecodeEnvelope(event.dump());
  ASSERT_TRUE(read) << read.error().field;
  EXPECT_EQ(EncodeEnvelope(*read), EncodeEnvelope(*DecodeEnvelope(Plain().dump())));
  for (const char* name : {"specversion", "id", "source", "type"}) {
    event = Plain();
    event[name] = nullptr;
    const Result<Envelope> refused = DecodeEnvelope(event.dump());
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(refused.error().symbol, "missing_attribute");
    EXPECT_EQ(refused.error().field, std::string("/") + name);
  }
}

// CloudEvents §"Type System": an Integer ends at 2^31-1, a feed does not.
TEST(Envelope, SeqGoesOnBeyond31Bits) {
  Envelope envelope = *DecodeEnvelope(Plain().dump());
  for (const std::uint64_t seq : {std::uint64_t{1}, std::uint64_t{1} << 31, (std::uint64_t{1} << 53) - 1}) {
    envelope.seq = seq;
    const std::string text = EncodeEnvelope(envelope);
    EXPECT_EQ(json::parse(text).at("seq"), std::to_string(seq)) << "one form for all of them";
    EXPECT_EQ(DecodeEnvelope(text)->seq, seq);
  }
  for (const json& seq : {json(1), json(""), json("01"), json("+1"), json("-1"), json("1.0"),
                          json("9007199254740992"), json("99999999999999999999")}) {
    json event = Plain();
    event["seq"] = seq;
    EXPECT_EQ(SymbolOf(event.dump()), "bad_attribute") << seq;
  }
}

// RFC 9110 §8.3.1: media types and parameter names know no case; §5.6.4: a value may be quoted.
TEST(Envelope, DataContentTypeIsComparedAsAMediaType) {
  const auto symbol_of = [](const std::string& type) {
    json event = Plain();
    event["datacontenttype"] = type;
    return SymbolOf(event.dump());
  };
  for (const char* good : {"application/json", "Application/JSON", "application/json; charset=utf-8",
                           "application/json;charset=\"UTF-8\"",
                           "application/json ;; profile=\"a\\\"b;c\" ; q=1", "application/json;"}) {
    EXPECT_EQ(symbol_of(good), "") << good;
  }
  for (const char* bad :
       {"", "application", "text/json", "application/json-seq", "application/cloudevents+json",
        "application/json; charset=iso-8859-1", "application/json; charset=", "application/json, x",
        "application/json; charset", "application/json; charset=\"utf-8", "application/json x",
        " application/json", "application/json; a=\"\n\""}) {
    EXPECT_EQ(symbol_of(bad), "unsupported_content_type") << bad;
  }
}

TEST(Envelope, AnExtensionThatIsRefusedIsNamed) {
  json event = Plain();
  event["data_base64"] = "AA==";
  EXPECT_EQ(DecodeEnvelope(event.dump()).error().symbol, "unknown_attribute");
  EXPECT_EQ(DecodeEnvelope(event.dump()).error().field, "/data_base64");
  for (const json& value : {json(std::int64_t{1} << 31), json(-(std::int64_t{1} << 31) - 1), json(1.5),
                            json::array(), json(std::string(257, 'x'))}) {
    event = Plain();
    event["mine"] = value;
    EXPECT_EQ(DecodeEnvelope(event.dump()).error().symbol, "bad_attribute") << value;
    EXPECT_EQ(DecodeEnvelope(event.dump()).error().field, "/mine");
  }
  for (const json& value : {json(2147483647), json(-2147483647 - 1), json(true), json("")}) {
    event["mine"] = value;
    EXPECT_EQ(SymbolOf(event.dump()), "") << value;
  }
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

TEST(Envelope, IdIsSeenAtAGlimpse) {
  EXPECT_EQ(GlimpseEventId(R"({"id":"c-7","data":)"), EventId::Parse("c-7")) << "nothing behind it is read";
  EXPECT_EQ(GlimpseEventId(R"({"data":{"id":"no"},"list":[{"id":"no"}],"id":"c-7")"), EventId::Parse("c-7"));
  for (const char* none :
       {R"({"data":{"id":"no"}})", R"({"id":7})", R"({"id":"c-)", R"([{"id":"no"}])", "[]", ""}) {
    EXPECT_EQ(GlimpseEventId(none), std::nullopt) << none;
  }
}

// What cannot be read as a whole still says which message it is.
TEST(Envelope, IdIsFoundInWhatTheParserRefuses) {
  const std::string deep = Nested(kDepthMax);
  for (const std::string& member : {std::string("\"a\":1,\"a\":2"), std::string("\"a\":1e999"),
                                    "\"a\":" + deep, "\"a\":" + json(std::vector<int>(kValuesMax, 0)).dump(),
                                    std::string("\"a\":{\"id\":\"inner\",\"id\":\"}]\\\"\"}")}) {
    for (const std::string& text :
         {R"({"id":"c-7",)" + member + "}", "{" + member + R"(, "\u0069d" : "c-7"})"}) {
      EXPECT_FALSE(DecodeEnvelope(text)) << text;
      EXPECT_EQ(FindEventId(text), EventId::Parse("c-7")) << text;
    }
  }
  for (const char* text : {R"({"id":"a","id":"b"})", R"({"a":1e999,"id":7})", R"({"a":1e999,"id":"c")",
                           R"({"a":[1e999,"id":"c"})", R"({"a":1e999,"id":"c"}})", R"(["id","c",1e999])",
                           R"({"a":1e999,"id":"c d"})", R"({"a":1e999)", R"({"a":1e999,"id":"c)", "{"}) {
    EXPECT_EQ(FindEventId(text), std::nullopt) << text;
  }
}

// A refused message must cost less than an accepted one, whatever stands in it.
TEST(Envelope, IdIsLookedForOnlySoFar) {
  const auto behind = [](const std::string& before) {
    return GlimpseEventId(R"({"data":)" + before + R"(,"id":"c-7"})");
  };
  const auto zeros = [](std::size_t count) { return json(std::vector<int>(count, 0)).dump(); };
  EXPECT_TRUE(behind('"' + std::string(kGlimpseMax - 100, 'x') + '"'));
  EXPECT_FALSE(behind('"' + std::string(kGlimpseMax, 'x') + '"'));
  EXPECT_TRUE(behind(zeros(kValuesMax - 3)));
  EXPECT_FALSE(behind(zeros(kValuesMax)));
  EXPECT_FALSE(behind(std::string(1000, '[')));
}

TEST(Envelope, HasAtMostSoManyValues) {
  const auto with = [](std::size_t values) {
    json event = Plain();
    event["data"] = json::object();
    const std::size_t own = 1 + event.size() + 1;  // the event, its members, the list
    event["data"]["list"] = std::vector<int>(values - own, 0);
    return event.dump();
  };
  EXPECT_EQ(SymbolOf(with(kValuesMax)), "");
  EXPECT_EQ(SymbolOf(with(kValuesMax + 1)), "too_many_values");
  EXPECT_NE(DecodeEnvelope(with(kValuesMax + 1)).error().message.find(std::to_string(kValuesMax)),
            std::string::npos);
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
  for (const std::string text : {"", " ", "{", "{}}", "{'a':1}", "[1,]", "nul", "01", "1.", "\"\\x\"",
                                 "\"\\ud800\"", "NaN", "/* */{}", "\"a\nb\""}) {
    const Result<json> parsed = ParseStrict(text, {kMessageMax, kDepthMax, kValuesMax});
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().symbol, "bad_json") << text;
  }
  for (const std::string tail : {"", "{}", "anything", "\"}"}) {
    for (const std::string head : {"", "{}", "{} ", "[\"", "1"}) {
      const Result<json> parsed = ParseStrict(head + '\0' + tail, {kMessageMax, kDepthMax, kValuesMax});
      ASSERT_FALSE(parsed) << head << "\\0" << tail;
      EXPECT_EQ(parsed.error().symbol, "bad_json") << head << "\\0" << tail;
    }
  }
  EXPECT_EQ(ParseStrict("[-1e999]", {kMessageMax, kDepthMax, kValuesMax}).error().symbol, "number_too_large");
}

// RFC 8259 §8.1. Most who send one do not see it.
TEST(StrictJson, AByteOrderMarkIsNamed) {
  for (const std::string& text : {std::string("\xef\xbb\xbf"), std::string("\xef\xbb\xbf{}"),
                                  std::string("\xff\xfe{\0}\0", 6), std::string("\xfe\xff\0{\0}", 6)}) {
    EXPECT_EQ(ParseStrict(text, {kMessageMax, kDepthMax, kValuesMax}).error().symbol, "byte_order_mark");
  }
  EXPECT_TRUE(ParseStrict("\"\xef\xbb\xbf\"", {kMessageMax, kDepthMax, kValuesMax}).ok()) << "inside a text";
  EXPECT_EQ(FindEventId("\xef\xbb\xbf" + Plain().dump()),
            EventId::Parse(Plain().at("id").get<std::string>()));
}

RC_GTEST_PROP(StrictJson, ReadsWhatTheOrdinaryParserReads,
              (const std::map<std::string, std::vector<int>>& values)) {
  json object = json::object();
  for (const auto& [name, numbers] : values) {
    if (ValidUtf8(name)) object[name] = numbers;
  }
  const Result<json> parsed = ParseStrict(object.dump(), {kMessageMax, kDepthMax, kValuesMax});
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
    const Result<json> decoded = Recode(command, envelope->data);
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
