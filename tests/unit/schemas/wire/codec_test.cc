// schemas/wire/codec.h: strict reading with the field named, and who may say what.
#include "schemas/wire/codec.h"

#include <gtest/gtest.h>

#include <set>

#include "schemas/wire/field_tables.h"
#include "schemas/wire/queries.h"

namespace registry::wire {
namespace {

using nlohmann::json;

constexpr char kDevice[] = "3f0c9a52-6a1e-4d57-9b1a-2f5c7e9d1b34";
constexpr char kJob[] = "0d9f6c1e-22aa-4c0f-8e55-6b1f0a7c9d12";

Error Refused(std::string_view command, const json& data) {
  const Result<json> decoded = Recode(command, data);
  EXPECT_FALSE(decoded) << command << data.dump();
  return decoded ? Error{} : decoded.error();
}

void ExpectRefused(std::string_view command, const json& data, Code code, std::string_view symbol,
                   std::string_view field) {
  const Error error = Refused(command, data);
  EXPECT_EQ(error.code, code) << data.dump();
  EXPECT_EQ(error.symbol, symbol) << data.dump();
  EXPECT_EQ(error.field, field) << data.dump();
}

TEST(Codec, ReadsACommand) {
  const Result<DoResult> result =
      Decode<DoResult>({{"job", kJob}, {"device", kDevice}, {"outcome", "failed"}, {"retriable", true}});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->job.text(), kJob);
  EXPECT_EQ(result->device.text(), kDevice);
  EXPECT_EQ(result->outcome, Outcome::kFailed);
  EXPECT_TRUE(result->retriable);
  EXPECT_EQ(result->reason, "");
}

TEST(Codec, EachFaultHasItsCodeSymbolAndField) {
  ExpectRefused("device.delete", json::array(), Code::kValueSyntax, "wrong_type", "");
  ExpectRefused("device.delete", json::object(), Code::kMissingParameter, "missing_field", "/device");
  ExpectRefused("device.delete", {{"device", kDevice}, {"devise", 1}}, Code::kSyntax, "unknown_field",
                "/devise");
  ExpectRefused("device.delete", {{"device", 7}}, Code::kValueSyntax, "wrong_type", "/device");
  ExpectRefused("device.delete", {{"device", "x"}}, Code::kValueSyntax, "bad_device", "/device");
  ExpectRefused("device.delete", {{"device", kDevice}, {"reason", std::string(201, 'x')}}, Code::kRange,
                "too_long", "/reason");
  ExpectRefused("device.delete", {{"device", kDevice}, {"reason", "\x1b[2J"}}, Code::kValueSyntax, "bad_text",
                "/reason");
  ExpectRefused("device.remove", json::object(), Code::kNotFound, "schema_unknown", "");
}

TEST(Codec, LengthsAreCharactersNotOctets) {
  std::string umlauts;
  for (int i = 0; i < 200; ++i) umlauts += "ü";
  EXPECT_TRUE(Recode("device.delete", {{"device", kDevice}, {"reason", umlauts}}));
  EXPECT_EQ(Refused("device.delete", {{"device", kDevice}, {"reason", umlauts + "ü"}}).symbol, "too_long");
}

// What was renamed is read under its former name, where that stands alone, and never written.
TEST(Codec, AFormerNameIsRead) {
  EXPECT_EQ(Recode("feed.replay", {{"from_seq", 3}}).value(), json({{"fromSeq", 3}}));
  EXPECT_EQ(Recode("feed.replay", {{"from_seq", -3}}).error().field, "/from_seq");
  const Error both = Refused("feed.replay", {{"from_seq", 3}, {"fromSeq", 3}});
  EXPECT_EQ(both.symbol, "unknown_field");
  EXPECT_EQ(both.field, "/from_seq");
  EXPECT_EQ(Refused("feed.replay", json::object()).field, "/fromSeq");
}

TEST(Codec, NumbersAreIntegersInRange) {
  const auto replay = [](const char* text) {
    return Recode("feed.replay", json::parse(std::string("{\"fromSeq\":") + text + "}"));
  };
  EXPECT_TRUE(replay("0"));
  EXPECT_TRUE(replay("9007199254740991"));
  EXPECT_EQ(replay("9007199254740992").error().symbol, "out_of_range");
  EXPECT_EQ(replay("-1").error().symbol, "out_of_range");
  EXPECT_EQ(replay("1.0").error().symbol, "not_an_integer");
  EXPECT_EQ(replay("1e3").error().symbol, "not_an_integer");
  EXPECT_EQ(replay("18446744073709551616").error().symbol, "not_an_integer");
  EXPECT_EQ(replay("true").error().symbol, "wrong_type");
}

TEST(Codec, NestedFaultsNameTheWholePath) {
  const json trust = {{"kind", "tlsa"}, {"tlsaOwner", "_443._tcp.www.x.test"}};
  json endpoint = {{"name", "a"}, {"fqdn", "www.x.test"}, {"url", "https://www.x.test"},
                   {"port", 443}, {"protocol", "https"},  {"trust", trust}};
  EXPECT_TRUE(Recode("endpoint.publish", {{"endpoint", endpoint}}));
  endpoint["trust"]["tlsaOwner"] = "X";
  EXPECT_EQ(Refused("endpoint.publish", {{"endpoint", endpoint}}).field, "/endpoint/trust/tlsaOwner");
  endpoint["trust"]["tlsaOwner"] = "_443._udp.www.x.test";
  EXPECT_EQ(Refused("endpoint.publish", {{"endpoint", endpoint}}).field, "/endpoint/trust/tlsaOwner");
  endpoint["trust"] = {{"kind", "ca"}};
  EXPECT_EQ(Refused("endpoint.publish", {{"endpoint", endpoint}}).field, "/endpoint/trust");
  endpoint["trust"] = trust;
  for (const char* url : {"https://other.x.test", "mqtts://www.x.test", "https://www.x.test:444", "https:///",
                          "https://a:b@www.x.test", "https://www.x.test:0", "https://www.x.test:65536"}) {
    json wrong = endpoint;
    wrong["url"] = url;
    EXPECT_EQ(Refused("endpoint.publish", {{"endpoint", wrong}}).field, "/endpoint/url") << url;
  }
  endpoint["a/b~c"] = 1;
  EXPECT_EQ(Refused("endpoint.publish", {{"endpoint", endpoint}}).field, "/endpoint/a~1b~0c");  // RFC 6901 §3
}

TEST(Codec, ASendersOwnMemberNameIsSaidBackCut) {
  std::string name(63, 'x');
  name += "üüü";
  const Error error = Refused("device.delete", {{name, 1}});
  EXPECT_EQ(error.field, "/" + std::string(63, 'x'));
}

TEST(Codec, CsrIsPemOrDer) {
  const Bytes der{0x30, 0x03, 0x02, 0x01, 0x00};
  const std::string pem = ToPem("CERTIFICATE REQUEST", der);
  const auto from_der = Decode<CsrSubmit>({{"device", kDevice}, {"csr", ToBase64(der)}});
  const auto from_pem = Decode<CsrSubmit>({{"device", kDevice}, {"csr", pem}});
  ASSERT_TRUE(from_der);
  ASSERT_TRUE(from_pem);
  EXPECT_EQ(from_der->csr, der);
  EXPECT_EQ(from_pem->csr, AsBytes(pem));
  EXPECT_EQ(Encode(*from_der).at("csr"), ToBase64(der));
  EXPECT_EQ(Encode(*from_pem).at("csr"), pem);
}

// As `openssl req -text` writes it; the explaining text may begin like DER ('0' is 0x30).
TEST(Codec, TextBeforeAPemCsrIsNotTheCsr) {
  const std::string pem = ToPem("CERTIFICATE REQUEST", {0x30, 0x03, 0x02, 0x01, 0x00});
  for (const char* text :
       {"Certificate Request:\n    Data:\n", "0\r\n", "what follows -----BEGIN not\n", "\n"}) {
    const auto csr = Decode<CsrSubmit>({{"device", kDevice}, {"csr", text + pem + "and after\n"}});
    ASSERT_TRUE(csr) << text;
    EXPECT_EQ(csr->csr, AsBytes(pem + "and after\n")) << text;
  }
  EXPECT_EQ(Refused("csr.submit", {{"device", kDevice}, {"csr", "text " + pem}}).symbol, "bad_base64");
  const auto wrapped = Decode<CsrSubmit>({{"device", kDevice}, {"csr", ToBase64(AsBytes(pem))}});
  ASSERT_TRUE(wrapped);
  EXPECT_EQ(wrapped->csr, AsBytes(pem));
}

TEST(Codec, OptionalMembersAreLeftOutWhenEmpty) {
  DeviceDelete command{*DeviceId::Parse(kDevice), ""};
  EXPECT_EQ(Encode(command).dump(), std::string("{\"device\":\"") + kDevice + "\"}");
}

TEST(Codec, ErrorsComeBack) {
  Error error = Error::Make(Code::kStatusProhibits, "state_prohibits", "the device is deleted", "/device");
  error.step = "payload.push";
  error.retry_after_seconds = 5;
  const std::optional<Error> read = DecodeError(EncodeError(error));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->code, error.code);
  EXPECT_EQ(read->symbol, error.symbol);
  EXPECT_EQ(read->field, error.field);
  EXPECT_EQ(read->step, error.step);
  EXPECT_EQ(read->retry_after_seconds, 5);
  EXPECT_FALSE(DecodeError(json::object()));
}

