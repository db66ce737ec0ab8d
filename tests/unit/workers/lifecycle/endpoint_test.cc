// endpoint.publish: versions, what the history says of it, and what nobody shall be told to trust or to connect to.
#include <gmock/gmock.h>
#include <openssl/x509v3.h>

#include "tests/unit/workers/lifecycle/flow.h"

namespace registry::test {
namespace {

using testing::ElementsAre;

json Endpoint(const json& trust) {
  return {{"endpoint",
           {{"name", "main"},
            {"fqdn", "mqtt.asp-a.test"},
            {"url", "tls://mqtt.asp-a.test:8883"},
            {"port", 8883},
            {"protocol", "tls"},
            {"trust", trust}}}};
}

TEST(Endpoint, EveryPublicationIsAVersionAndInTheChain) {
  TestRegistry registry;
  const json trust = {{"kind", "tlsa"}, {"tlsaOwner", "_8883._tcp.mqtt.asp-a.test"}};
  EXPECT_EQ(registry.Ask("asp-a", "endpoint.publish", Endpoint(trust)).data().at("revision"), 1);
  EXPECT_EQ(registry.Ask("asp-a", "endpoint.publish", Endpoint(trust), "again").data().at("revision"), 2);
  EXPECT_EQ(registry.Ask("asp-b", "endpoint.publish", Endpoint(trust)).data().at("revision"), 1)
      << "names are each ASP's own";
  EXPECT_THAT(HistoryOf(registry, DeviceId()),
              ElementsAre("endpoint main published, version 1", "endpoint main published, version 2",
                          "endpoint main published, version 1"));
  const auto records = *registry.ledger().HistoryAfter(0, 10);
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[1].entry.actor, *PartyId::Parse("asp-a"));
  EXPECT_EQ(records[1].entry.cause, *EventId::Parse("again"));
  EXPECT_EQ(records[2].entry.actor, *PartyId::Parse("asp-b"));
  EXPECT_THAT(ledger::Verify(registry.ledger())->faults, ElementsAre());
}

// A certificate of OpenSSL's making; times are seconds from the registry's now.
struct CertificateOptions {
  long begins = -3600, ends = 3600;
  const char* constraints = "critical,CA:FALSE";
  const char* usage = "critical,digitalSignature";
  const char* names = "DNS:mqtt.asp-a.test";  // null: no subjectAltName
};

std::string CertificateOf(TestRegistry& registry, const CertificateOptions& options) {
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  const std::time_t now = registry.clock().Now().seconds();
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()), now + options.begins);
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()), now + options.ends);
  X509_NAME* const name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>("mqtt.asp-a.test"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  X509_set_pubkey(certificate.get(), key.get());
  const auto add = [&certificate](int nid, const char* value) {
    if (value == nullptr) return;
    const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
        X509V3_EXT_conf_nid(nullptr, nullptr, nid, value), X509_EXTENSION_free);
    REG_CHECK(extension && X509_add_ext(certificate.get(), extension.get(), -1) == 1);
  };
  add(NID_basic_constraints, options.constraints);
  add(NID_key_usage, options.usage);
  add(NID_subject_alt_name, options.names);
  REG_CHECK(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0);
  Bytes der(static_cast<std::size_t>(i2d_X509(certificate.get(), nullptr)));
  std::uint8_t* cursor = der.data();
  i2d_X509(certificate.get(), &cursor);
  return ToBase64(der);
}

Said PublishWith(TestRegistry& registry, const char* kind, const CertificateOptions& options) {
  return registry.Ask("asp-a", "endpoint.publish",
                      Endpoint({{"kind", kind}, {"certificate", CertificateOf(registry, options)}}));
}

