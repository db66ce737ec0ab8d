// What the interface refuses, asked of the real broker and the real registry (design §3): every attack has its answer,
// and none harms the others' traffic.
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <fstream>
#include <set>

#include "bridge/clock.h"
#include "bridge/signing/ca.h"
#include "bridge/signing/key_file.h"
#include "schemas/base/check.h"
#include "tests/security/interface_lab.h"
#include "tests/support/contract.h"
#include "tests/support/device_key.h"
#include "tests/support/main_endpoint.h"

namespace registry::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr int kNotAuthorised = 0x87;  // MQTT5 §3.4.2.1 PUBACK reason code

TEST_F(Interface, NoClientCertificateNoConnection) {
  RawOptions options = As("mno-a");
  options.certificate_file.clear();
  options.key_file.clear();
  EXPECT_FALSE(RawMqtt(options).connected());
  EXPECT_TRUE(RawMqtt(As("mno-a")).connected()) << "with its certificate it is welcome";
}

// MQTT5 §3.1.4: who connects under another's client identifier takes its session over. With a known one every party
// could keep the registry from everybody; the taker would be thrown out by the registry's return.
TEST_F(Interface, APartyCannotTakeTheRegistrysSessionOver) {
  RawOptions options = As("mno-b");
  options.client_id = "registryd";
  RawMqtt taker(options);
  ASSERT_TRUE(taker.connected());
  EXPECT_TRUE(Ask("mno-a", "feed.ack", {{"seq", 0}}).accepted);
  EXPECT_TRUE(taker.connected());
}

// A party's credentials from a CA of the test's choice: what is refused then is refused for that choice alone.
class Issued : public Interface {
 protected:
  static signing::Authority TheCa() {
    auto key = signing::PrivateKey::Load(lab_->layout().Registry("interface/ca.key"));
    auto certificate = signing::LoadCertificate(lab_->layout().BrokerCa());
    REG_CHECK(key.ok() && certificate.ok());
    return {*std::move(key), *std::move(certificate)};
  }

  static RawOptions IssuedBy(const signing::Authority& ca, const std::string& party,
                             signing::Validity validity) {
    const std::string stem = lab_->layout().In("issued-" + NewId());
    const auto key = signing::PrivateKey::Generate();
    REG_CHECK(key.ok() && key->Save(stem + ".key").ok());
    const auto certificate = signing::CreatePartyCertificate(ca, *key, *PartyId::Parse(party), validity);
    REG_CHECK(certificate.ok());
    std::ofstream(stem + ".pem") << ToPem("CERTIFICATE", *certificate);
    RawOptions options = As("mno-a", "-" + NewId());
    options.certificate_file = stem + ".pem";
    options.key_file = stem + ".key";
    return options;
  }

  static signing::Validity Now() { return {SystemClock().Now(), std::chrono::days(1)}; }
};

TEST_F(Issued, ByTheInterfaceCaIsGood) {
  const Answer answer = Ask(IssuedBy(TheCa(), "mno-a", Now()), "mno-a", "feed.ack", {{"seq", 0}});
  EXPECT_TRUE(answer.accepted) << answer.data.dump();
}

// The same name, the same profile, the same issuer's name, another key.
TEST_F(Issued, ByAnotherCaIsRefused) {
  const auto other = signing::CreateRoot(std::string(lab::kZone) + " Interface CA", Now());
  ASSERT_TRUE(other);
  EXPECT_FALSE(RawMqtt(IssuedBy(*other, "mno-a", Now())).connected());
}

TEST_F(Issued, AndExpiredIsRefused) {
  const signing::Validity past{SystemClock().Now() - std::chrono::days(3), std::chrono::days(1)};
  EXPECT_FALSE(RawMqtt(IssuedBy(TheCa(), "mno-a", past)).connected());
}

TEST_F(Issued, AndNotYetValidIsRefused) {
  const signing::Validity future{SystemClock().Now() + std::chrono::days(3), std::chrono::days(1)};
  EXPECT_FALSE(RawMqtt(IssuedBy(TheCa(), "mno-a", future)).connected());
}

// The broker knows certificates, the registry knows parties: one that was struck from its configuration may still
// connect, and is told so.
TEST_F(Issued, ToNoPartyOfTheRegistryIsAnsweredSo) {
  const Answer answer = Ask(IssuedBy(TheCa(), "gone", Now()), "gone", "feed.ack", {{"seq", 0}});
  EXPECT_FALSE(answer.accepted);
  EXPECT_EQ(answer.symbol(), "party_unknown");
}

