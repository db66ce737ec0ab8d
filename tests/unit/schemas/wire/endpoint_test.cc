// An endpoint whose URL, FQDN, port, protocol and TLSA owner contradict each other, or whose URL says what no device may be
// told, is refused with the member named.
#include <gtest/gtest.h>

#include "schemas/wire/codec.h"

namespace registry::wire {
namespace {

using nlohmann::json;

json Sound() {
  return {{"name", "main"},
          {"fqdn", "mqtt.asp-a.test"},
          {"url", "mqtts://mqtt.asp-a.test:8883"},
          {"port", 8883},
          {"protocol", "mqtts"},
          {"trust", {{"kind", "tlsa"}, {"tlsaOwner", "_8883._tcp.mqtt.asp-a.test"}}}};
}

// With these members in place of its own.
json With(const json& members) {
  json endpoint = Sound();
  endpoint.merge_patch(members);
  return endpoint;
}

json AtPort(int port, const std::string& protocol, const std::string& url, const std::string& owner) {
  return With({{"port", port}, {"protocol", protocol}, {"url", url}, {"trust", {{"tlsaOwner", owner}}}});
}

TEST(EndpointParts, WhatAgreesIsTaken) {
  const std::string on = ".mqtt.asp-a.test", host = "://mqtt.asp-a.test";
  for (const json& endpoint :
       std::vector<json>{Sound(), With({{"url", "mqtts" + host}}), With({{"url", "mqtts" + host + ":8883/"}}),
                         With({{"url", "mqtts" + host + "/a@b?x=c:d@e"}}),
                         AtPort(443, "https", "https" + host + "/v1?x=%20", "_443._tcp" + on),
                         AtPort(8443, "https", "https" + host + ":8443", "_8443._tcp" + on),
                         AtPort(5684, "coaps", "coaps" + host, "_5684._udp" + on),
                         // The scheme has no port of its own, so the port is said once.
                         AtPort(4433, "tls", "tls" + host, "_4433._tcp" + on)}) {
    const auto decoded = Decode<Endpoint>(endpoint);
    EXPECT_TRUE(decoded.ok()) << endpoint.dump() << (decoded.ok() ? "" : decoded.error().message);
  }
}

struct Refused {
  json members;
  const char *symbol, *field;
};

void ExpectRefused(const std::vector<Refused>& all) {
  for (const auto& [members, symbol, field] : all) {
    const auto decoded = Decode<Endpoint>(With(members));
    ASSERT_FALSE(decoded.ok()) << members.dump();
    EXPECT_EQ(decoded.error().symbol, symbol) << members.dump();
    EXPECT_EQ(decoded.error().field, field) << members.dump();
    EXPECT_EQ(decoded.error().code, Code::kValueSyntax) << members.dump();
  }
}

TEST(EndpointParts, ARefusedUrlNamesTheRule) {
  const std::pair<const char*, const char*> cases[] = {
      {"mqtts:mqtt.asp-a.test", "must begin with a scheme and ://"},
      {"MQTTS://mqtt.asp-a.test", "must have a scheme in lower case"},
      {"mqtts://mqtt.asp-a.test/#part", "must have no fragment (#)"},
      {"mqtts://user@mqtt.asp-a.test", "must have no user and no password (@)"},
      {"mqtts://MQTT.asp-a.test:1", "must have a lower-case host name of two labels or more, and no address"},
      {"mqtts://192.0.2.1", "must have a lower-case host name of two labels or more, and no address"},
      {"mqtts://mqtt.asp-a.test:0",
       "must have a port from 1 to 65535 behind the colon, without a zero in front"},
      {"mqtts://mqtt.asp-a.test/ x",
       "must have a path and query of RFC 3986's characters, others escaped with %"},
  };
  for (const auto& [url, rule] : cases) {
    const auto decoded = Decode<Endpoint>(With({{"url", url}}));
    ASSERT_FALSE(decoded.ok()) << url;
    EXPECT_EQ(decoded.error().symbol, "bad_url");
    EXPECT_EQ(decoded.error().message, rule);
  }
}

// RFC 3986 §3.2.1: a password in clear text. What stands before the '@' may look like the host.
TEST(EndpointParts, AUserOrAPasswordInTheUrlIsRefused) {
  ExpectRefused({{{{"url", "mqtts://user@mqtt.asp-a.test:8883"}}, "bad_url", "/url"},
                 {{{"url", "mqtts://user:secret@mqtt.asp-a.test:8883"}}, "bad_url", "/url"},
                 {{{"url", "mqtts://@mqtt.asp-a.test:8883"}}, "bad_url", "/url"},
                 {{{"url", "mqtts://:@mqtt.asp-a.test:8883"}}, "bad_url", "/url"},
                 {{{"url", "mqtts://mqtt.asp-a.test@mqtt.asp-b.test:8883"}}, "bad_url", "/url"},
                 {{{"url", "mqtts://mqtt.asp-a.test:8883@mqtt.asp-b.test"}}, "bad_url", "/url"},
                 {{{"url", "mqtts://us%65r@mqtt.asp-a.test:8883"}}, "bad_url", "/url"}});
}

TEST(EndpointParts, WhatIsNotOneWrittenFormOfAHostIsRefused) {
  ExpectRefused({{{{"url", "mqtts://MQTT.asp-a.test:8883"}}, "bad_url", "/url"},
                 {{{"url", "MQTTS://mqtt.asp-a.test:8883"}}, "bad_url", "/url"},
                 {{{"url", "mqtts://mqtt.asp-a.test.:8883"}}, "bad_url", "/url"},
                 {{{"url", "mqtts://[2001:db8::1]:8883"}}, "bad_url", "/url"},
                 {{{"url", "mqtts://192.0.2.1:8883"}}, "bad_url", "/url"},
                 {{{"url", "mqtts://mqtt%2easp-a.test:8883"}}, "bad_url", "/url"},
                 {{{"url", "mqtts://m\xc3\xbcll.test:8883"}}, "bad_url", "/url"},
                 {{{"url", "mqtts:mqtt.asp-a.test"}}, "bad_url", "/url"},
                 {{{"url", "mqtts://"}}, "bad_url", "/url"},
                 {{{"url", "mqtts://mqtt.asp-a.test:8883\\@mqtt.asp-b.test"}}, "bad_url", "/url"},
                 {{{"url", "mqtts://mqtt.asp-a.test:8883/ x"}}, "bad_url", "/url"},
                 {{{"url", "mqtts://mqtt.asp-a.test:8883/#part"}}, "bad_url", "/url"},
                 {{{"url", "mqtts://mqtt.asp-a.test:8883#part"}}, "bad_url", "/url"},
                 {{{"fqdn", "MQTT.asp-a.test"}}, "bad_domain_name", "/fqdn"},
                 {{{"fqdn", "mqtt.asp-a.test."}}, "bad_domain_name", "/fqdn"},
                 {{{"fqdn", "192.0.2.1"}}, "bad_domain_name", "/fqdn"},
                 {{{"fqdn", "2001:db8::1"}}, "bad_domain_name", "/fqdn"}});
}

TEST(EndpointParts, APortThatIsNoneIsRefused) {
  ExpectRefused({{{{"url", "mqtts://mqtt.asp-a.test:"}}, "bad_url", "/url"},
                 {{{"url", "mqtts://mqtt.asp-a.test:0"}}, "bad_url", "/url"},
                 {{{"url", "mqtts://mqtt.asp-a.test:08883"}}, "bad_url", "/url"},
                 {{{"url", "mqtts://mqtt.asp-a.test:65536"}}, "bad_url", "/url"},
                 {{{"url", "mqtts://mqtt.asp-a.test:+8883"}}, "bad_url", "/url"}});
}

TEST(EndpointParts, WhatContradictsAnotherMemberIsRefused) {
  ExpectRefused(
      {{{{"url", "mqtts://mqtt.asp-b.test:8883"}}, "endpoint_mismatch", "/url"},
       {{{"url", "mqtts://mqtt.asp-a.test:8884"}}, "endpoint_mismatch", "/url"},
       {{{"url", "https://mqtt.asp-a.test:8883"}}, "endpoint_mismatch", "/url"},
       {{{"protocol", "https"}}, "endpoint_mismatch", "/url"},
       {{{"fqdn", "mqtt.asp-b.test"}}, "endpoint_mismatch", "/url"},
       {{{"port", 8884}}, "endpoint_mismatch", "/url"},
       // The URL says no port, so its scheme's holds.
       {{{"url", "mqtts://mqtt.asp-a.test"}, {"port", 8884}}, "endpoint_mismatch", "/url"},
       {{{"trust", {{"tlsaOwner", "_8884._tcp.mqtt.asp-a.test"}}}}, "endpoint_mismatch", "/trust/tlsaOwner"},
       {{{"trust", {{"tlsaOwner", "_8883._udp.mqtt.asp-a.test"}}}}, "endpoint_mismatch", "/trust/tlsaOwner"},
       {{{"trust", {{"tlsaOwner", "_8883._tcp.mqtt.asp-b.test"}}}}, "endpoint_mismatch", "/trust/tlsaOwner"},
       {{{"trust", {{"tlsaOwner", "mqtt.asp-a.test"}}}}, "endpoint_mismatch", "/trust/tlsaOwner"},
       {{{"trust", {{"tlsaOwner", "_08883._tcp.mqtt.asp-a.test"}}}},
        "endpoint_mismatch",
        "/trust/tlsaOwner"}});
}

}  // namespace
}  // namespace registry::wire
