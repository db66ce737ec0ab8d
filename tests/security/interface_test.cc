// What the interface refuses, asked of the real broker and the real registry (design §3): every attack has its answer,
// and none harms the others' traffic.
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <thread>

#include "schemas/base/bytes.h"
#include "simulators/lab/credential.h"
#include "simulators/lab/lab.h"
#include "tests/support/device_key.h"
#include "tests/support/raw_mqtt.h"

namespace registry::test {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kNotAuthorised = 0x87;  // MQTT5 §3.4.2.1 PUBACK reason code

class Interface : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    lab::LabOptions options;
    options.program_folder = std::string(REGISTRY_BINARY_DIR) + "/bin";
    options.broker_config_folder = std::string(REGISTRY_SOURCE_DIR) + "/broker-config";
    options.devices = 4;
    auto created = lab::Lab::Create(options);
    ASSERT_TRUE(created) << created.error().message;
    lab_ = std::move(*created).release();
    const auto started = lab_->StartServers();
    ASSERT_TRUE(started) << started.error().message;
  }
  static void TearDownTestSuite() {
    delete lab_;
    lab_ = nullptr;
  }

  static RawOptions As(const std::string& party, const std::string& suffix = "-raw") {
    const auto& layout = lab_->layout();
    return {layout.mqtt, layout.BrokerCa(), layout.PartyCertificate(party), layout.PartyKey(party),
            party + suffix};
  }

  static std::string Command(const std::string& party, const std::string& command, const json& data,
                             const std::string& id) {
    return json{{"specversion", "1.0"},
                {"id", id},
                {"source", party},
                {"type", "registry.v1." + command},
                {"data", data}}
        .dump();
  }

  static std::string NewId() {
    static std::atomic<int> next{1};
    return "security-" + std::to_string(next++);
  }

  // One command and its reply, over a connection of its own.
  struct Answer {
    bool accepted = false;
    json data;
    std::string symbol() const { return data.value("symbol", ""); }
  };
  static Answer Ask(const std::string& party, const std::string& command, const json& data) {
    RawMqtt client(As(party, "-" + NewId()));
    EXPECT_TRUE(client.connected());
    EXPECT_TRUE(client.Subscribe("registry/v1/to/" + party + "/" + command + "/+"));
    EXPECT_EQ(
        client.Publish("registry/v1/from/" + party + "/" + command, Command(party, command, data, NewId())),
        0);
    const auto reply = client.Next(seconds(20));
    EXPECT_TRUE(reply) << "no reply to " << command;
    if (!reply) return {};
    return {reply->topic.ends_with("/accepted"), json::parse(reply->payload).at("data")};
  }

  static json NewEsim() {
    static std::size_t next = 0;
    const auto& esim = lab_->inventory().at(next++);
    return {{"eid", esim.eid.text()}, {"iccid", esim.iccid.text()}};
  }

  static lab::Lab* lab_;
};
lab::Lab* Interface::lab_ = nullptr;

TEST_F(Interface, NoClientCertificateNoConnection) {
  RawOptions options = As("mno-a");
  options.certificate_file.clear();
  options.key_file.clear();
  EXPECT_FALSE(RawMqtt(options).connected());
}

TEST_F(Interface, ACertificateOfAnUnknownCaIsRefused) {
  const auto stranger = lab::MakeCredential(lab_->layout().In("stranger"), "mno-a");
  ASSERT_TRUE(stranger) << stranger.error().message;
  RawOptions options = As("mno-a");
  options.certificate_file = stranger->certificate_file;
  options.key_file = stranger->key_file;
  EXPECT_FALSE(RawMqtt(options).connected());
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
    eavesdropper.Subscribe(topic);  // granted or not, nothing may come of it
  }
  EXPECT_TRUE(Ask("mno-a", "esim.register", NewEsim()).accepted);
  const auto heard = eavesdropper.Next(milliseconds(1500));
  EXPECT_FALSE(heard) << heard->topic;
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
  const json endpoint = {{"name", "main"},
                         {"fqdn", "mqtt.asp-a.test"},
                         {"url", "tls://mqtt.asp-a.test:8883"},
                         {"port", 8883},
                         {"protocol", "tls"},
                         {"trust", {{"kind", "tlsa"}, {"tlsaOwner", "_8883._tcp.mqtt.asp-a.test"}}}};
  ASSERT_TRUE(Ask("asp-a", "endpoint.publish", {{"endpoint", endpoint}}).accepted);
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