// Whether a handshake limited to one protocol version goes through, with good credentials. OpenSSL itself: to an MQTT
// library "tlsv1.2" is the least version, not the only one.
bool Handshakes(const RawOptions& options, int version) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, version);
  SSL_CTX_set_max_proto_version(context, version);
  SSL_CTX_load_verify_locations(context, options.ca_file.c_str(), nullptr);
  SSL_CTX_use_certificate_file(context, options.certificate_file.c_str(), SSL_FILETYPE_PEM);
  SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM);
  BIO* connection = BIO_new_ssl_connect(context);
  BIO_set_conn_hostname(connection, ("127.0.0.1:" + std::to_string(options.port)).c_str());
  const bool done = BIO_do_connect_retry(connection, 10, 0) == 1;
  BIO_free_all(connection);
  SSL_CTX_free(context);
  return done;
}

TEST_F(Interface, Tls12IsRefused) {
  EXPECT_FALSE(Handshakes(As("mno-a"), TLS1_2_VERSION));
  EXPECT_TRUE(Handshakes(As("mno-a"), TLS1_3_VERSION)) << "the same credentials over TLS 1.3 are good";
}

TEST_F(Interface, NobodyWritesInAnothersSpace) {
  RawMqtt attacker(As("mno-b"));
  ASSERT_TRUE(attacker.connected());
  const std::string forged = Command("mno-a", "esim.register", NewEsim(), NewId());
  EXPECT_EQ(attacker.Publish("registry/v1/from/mno-a/esim.register", forged), kNotAuthorised);
  EXPECT_EQ(attacker.Publish("registry/v1/to/mno-a/event/device.activated", forged), kNotAuthorised);
  EXPECT_EQ(attacker.Publish("registry/v1/to/mno-b/event/device.activated", forged), kNotAuthorised);
}

TEST_F(Interface, NobodyReadsInAnothersSpace) {
  RawMqtt eavesdropper(As("mno-b"));
  ASSERT_TRUE(eavesdropper.connected());
  for (const char* topic : {"registry/v1/to/mno-a/#", "registry/v1/to/+/esim.register/accepted",
                            "registry/v1/from/#", "#", "$share/g/registry/v1/to/mno-a/#"}) {
    EXPECT_FALSE(eavesdropper.Subscribe(topic)) << topic;
  }
  ASSERT_TRUE(eavesdropper.Subscribe("registry/v1/to/mno-b/feed.ack/accepted"));
  EXPECT_TRUE(Ask("mno-a", "esim.register", NewEsim()).accepted);
  // The broker keeps the order: had anything of mno-a's come through, it would be in front of these.
  const std::string own = "registry/v1/from/mno-b/feed.ack";
  std::set<std::string> waiting{NewId(), NewId()};
  for (const std::string& id : waiting) {
    EXPECT_EQ(eavesdropper.Publish(own, Command("mno-b", "feed.ack", {{"seq", 0}}, id)), 0);
  }
  while (!waiting.empty()) {
    const auto heard = eavesdropper.Next(seconds(20));
    ASSERT_TRUE(heard) << "its own replies are all it hears, but it hears them";
    ASSERT_EQ(heard->topic, "registry/v1/to/mno-b/feed.ack/accepted");
    waiting.erase(json::parse(heard->payload).at("cause"));
  }
  EXPECT_TRUE(eavesdropper.connected());
}

TEST_F(Interface, SourceMustBeTheCertificatesParty) {
  RawMqtt client(As("mno-b"));
  ASSERT_TRUE(client.Subscribe("registry/v1/to/mno-b/#"));
  client.Publish("registry/v1/from/mno-b/esim.register",
                 Command("mno-a", "esim.register", json::object(), NewId()));
  const auto reply = client.Next(seconds(20));
  ASSERT_TRUE(reply);
  EXPECT_EQ(json::parse(reply->payload).at("data").at("symbol"), "source_mismatch");
}

TEST_F(Interface, OwnershipIsKeptBetweenPartiesOfTheSameRole) {
  const Answer registered = Ask("mno-a", "esim.register", NewEsim());
  ASSERT_TRUE(registered.accepted) << registered.data.dump();
  const std::string device = registered.data.at("device");
  ASSERT_TRUE(Ask("asp-a", "endpoint.publish", {{"endpoint", MainEndpoint()}}).accepted);
  ASSERT_TRUE(Ask("asp-a", "device.claim",
                  {{"device", device},
                   {"authorisationCode", registered.data.at("authorisationCode")},
                   {"endpoint", "main"}})
                  .accepted);
  EXPECT_EQ(Ask("asp-b", "device.deactivate", {{"device", device}}).symbol(), "not_claimer");
  EXPECT_EQ(Ask("asp-b", "device.delete", {{"device", device}}).symbol(), "not_claimer");
  EXPECT_EQ(Ask("mno-b", "device.attach", {{"device", device}}).symbol(), "not_sponsor");
  EXPECT_EQ(Ask("mno-b", "csr.submit", {{"device", device}, {"csr", NewCsrPem()}}).symbol(), "not_sponsor");
  EXPECT_EQ(Ask("asp-a", "esim.register", {{"eid", "x"}, {"iccid", "y"}}).symbol(), "role_not_allowed");
}