TEST(Codec, RolesAndNames) {
  EXPECT_EQ(RolesOf("csr.submit"), std::vector{Role::kMno});
  EXPECT_EQ(RolesOf("device.delete"), (std::vector{Role::kAsp, Role::kOperator}));
  EXPECT_EQ(RolesOf("feed.ack").size(), 3u);
  EXPECT_TRUE(RolesOf("csr").empty());
  EXPECT_EQ(RoleName(Role::kMno), "mno");
  EXPECT_EQ(RoleName(Role::kAsp), "asp");
  EXPECT_EQ(RoleName(Role::kOperator), "operator");
}

template <class... Messages>
std::vector<std::string_view> NamesOf(std::variant<Messages...>*) {
  return {Messages::kName...};
}

TEST(Codec, EveryCommandOfTheCatalogueIsDecodedAndEitherMarksOrReads) {
  std::multiset<std::string_view> decoded, catalogue;
  for (const auto name : NamesOf(static_cast<Command*>(nullptr))) decoded.insert(name);
  for (const auto name : NamesOf(static_cast<Query*>(nullptr))) decoded.insert(name);
  for (const MessageName& name : Catalogue()) {
    if (name.kind != MessageName::Kind::kCommand) continue;
    catalogue.insert(name.name);
    EXPECT_EQ(Refused(name.name, json::array()).symbol, "wrong_type") << name.name;
  }
  EXPECT_EQ(decoded, catalogue);
  EXPECT_EQ(std::set(decoded.begin(), decoded.end()).size(), decoded.size());
}

}  // namespace
}  // namespace registry::wire