TEST_F(Interface, AResponseTopicInAForeignSpaceIsRefused) {
  RawMqtt client(As("mno-b"));
  RawMqtt victim(As("mno-a", "-victim"));
  ASSERT_TRUE(client.Subscribe("registry/v1/to/mno-b/#"));
  ASSERT_TRUE(victim.Subscribe("registry/v1/to/mno-a/#"));
  const std::string id = NewId();
  // In its own space, but the broker would cut off whoever publishes there.
  std::string deep = "registry/v1/to/mno-b";
  for (int level = 0; level < 250; ++level) deep += "/x";
  for (const char* topic : {"registry/v1/to/mno-a/injected", "registry/v1/from/mno-a/esim.register",
                            "registry/v1/to/mno-bb/x", "elsewhere", deep.c_str()}) {
    client.Publish("registry/v1/from/mno-b/feed.ack", Command("mno-b", "feed.ack", {{"seq", 0}}, id), topic,
                   "corr");
    const auto reply = client.Next(seconds(20));
    ASSERT_TRUE(reply) << topic;
    EXPECT_EQ(json::parse(reply->payload).at("data").at("symbol"), "response_topic_foreign") << topic;
    EXPECT_EQ(reply->correlation_data, "corr");
  }
  EXPECT_FALSE(victim.Next(milliseconds(1000)));
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

// One malformed message of each family, varied by a seed.
std::string Malformed(std::mt19937_64& random, const std::string& good) {
  std::string text = good;
  const auto at = [&] { return random() % text.size(); };
  switch (random() % 9) {
    case 0:
      text[at()] = static_cast<char>(0xff);
      return text;  // bad UTF-8
    case 1:
      return text.substr(0, at());  // cut short
    case 2:
      return std::string(200 + random() % 5000, '[');  // deep nesting
    case 3:
      return R"({"specversion":"1.0","id":1e400,"data":)" + std::string(400, '9') + "}";  // huge numbers
    case 4:
      return json{{"specversion", 1}, {"id", json::array()}, {"source", nullptr}}.dump();  // wrong types
    case 5:
      return R"({"specversion":"1.0"})";  // missing fields
    case 6:
      text.replace(text.find("\"1.0\""), 5, "\"9.7\"");
      return text;  // unknown version
    case 7:
      return std::string(random() % 64, '\0');  // no text at all
    default:
      text.insert(at(), R"({"a":)");
      return text;  // bad JSON
  }
}

TEST_F(Interface, TenThousandMalformedMessagesHarmNobody) {
  constexpr int kMessages = 10000;
  const std::uint64_t seed = std::random_device{}();
  RecordProperty("seed", std::to_string(seed));
  std::mt19937_64 random(seed);
  RawMqtt attacker(As("guest-mno"));
  RawMqtt listener(As("guest-mno", "-listener"));
  ASSERT_TRUE(attacker.connected() && listener.Subscribe("registry/v1/to/guest-mno/#"));

  std::atomic<bool> stop{false};
  std::atomic<int> served{0};
  std::thread bystander([&] {
    while (!stop || served == 0) {
      if (!Ask("asp-b", "feed.ack", {{"seq", 0}}).accepted) return;
      ++served;
    }
  });
  const std::string good = Command("guest-mno", "esim.register", {{"eid", "1"}, {"iccid", "2"}}, "x");
  const char* commands[] = {"esim.register", "csr.submit", "device.attach", "no.such.command"};
  for (int i = 0; i < kMessages; ++i) {
    ASSERT_TRUE(attacker.PublishLater("registry/v1/from/guest-mno/" + std::string(commands[random() % 4]),
                                      Malformed(random, good)));
  }
  EXPECT_TRUE(attacker.WaitPublished(seconds(120)));
  int answered = 0;
  while (answered < kMessages && listener.Next(seconds(20))) ++answered;
  stop = true;
  bystander.join();
  EXPECT_EQ(answered, kMessages) << "seed " << seed << ": every message has its answer";
  EXPECT_GT(served, 0) << "another party is served meanwhile";
  EXPECT_FALSE(lab_->TakeFailure()) << "no process ended";
}

}  // namespace
}  // namespace registry::test
