// A connection that does not come about is explained: address, step and reason, once a minute, whatever Paho says.
#include "bridge/mqtt/dial.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <mutex>

#include "simulators/lab/probe.h"
#include "tests/integration/mqtt/broker.h"
#include "tests/support/loopback.h"

namespace registry::test {
namespace {

using namespace std::chrono_literals;

std::string PortOf(const mqtt::SessionOptions& options) { return std::to_string(options.port); }

// What a session says first of a connection that fails; "" when nothing.
std::string FirstComplaint(mqtt::SessionOptions options) {
  std::promise<std::string> said;
  std::once_flag first;
  auto hears = said.get_future();
  options.log = [&](int level, const std::string& line) {
    if (level >= 2) std::call_once(first, [&] { said.set_value(line); });
  };
  mqtt::Session session(options, [](ingest::InboundMessage) {});
  session.Start();
  const bool heard = hears.wait_for(30s) == std::future_status::ready;
  session.Stop(2s);
  return heard ? hears.get() : "";
}

TEST(Dial, ANameThatDoesNotResolve) {
  Broker broker;
  auto options = broker.ForRegistry();
  options.host = "no-such-host.invalid";  // RFC 6761 §6.4
  const std::string said = FirstComplaint(options);
  EXPECT_TRUE(
      said.starts_with("mqtt: connect_failed: no-such-host.invalid:" + PortOf(options) + ": name look-up: "))
      << said;
}

TEST(Dial, AClosedPort) {
  Broker broker;
  auto options = broker.ForRegistry();
  broker.Kill();
  EXPECT_EQ(FirstComplaint(options),
            "mqtt: connect_failed: 127.0.0.1:" + PortOf(options) + ": TCP: Connection refused");
}

TEST(Dial, TheAddressOfANameIsSaid) {
  Broker broker;
  auto options = broker.ForRegistry();
  options.host = "localhost";
  broker.Kill();
  const std::string said = FirstComplaint(options);
  const std::string where = "mqtt: connect_failed: localhost:" + PortOf(options);
  EXPECT_TRUE(said == where + " (127.0.0.1): TCP: Connection refused" ||
              said == where + " (::1): TCP: Connection refused")
      << said;
}

TEST(Dial, AnotherHostsCertificate) {
  Broker broker;
  auto options = broker.ForRegistry();
  broker.Kill();
  broker.NameItself("elsewhere.test");
  broker.Start();
  const std::string at = "mqtt: connect_failed: 127.0.0.1:" + PortOf(options);
  EXPECT_EQ(FirstComplaint(options), at + ": TLS: certificate verify failed: IP address mismatch");
  options.host = "localhost";
  EXPECT_EQ(FirstComplaint(options), "mqtt: connect_failed: localhost:" + PortOf(options) +
                                         " (127.0.0.1): TLS: certificate verify failed: hostname mismatch");
}

TEST(Dial, ACertificateThatHasEnded) {
  Broker broker;
  auto options = broker.ForRegistry();
  broker.Kill();
  broker.NameItself("127.0.0.1", 2);
  broker.Start();
  EXPECT_EQ(FirstComplaint(options), "mqtt: connect_failed: 127.0.0.1:" + PortOf(options) +
                                         ": TLS: certificate verify failed: certificate has expired");
}

TEST(Dial, ABrokerThatRefusesUsInMqtt) {
  Broker broker;
  auto options = broker.ForRegistry();
  broker.Reconfigure("clientid_prefixes somebody-");
  const std::string said = FirstComplaint(options);
  EXPECT_TRUE(said.starts_with("mqtt: connect_failed: 127.0.0.1:" + PortOf(options) +
                               ": MQTT: the broker refused it: "))
      << said;
}

TEST(Dial, APortThatTakesConnectionsAndSaysNothing) {
  Broker broker;
  const ListeningPort silent;
  auto options = broker.ForRegistry();
  options.port = silent.port();
  EXPECT_EQ(mqtt::Dial(options, [] { return false; }).fault, "TLS: no answer in time");
}

TEST(Dial, AnotherCa) {
  Broker broker, stranger;
  auto options = broker.ForRegistry();
  options.ca_file = stranger.folder().In("ca.pem");
  const std::string said = FirstComplaint(options);
  EXPECT_TRUE(said.starts_with("mqtt: connect_failed: 127.0.0.1:" + PortOf(options) +
                               ": TLS: certificate verify failed: "))
      << said;
}

TEST(Dial, OurCertificateRefusedByTheBroker) {
  Broker broker, stranger;
  auto options = broker.ForRegistry();
  options.certificate_file = stranger.CertificateOf("registryd");
  options.key_file = stranger.KeyOf("registryd");
  const std::string said = FirstComplaint(options);
  EXPECT_TRUE(said.starts_with("mqtt: connect_failed: 127.0.0.1:" + PortOf(options) +
                               ": TLS: ended by the broker right after the handshake: "))
      << said;
  EXPECT_NE(said.find("alert"), std::string::npos) << said;
}

TEST(Dial, AFileOfOursThatIsGone) {
  Broker broker;
  auto options = broker.ForRegistry();
  options.key_file = broker.folder().In("no-such-file.key");
  const auto dialled = mqtt::Dial(options, [] { return false; });
  EXPECT_TRUE(dialled.fault.starts_with("TLS: key_file: ")) << dialled.fault;
}

// A listener that is no broker: speaks TLS as `command` does, or not at all.
class Other {
 public:
  Other(Broker& broker, std::vector<std::string> command, const std::string& ready) {
    port = *ports_.Take();
    for (std::string& word : command) {
      if (word == "PORT") word = "127.0.0.1:" + std::to_string(port);
    }
    lab::ProcessSpec spec;
    spec.name = "other";
    spec.command = std::move(command);
    spec.log_file = broker.folder().In("other.log");
    auto process = lab::Process::Start(std::move(spec));
    REG_CHECK(process.ok());
    process_ = std::move(*process);
    REG_CHECK(lab::WaitUntil(
        [&] { return broker.folder().Read("other.log").find(ready) != std::string::npos; }, 10s));
  }
  int port = 0;