TEST(Endpoint, ATrustCertificateMustBeOfUseNow) {
  TestRegistry registry;
  const CertificateOptions server;
  CertificateOptions ca;
  ca.constraints = "critical,CA:TRUE";
  ca.usage = "critical,keyCertSign";
  ca.names = nullptr;
  const auto with = [](CertificateOptions options, auto member, auto value) {
    options.*member = value;
    return options;
  };
  using Options = CertificateOptions;
  struct Case {
    const char* kind;
    CertificateOptions options;
    const char* symbol;  // empty: accepted
  };
  for (const Case& each : std::vector<Case>{
           {"certificate", server, ""},
           {"ca", ca, ""},
           {"ca", with(ca, &Options::usage, nullptr), ""},
           {"certificate", with(server, &Options::names, "DNS:*.asp-a.test"), ""},
           {"certificate", with(server, &Options::ends, -1), "trust_certificate_expired"},
           {"ca", with(ca, &Options::ends, -1), "trust_certificate_expired"},
           {"certificate", with(server, &Options::begins, 60), "trust_certificate_not_yet_valid"},
           {"ca", with(ca, &Options::begins, 60), "trust_certificate_not_yet_valid"},
           {"certificate", with(server, &Options::names, "DNS:mqtt.asp-b.test"),
            "trust_certificate_other_name"},
           {"certificate", with(server, &Options::names, nullptr), "trust_certificate_other_name"},
           {"ca", server, "trust_certificate_no_ca"},
           {"ca", with(ca, &Options::constraints, nullptr), "trust_certificate_no_ca"},
           {"ca", with(ca, &Options::usage, "critical,digitalSignature"), "trust_certificate_no_ca"}}) {
    const Said said = PublishWith(registry, each.kind, each.options);
    EXPECT_EQ(said.symbol(), each.symbol) << each.kind;
    if (*each.symbol == '\0') continue;
    EXPECT_EQ(said.data().at("field"), "/endpoint/trust/certificate");
    EXPECT_EQ(said.code(), 2306);
  }
}

// RFC 6761 §6.3, and names that belong to the registry or to its devices.
TEST(Endpoint, AHostThatIsNotTheAspsIsRefused) {
  TestRegistry registry;
  for (const std::string& host : std::vector<std::string>{"mqtt.localhost", "iotregistry.test",
                                                          "mqtt.iotregistry.test", "resolver.test"}) {
    json endpoint = Endpoint({{"kind", "tlsa"}, {"tlsaOwner", "_8883._tcp." + host}});
    endpoint["endpoint"]["fqdn"] = host;
    endpoint["endpoint"]["url"] = "tls://" + host + ":8883";
    const Said said = registry.Ask("asp-a", "endpoint.publish", endpoint);
    EXPECT_EQ(said.symbol(), "endpoint_host_reserved") << host;
    EXPECT_EQ(said.data().at("field"), "/endpoint/fqdn");
  }
  json neighbour = Endpoint({{"kind", "tlsa"}, {"tlsaOwner", "_8883._tcp.xiotregistry.test"}});
  neighbour["endpoint"]["fqdn"] = "xiotregistry.test";
  neighbour["endpoint"]["url"] = "tls://xiotregistry.test:8883";
  EXPECT_TRUE(registry.Ask("asp-a", "endpoint.publish", neighbour).accepted());
}

TEST(Endpoint, WhatContradictsItselfIsRefusedAndNamed) {
  TestRegistry registry;
  json endpoint = Endpoint({{"kind", "tlsa"}, {"tlsaOwner", "_8883._tcp.mqtt.asp-a.test"}});
  endpoint["endpoint"]["url"] = "tls://mqtt.asp-b.test:8883";
  const Said said = registry.Ask("asp-a", "endpoint.publish", endpoint);
  EXPECT_EQ(said.symbol(), "endpoint_mismatch");
  EXPECT_EQ(said.data().at("field"), "/endpoint/url");
}

TEST(Endpoint, WhatIsNoCertificateIsNotSigned) {
  TestRegistry registry;
  const std::string json_text = R"({"port":8883,"url":"tls://elsewhere.test"})";
  const Said said = registry.Ask("asp-a", "endpoint.publish",
                                 Endpoint({{"kind", "ca"}, {"certificate", ToBase64(AsBytes(json_text))}}));
  EXPECT_EQ(said.symbol(), "trust_certificate_invalid");
  EXPECT_EQ(said.code(), 2005);
  EXPECT_EQ(said.data().at("field"), "/endpoint/trust/certificate");
  const auto stored = registry.ledger().LoadEndpoint(*PartyId::Parse("asp-a"), *EndpointName::Parse("main"));
  EXPECT_FALSE(stored->has_value());
  EXPECT_THAT(HistoryOf(registry, DeviceId()), ElementsAre());
}

}  // namespace
}  // namespace registry::test
