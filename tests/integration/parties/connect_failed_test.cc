// A party's connection that does not come about is explained, on a real Mosquitto: address, step and reason.
#include <gtest/gtest.h>

#include <future>
#include <mutex>

#include "simulators/lab/probe.h"
#include "simulators/mqtt/client.h"
#include "tests/integration/mqtt/broker.h"
#include "tests/support/loopback.h"

namespace registry::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ConnectFailedTest : public testing::Test {
 protected:
  ConnectFailedTest() {
    options_.port = broker_.port();
    options_.ca_file = broker_.folder().In("ca.pem");
    options_.certificate_file = broker_.CertificateOf("mno-a");
    options_.key_file = broker_.KeyOf("mno-a");
    options_.party = "mno-a";
  }
  // What the client says first; "" when nothing.
  std::string FirstTrouble() {
    std::promise<std::string> said;
    std::once_flag first;
    auto hears = said.get_future();
    options_.on_trouble = [&](const std::string& trouble) {
      std::call_once(first, [&] { said.set_value(trouble); });
    };
    const auto client = sim::PartyClient::Open(options_, {}, {});
    if (!client) return client.error().message;
    (*client)->WaitConnected(milliseconds(0));
    return hears.wait_for(seconds(30)) == std::future_status::ready ? hears.get() : "";
  }
  std::string Where() const { return "127.0.0.1:" + std::to_string(options_.port) + ": "; }

  Broker broker_;
  sim::ClientOptions options_;
};

TEST_F(ConnectFailedTest, NothingListens) {
  broker_.Kill();
  EXPECT_EQ(FirstTrouble(), Where() + "TCP: Connection refused");
}

TEST_F(ConnectFailedTest, ANameWithoutAnAddress) {
  options_.host = "no-such-host.invalid";  // RFC 6761 §6.4
  EXPECT_EQ(FirstTrouble(), "no-such-host.invalid:" + std::to_string(options_.port) +
                                ": name look-up: the name has no address");
}

TEST_F(ConnectFailedTest, AnotherCa) {
  Broker stranger;
  options_.ca_file = stranger.folder().In("ca.pem");
  const std::string said = FirstTrouble();
  EXPECT_TRUE(said.starts_with(Where() + "TLS: certificate verify failed: ")) << said;
}

TEST_F(ConnectFailedTest, AnotherHostsCertificate) {
  broker_.Kill();
  broker_.NameItself("elsewhere.test");
  broker_.Start();
  EXPECT_EQ(FirstTrouble(), Where() + "TLS: certificate verify failed: IP address mismatch");
  options_.host = "localhost";
  EXPECT_EQ(FirstTrouble(), "localhost:" + std::to_string(options_.port) +
                                " (127.0.0.1): TLS: certificate verify failed: hostname mismatch");
}

TEST_F(ConnectFailedTest, ACertificateThatHasEnded) {
  broker_.Kill();
  broker_.NameItself("127.0.0.1", 2);
  broker_.Start();
  EXPECT_EQ(FirstTrouble(), Where() + "TLS: certificate verify failed: certificate has expired");
}

TEST_F(ConnectFailedTest, OurCertificateIsRefused) {
  Broker stranger;
  options_.certificate_file = stranger.CertificateOf("mno-a");
  options_.key_file = stranger.KeyOf("mno-a");
  const std::string said = FirstTrouble();
  EXPECT_TRUE(said.starts_with(Where() + "TLS: ended by the broker right after the handshake: alert "))
      << said;
}

TEST_F(ConnectFailedTest, TheBrokerRefusesInMqtt) {
  broker_.Reconfigure("clientid_prefixes somebody-");
  const std::string said = FirstTrouble();
  EXPECT_TRUE(said.starts_with(Where() + "MQTT: the broker refused it: ")) << said;
}

TEST_F(ConnectFailedTest, TheSubscriptionIsNotGranted) {
  broker_.Reconfigure("max_qos 0");
  options_.connect_within = milliseconds(500);
  EXPECT_EQ(FirstTrouble(), Where() +
                                "MQTT: the broker does not grant the subscription at QoS 1; its access "
                                "list goes by the certificate's name");
}

TEST_F(ConnectFailedTest, APortThatTakesConnectionsAndSaysNothing) {
  const ListeningPort silent;
  options_.port = silent.port();
  options_.connect_within = milliseconds(500);
  EXPECT_EQ(FirstTrouble(), Where() + "TLS: no answer in time");
}

TEST_F(ConnectFailedTest, AFileOfOursThatIsNone) {
  options_.key_file = broker_.folder().In("no-such-file");
  const std::string said = FirstTrouble();
  EXPECT_EQ(said.rfind("no key of " + options_.certificate_file + " in " + options_.key_file, 0), 0u) << said;
}

// The same line once a minute; another one at once.
TEST_F(ConnectFailedTest, ALineIsNotRepeatedWithEveryAttempt) {
  std::mutex mutex;
  std::vector<std::string> said;
  options_.on_trouble = [&](const std::string& trouble) {
    const std::lock_guard lock(mutex);
    said.push_back(trouble);
  };
  const auto heard = [&] {
    const std::lock_guard lock(mutex);
    return said.size();
  };
  broker_.Kill();
  const auto client = sim::PartyClient::Open(options_, {}, {});
  ASSERT_TRUE(client.ok());
  (*client)->WaitConnected(milliseconds(0));
  ASSERT_TRUE(lab::WaitUntil([&] { return heard() == 1; }, seconds(20)));
  broker_.NameItself("elsewhere.test");
  broker_.Start();
  ASSERT_TRUE(lab::WaitUntil([&] { return heard() == 2; }, seconds(20)));
  EXPECT_EQ(said[0], Where() + "TCP: Connection refused");
  EXPECT_EQ(said[1], Where() + "TLS: certificate verify failed: IP address mismatch");
  broker_.Kill();
  broker_.NameItself("127.0.0.1");
  broker_.Start();
  EXPECT_TRUE((*client)->WaitConnected(seconds(20)));
}

}  // namespace
}  // namespace registry::test