 private:
  lab::Ports ports_;
  std::unique_ptr<lab::Process> process_;
};

// Answers whoever connects in plain text, as a web server or a mail server would.
class PlainServer {
 public:
  PlainServer() {
    thread_ = std::thread([this] { Serve(); });
  }
  ~PlainServer() {
    shutdown(at_.fd(), SHUT_RDWR);
    thread_.join();
  }
  int port() const { return at_.port(); }

 private:
  void Serve() const {
    for (int peer = 0; (peer = accept4(at_.fd(), nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
      char hello[4096];
      if (recv(peer, hello, sizeof hello, 0) > 0) (void)send(peer, "220 hello\r\n", 11, MSG_NOSIGNAL);
      close(peer);
    }
  }
  const ListeningPort at_;
  std::thread thread_;
};

TEST(Dial, APortThatSpeaksNoTls) {
  Broker broker;
  const PlainServer plain;
  auto options = broker.ForRegistry();
  options.port = plain.port();
  EXPECT_EQ(FirstComplaint(options),
            "mqtt: connect_failed: 127.0.0.1:" + PortOf(options) + ": TLS: wrong version number");
}

TEST(Dial, APortThatSpeaksTlsButNoMqtt) {
  Broker broker;
  const Other web(broker,
                  {"openssl", "s_server", "-www", "-tls1_3", "-accept", "PORT", "-cert",
                   broker.folder().In("broker.pem"), "-key", broker.folder().In("broker.key")},
                  "ACCEPT");
  auto options = broker.ForRegistry();
  options.port = web.port;
  const std::string said = FirstComplaint(options);
  EXPECT_TRUE(said.starts_with("mqtt: connect_failed: 127.0.0.1:" + PortOf(options) + ": MQTT: ")) << said;
}

TEST(Dial, AStopIsNotHeldUp) {
  Broker broker;
  auto options = broker.ForRegistry();
  const auto dialled = mqtt::Dial(options, [] { return true; });
  EXPECT_TRUE(dialled.fault.empty() || dialled.fault.find("no answer in time") != std::string::npos)
      << dialled.fault;
}

TEST(Dial, AllIsWellUpToTls) {
  Broker broker;
  const auto options = broker.ForRegistry();
  const auto dialled = mqtt::Dial(options, [] { return false; });
  EXPECT_EQ(dialled.where, "127.0.0.1:" + PortOf(options));
  EXPECT_EQ(dialled.fault, "");
}

}  // namespace
}  // namespace registry::test