// schemas/PAYLOAD.md: an ASP hears why a device gets no files for the pilot's middleware, in both replies that decide it.
TEST_F(Interface, AnAspHearsWhyThereIsNoPilotForm) {
  const auto registered = Ask("mno-a", "esim.register", NewEsim());
  ASSERT_TRUE(registered.accepted) << registered.data.dump();
  const auto code = registered.data.at("authorisationCode");
  json endpoint = {{"name", "without-pilot"},
                   {"fqdn", "mqtt.asp-a.test"},
                   {"url", "tls://mqtt.asp-a.test:8883"},
                   {"port", 8883},
                   {"protocol", "tls"},
                   {"trust", {{"kind", "tlsa"}, {"tlsaOwner", "_8883._tcp.mqtt.asp-a.test"}}}};
  const Answer published = Ask("asp-a", "endpoint.publish", {{"endpoint", endpoint}});
  ASSERT_TRUE(published.accepted) << published.data.dump();
  EXPECT_EQ(published.data.value("pilotFormAbsent", ""), "trust_is_tlsa");
  const Answer claimed = Ask(
      "asp-a", "device.claim",
      {{"device", registered.data.at("device")}, {"authorisationCode", code}, {"endpoint", "without-pilot"}});
  ASSERT_TRUE(claimed.accepted) << claimed.data.dump();
  EXPECT_EQ(claimed.data.value("pilotFormAbsent", ""), "trust_is_tlsa");

  const auto ca = signing::CreateRoot("asp-a", {SystemClock().Now(), std::chrono::days(30)});
  ASSERT_TRUE(ca.ok());
  endpoint["name"] = "with-pilot";
  endpoint["trust"] = {{"kind", "ca"}, {"certificate", ToBase64(ca->certificate)}};
  const Answer whole = Ask("asp-a", "endpoint.publish", {{"endpoint", endpoint}});
  ASSERT_TRUE(whole.accepted) << whole.data.dump();
  EXPECT_FALSE(whole.data.contains("pilotFormAbsent")) << whole.data.dump();
  const Answer other = Ask("mno-a", "esim.register", NewEsim());
  ASSERT_TRUE(other.accepted) << other.data.dump();
  const Answer claimed_whole = Ask("asp-a", "device.claim",
                                   {{"device", other.data.at("device")},
                                    {"authorisationCode", other.data.at("authorisationCode")},
                                    {"endpoint", "with-pilot"}});
  ASSERT_TRUE(claimed_whole.accepted) << claimed_whole.data.dump();
  // Every device's name has more than the 64 octets of a CN in this zone, or none has.
  EXPECT_EQ(claimed_whole.data.value("pilotFormAbsent", ""),
            (other.data.at("device").get<std::string>() + "._device." + lab::kZone).size() > 64
                ? "name_too_long"
                : "");
}

// Reads go another way out of the registry than everything else; the real broker carries them all the same.
TEST_F(Interface, APartyReadsItsOwnDevicesAndNobodyElses) {
  const Answer registered = Ask("mno-a", "esim.register", NewEsim());
  ASSERT_TRUE(registered.accepted) << registered.data;
  const json device = {{"device", registered.data.at("device")}};
  const Answer got = Ask("mno-a", "device.get", device);
  ASSERT_TRUE(got.accepted) << got.data;
  EXPECT_EQ(got.data.at("state"), "registered");
  EXPECT_TRUE(got.data.contains("eid"));
  const Answer listed = Ask("mno-a", "device.list", {{"state", "registered"}, {"limit", 500}});
  ASSERT_TRUE(listed.accepted) << listed.data;
  EXPECT_FALSE(listed.data.at("devices").empty());
  const std::string says = Ask("mno-a", "device.trace", device).data.at("says");
  EXPECT_TRUE(says.starts_with("waits for device.attach of mno-a; waits for device.claim of an ASP")) << says;
  const json unknown = Ask("mno-b", "device.get", {{"device", "00000000-0000-4000-8000-000000000000"}}).data;
  EXPECT_EQ(unknown.at("symbol"), "device_unknown");
  EXPECT_EQ(Ask("mno-b", "device.get", device).data, unknown);
  EXPECT_EQ(Ask("asp-a", "device.trace", device).data, unknown);
}

TEST_F(Interface, AResponseTopicInAForeignSpaceIsRefused) {
  RawMqtt client(As("mno-b"));
  RawMqtt victim(As("mno-a", "-victim"));
  ASSERT_TRUE(client.Subscribe("registry/v1/to/mno-b/#"));
  ASSERT_TRUE(victim.Subscribe("registry/v1/to/mno-a/#"));
  const std::string id = NewId();
  // In its own space, but the broker would cut off whoever publishes there.
  std::string deep = "registry/v1/to/mno-b";
  for (int level = 0; level < 230; ++level) deep += "/x";
  const std::string own = "registry/v1/to/mno-b/";
  for (const auto& [topic, symbol] :
       {std::pair<std::string, const char*>{"registry/v1/to/mno-a/injected", "response_topic_foreign"},
        {"registry/v1/from/mno-a/esim.register", "response_topic_foreign"},
        {"registry/v1/to/mno-bb/x", "response_topic_foreign"},
        {"elsewhere", "response_topic_foreign"},
        {own + std::string(500, 'x'), "response_topic_too_long"},
        {own + "a//b", "response_topic_malformed"},
        {deep, "response_topic_too_deep"}}) {
    client.Publish("registry/v1/from/mno-b/feed.ack", Command("mno-b", "feed.ack", {{"seq", 0}}, id), topic,
                   "corr");
    const auto reply = client.Next(seconds(20));
    ASSERT_TRUE(reply) << topic;
    EXPECT_EQ(json::parse(reply->payload).at("data").at("symbol"), symbol) << topic;
    EXPECT_EQ(reply->correlation_data, "corr");
  }
  // The broker keeps the order: had anything been injected, it would be in front of the victim's own reply.
  victim.Publish("registry/v1/from/mno-a/feed.ack", Command("mno-a", "feed.ack", {{"seq", 0}}, NewId()));
  const auto heard = victim.Next(seconds(20));
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->topic, "registry/v1/to/mno-a/feed.ack/accepted");
}

// What the access list lets a party write to, but is no topic of a command.
TEST_F(Interface, ATopicThatNamesNoCommandIsAnswered) {
  RawMqtt client(As("mno-b"));
  ASSERT_TRUE(client.Subscribe("registry/v1/to/mno-b/#"));
  for (const std::string behind : {"", "/", "/Feed.Ack", "/feed.ack/", "/feed.ack/more", "/feed_ack"}) {
    const std::string id = NewId();
    ASSERT_EQ(
        client.Publish("registry/v1/from/mno-b" + behind, Command("mno-b", "feed.ack", {{"seq", 0}}, id)), 0);
    const auto reply = client.Next(seconds(20));
    ASSERT_TRUE(reply) << behind;
    EXPECT_EQ(reply->topic, "registry/v1/to/mno-b/rejected");
    ExpectContract(reply->payload);
    const json said = json::parse(reply->payload);
    EXPECT_EQ(said.at("data").at("symbol"), "topic_malformed") << behind;
    EXPECT_EQ(said.at("cause"), id) << behind;
  }
}

TEST_F(Interface, CloudEventsInBinaryModeAreRefusedByName) {
  RawMqtt client(As("mno-b"));
  ASSERT_TRUE(client.Subscribe("registry/v1/to/mno-b/#"));
  const std::string id = NewId();
  client.PublishWith(
      "registry/v1/from/mno-b/feed.ack", "{\"seq\":0}", "application/json",
      {{"specversion", "1.0"}, {"id", id}, {"source", "mno-b"}, {"type", "registry.v1.feed.ack"}});
  const auto reply = client.Next(seconds(20));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->topic, "registry/v1/to/mno-b/feed.ack/rejected");
  const json said = json::parse(reply->payload);
  EXPECT_EQ(said.at("data").at("symbol"), "binary_mode");
  EXPECT_EQ(said.at("cause"), id);
}

TEST_F(Interface, ACsrOfOneMebibyteIsRefusedByName) {
  RawMqtt client(As("mno-b"));
  ASSERT_TRUE(client.Subscribe("registry/v1/to/mno-b/#"));
  const json data = {{"device", "0b2f4a52-9a6e-4a5b-8f5e-3f1d2c4b5a69"}, {"csr", std::string(1 << 20, 'A')}};
  client.Publish("registry/v1/from/mno-b/csr.submit", Command("mno-b", "csr.submit", data, NewId()));
  const auto reply = client.Next(seconds(20));
  ASSERT_TRUE(reply);
  EXPECT_EQ(json::parse(reply->payload).at("data").at("symbol"), "message_too_large");
}

}  // namespace
}  // namespace registry::test
