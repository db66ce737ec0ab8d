// The session against a real Mosquitto: what it says, what it hears, whom it refuses.
#include "bridge/mqtt/session.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>

#include "simulators/lab/probe.h"
#include "tests/integration/mqtt/broker.h"
#include "tests/integration/mqtt/connections.h"
#include "tests/integration/mqtt/inbox.h"

namespace registry::test {
namespace {

using namespace std::chrono_literals;

constexpr char kCommand[] = "registry/v1/from/mno-a/esim.register";
constexpr char kReply[] = "registry/v1/to/mno-a/esim.register/accepted";

bool WaitConnected(const mqtt::Session& session, std::chrono::milliseconds deadline = 60s) {
  return lab::WaitUntil([&] { return session.connected(); }, deadline);
}

class Confirmations {
 public:
  using Fate = mqtt::Session::Fate;
  mqtt::Session::Confirmed Next() {
    return [this](mqtt::Session::Receipt answer) {
      last_ = answer.fate;
      (answer.fate == Fate::kTaken ? confirmed_ : failed_)++;
    };
  }
  Fate last() const { return last_; }
  bool WaitFor(int count) {
    return lab::WaitUntil([&] { return confirmed_ + failed_ >= count; }, 30s);
  }
  int confirmed() const { return confirmed_; }
  int failed() const { return failed_; }

 private:
  std::atomic<int> confirmed_{0}, failed_{0};
  std::atomic<Fate> last_{Fate::kTaken};
};

// The registry's session, connected, and a party beside it.
class ConnectedSession : public testing::Test {
 protected:
  void SetUp() override {
    session.Start();
    ASSERT_TRUE(WaitConnected(session));
  }
  Broker broker;
  Inbox inbox;
  mqtt::Session session{broker.ForRegistry(), inbox.Handler()};
  RawMqtt mno{broker.ForParty("mno-a")};
};

TEST_F(ConnectedSession, HearsCommandsWithTheirPropertiesAndAnswersWithTheCorrelation) {
  ASSERT_TRUE(mno.Subscribe("registry/v1/to/mno-a/#"));

  const std::string correlation("\0\xff\x01", 3), payload("not\0text", 8);
  EXPECT_EQ(mno.Publish(kCommand, payload, "registry/v1/to/mno-a/mine", correlation), 0);
  ASSERT_TRUE(inbox.WaitFor(1));
  const auto heard = inbox.messages()[0];
  EXPECT_EQ(heard.topic, kCommand);
  EXPECT_EQ(heard.payload, payload);
  EXPECT_EQ(heard.response_topic, "registry/v1/to/mno-a/mine");
  EXPECT_EQ(heard.correlation_data, correlation);

  Confirmations confirmations;
  ASSERT_TRUE(session.Publish({kReply, "{}", correlation}, confirmations.Next()).ok());
  const auto said = mno.Next(10s);
  ASSERT_TRUE(said.has_value());
  EXPECT_EQ(said->topic, kReply);
  EXPECT_EQ(said->correlation_data, correlation);
  ASSERT_TRUE(confirmations.WaitFor(1));
  EXPECT_EQ(confirmations.confirmed(), 1);
  EXPECT_EQ(session.traffic().heard, 1u);
  EXPECT_EQ(session.traffic().said, 1u);
}

// CloudEvents MQTT binding §3, as a real broker passes the properties on.
TEST_F(ConnectedSession, HearsInWhichContentModeACommandCame) {
  using wire::ContentMode;
  const std::map<std::string, std::string> attributes{
      {"specversion", "1.0"}, {"id", "x-1"}, {"source", "mno-a"}, {"type", "registry.v1.esim.register"}};
  struct {
    const char* content_type;
    std::map<std::string, std::string> properties;
    ContentMode mode;
    const char* id;
  } const cases[] = {{"", {}, ContentMode::kStructured, ""},
                     {"application/cloudevents+json", {{"id", "mine"}}, ContentMode::kStructured, ""},
                     {"", {{"id", "mine"}}, ContentMode::kStructured, ""},
                     {"application/json", attributes, ContentMode::kBinary, "x-1"},
                     {"", {{"specversion", "1.0"}, {"id", "not an id"}}, ContentMode::kBinary, ""},
                     {"application/cloudevents+avro", {}, ContentMode::kOtherFormat, ""},
                     {"application/cloudevents-batch+json", {}, ContentMode::kBatch, ""}};
  int number = 0;
  for (const auto& each : cases) {
    ASSERT_EQ(mno.PublishWith(kCommand, "{}", each.content_type, each.properties), 0);
    ASSERT_TRUE(inbox.WaitFor(++number));
    const auto heard = inbox.messages().back();
    EXPECT_EQ(heard.mode, each.mode) << each.content_type;
    EXPECT_EQ(heard.id_property, each.id) << each.content_type;
  }
}

// TCP_NODELAY of every socket of this process that is connected to `port`.
std::vector<bool> SendsAtOnce(int port) {
  std::vector<bool> sockets;
  for (const int fd : ConnectionsTo(port)) {
    int on = 0;
    socklen_t size = sizeof(on);
    EXPECT_EQ(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size), 0);
    sockets.push_back(on != 0);
  }
  return sockets;
}

// With Nagle's algorithm left on, a reply right behind a PUBACK waits for the broker's delayed acknowledgement (40 ms).
TEST(Session, RepliesDoNotWaitForDelayedAcknowledgements) {
  Broker broker;
  mqtt::Session session(broker.ForRegistry(), [](ingest::InboundMessage) {});
  session.Start();
  ASSERT_TRUE(WaitConnected(session));
  EXPECT_EQ(SendsAtOnce(broker.port()), std::vector<bool>{true});
  broker.Kill();
  ASSERT_TRUE(lab::WaitUntil([&] { return !session.connected(); }, 15s));
  broker.Start();
  ASSERT_TRUE(WaitConnected(session));
  EXPECT_EQ(SendsAtOnce(broker.port()), std::vector<bool>{true}) << "after a reconnection too";
}

// The whole window at once, faster than Paho's sending thread takes it up: left alone, Paho refuses the hundred and first.
TEST(Session, TakesAsManyAtOnceAsItsWindowHolds) {
  Broker broker;
  mqtt::SessionOptions options = broker.ForRegistry();
  options.in_flight_max = 1000;
  mqtt::Session session(options, [](ingest::InboundMessage) {});
  session.Start();
  ASSERT_TRUE(WaitConnected(session));
  Confirmations confirmations;
  const std::string payload(10'000, 'x');
  for (int i = 0; i < options.in_flight_max; ++i) {
    const auto taken = session.Publish({"registry/v1/to/asp-b/event/x", payload, ""}, confirmations.Next());
    ASSERT_TRUE(taken.ok()) << i << ": " << taken.error().message;
  }
  ASSERT_TRUE(confirmations.WaitFor(options.in_flight_max));
  EXPECT_EQ(confirmations.failed(), 0);
}

TEST(Session, NobodyListeningIsNoFailure) {
  Broker broker;
  mqtt::Session session(broker.ForRegistry(), [](ingest::InboundMessage) {});
  session.Start();
  ASSERT_TRUE(WaitConnected(session));
  Confirmations confirmations;
  ASSERT_TRUE(session.Publish({"registry/v1/to/asp-b/event/x", "{}", ""}, confirmations.Next()).ok());
  ASSERT_TRUE(confirmations.WaitFor(1));
  EXPECT_EQ(confirmations.confirmed(), 1);  // PUBACK 0x10
}

TEST(Session, APublishTheBrokerRefusesIsAnsweredAsRefused) {
  Broker broker;
  std::atomic<int> complaints{0};
  auto options = broker.ForRegistry();
  options.log = [&](int level, const std::string& line) {
    complaints += level == 2 && line.ends_with("reason 135");
  };
  mqtt::Session session(options, [](ingest::InboundMessage) {});
  session.Start();
  ASSERT_TRUE(WaitConnected(session));
  Confirmations confirmations;
  ASSERT_TRUE(session.Publish({"registry/v1/from/mno-a/x", "{}", ""}, confirmations.Next()).ok());
  ASSERT_TRUE(confirmations.WaitFor(1));
  EXPECT_EQ(confirmations.failed(), 1);
  EXPECT_EQ(confirmations.last(), Confirmations::Fate::kRefused);
  EXPECT_EQ(complaints, 1);
  EXPECT_TRUE(session.connected());
}

// MQTT 5 §3.2.2.3.6: the broker says it in its CONNACK, so the packet is not even sent.
TEST(Session, WhatIsLargerThanTheBrokersPacketsIsNotSent) {
  Broker broker;
  broker.Reconfigure("max_packet_size 4096");
  mqtt::Session session(broker.ForRegistry(), [](ingest::InboundMessage) {});
  session.Start();
  ASSERT_TRUE(WaitConnected(session));
  RawMqtt mno(broker.ForParty("mno-a"));
  ASSERT_TRUE(mno.Subscribe("registry/v1/to/mno-a/#"));
  // Fixed header 3, topic 2 + 44, packet identifier 2, properties 1 + 3 + 28 and 3 + 5 for the correlation.
  const std::string topic(kReply);
  const std::size_t around = 3 + 2 + topic.size() + 2 + 1 + 31 + 8;
  Confirmations fits, exceeds;
  ASSERT_TRUE(session.Publish({topic, std::string(4096 - around, 'x'), "12345"}, fits.Next()).ok());
  ASSERT_TRUE(fits.WaitFor(1));
  EXPECT_EQ(fits.last(), Confirmations::Fate::kTaken);
  ASSERT_TRUE(session.Publish({topic, std::string(4097 - around, 'x'), "12345"}, exceeds.Next()).ok());
  ASSERT_TRUE(exceeds.WaitFor(1));
  EXPECT_EQ(exceeds.last(), Confirmations::Fate::kImpossible);
  EXPECT_TRUE(session.connected());
  EXPECT_EQ(mno.Next(10s)->payload.size(), 4096 - around);
}

TEST(Session, WithoutAConnectionNothingIsTaken) {
  Broker broker;
  broker.Kill();
  mqtt::Session session(broker.ForRegistry(), [](ingest::InboundMessage) {});
  session.Start();
  bool answered = false;
  const auto status = session.Publish({kReply, "{}", ""}, [&](mqtt::Session::Receipt) { answered = true; });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().symbol, "not_connected");
  session.Stop(1s);
  EXPECT_FALSE(answered);
}

TEST_F(ConnectedSession, AHandlerThatWaitsForRoomDoesNotLockUpPublishing) {
  inbox.Hold(true);
  ASSERT_EQ(mno.Publish(kCommand, "1"), 0);
  ASSERT_TRUE(inbox.WaitFor(1));  // the handler now stands still on Paho's thread
  Confirmations confirmations;
  std::thread publisher([&] { (void)session.Publish({kReply, "{}", ""}, confirmations.Next()); });
  inbox.Hold(false);
  publisher.join();
  ASSERT_TRUE(confirmations.WaitFor(1));
  EXPECT_EQ(confirmations.confirmed(), 1);
}

TEST(Session, OutlivesTheBrokersDeathAndAnswersEveryPublishOnce) {
  Broker broker;
  Inbox inbox;
  mqtt::Session session(broker.ForRegistry(), inbox.Handler());
  session.Start();
  Confirmations confirmations;
  int taken = 0;
  for (std::uint64_t round = 0; round < 3; ++round) {
    ASSERT_TRUE(WaitConnected(session));
    EXPECT_EQ(session.reconnects(), round);
    for (int i = 0; i < 500; ++i)
      taken += session.Publish({kReply, "{}", ""}, confirmations.Next()).ok() ? 1 : 0;
    broker.Kill();
    ASSERT_TRUE(lab::WaitUntil([&] { return !session.connected(); }, 15s));
    broker.Start();
  }
  ASSERT_TRUE(WaitConnected(session));
  RawMqtt mno(broker.ForParty("mno-a"));
  ASSERT_EQ(mno.Publish(kCommand, "after"), 0);  // subscribed again, though the broker forgot the session
  EXPECT_TRUE(inbox.WaitFor(1));
  session.Stop(2s);
  EXPECT_EQ(confirmations.confirmed() + confirmations.failed(), taken);
}

// MQTT 5 §3.14.2.1. No topic name has wildcards (§3.3.2.1), and Mosquitto ends the connection of whoever says so.
TEST(Session, LogsWhyTheBrokerEndedTheConnection) {
  Broker broker;
  std::atomic<int> said{0};
  auto options = broker.ForRegistry();
  options.log = [&](int level, const std::string& line) {
    said += level == 2 && line == "mqtt: disconnected: the broker says Protocol error (0x82)";
  };
  mqtt::Session session(options, [](ingest::InboundMessage) {});
  session.Start();
  ASSERT_TRUE(WaitConnected(session));
  ASSERT_TRUE(session.Publish({"registry/v1/to/#", "{}", ""}, [](mqtt::Session::Receipt) {}).ok());
  EXPECT_TRUE(lab::WaitUntil([&] { return said > 0; }, 15s));
  EXPECT_TRUE(WaitConnected(session)) << "it comes back";
}

// Mosquitto 2.0.11 closes the connection of a session that is taken over without a DISCONNECT (later ones send 0x8e).
TEST(Session, LogsThatTheBrokerDidNotSayWhy) {
  Broker broker;
  std::atomic<int> ended{0};
  auto options = broker.ForRegistry();
  options.log = [&](int level, const std::string& line) {
    ended += level == 2 && (line == "mqtt: disconnected: connection lost, the broker did not say why" ||
                            line == "mqtt: disconnected: the broker says Session taken over (0x8e)");
  };
  mqtt::Session session(options, [](ingest::InboundMessage) {});
  session.Start();
  ASSERT_TRUE(WaitConnected(session));
  RawOptions other = broker.ForParty("registryd");
  other.client_id = options.client_id;
  {
    RawMqtt second(other);
    EXPECT_TRUE(lab::WaitUntil([&] { return ended > 0; }, 15s));
  }
  EXPECT_TRUE(WaitConnected(session)) << "it comes back";
}

TEST(Session, MessagesOfItsAbsenceWaitAtTheBroker) {
  Broker broker;
  Inbox inbox;
  {
    mqtt::Session session(broker.ForRegistry(), inbox.Handler());
    session.Start();
    ASSERT_TRUE(WaitConnected(session));
    session.Stop(2s);
  }
  RawMqtt mno(broker.ForParty("mno-a"));
  for (int i = 0; i < 200; ++i)
    ASSERT_EQ(mno.Publish(kCommand, std::to_string(i)), 0);  // not 0x10: somebody is meant
  mqtt::Session session(broker.ForRegistry(), inbox.Handler());
  session.Start();
  ASSERT_TRUE(inbox.WaitFor(200));
  const auto heard = inbox.messages();
  for (std::size_t i = 0; i < 200; ++i) EXPECT_EQ(heard[i].payload, std::to_string(i));
}

TEST(Session, TenThousandMessagesInBothDirections) {
  constexpr int kCount = 10000;
  Broker broker;
  Inbox inbox;
  auto options = broker.ForRegistry();
  mqtt::Session session(options, inbox.Handler());
  session.Start();
  ASSERT_TRUE(WaitConnected(session));
  RawMqtt mno(broker.ForParty("mno-a"));
  ASSERT_TRUE(mno.Subscribe("registry/v1/to/mno-a/#"));
  Confirmations confirmations;
  std::thread saying([&] {
    for (int i = 0; i < kCount;) {
      const bool taken = session.Publish({kReply, std::to_string(i), ""}, confirmations.Next()).ok();
      if (taken) ++i;
      if (!taken) std::this_thread::yield();  // in_flight_full
    }
  });
  for (int i = 0; i < kCount; ++i) ASSERT_TRUE(mno.PublishLater(kCommand, std::to_string(i)));
  saying.join();
  ASSERT_TRUE(inbox.WaitFor(kCount, 60s));
  const auto heard = inbox.messages();
  ASSERT_EQ(heard.size(), static_cast<std::size_t>(kCount));
  for (int i = 0; i < kCount; ++i) {
    ASSERT_EQ(heard[static_cast<std::size_t>(i)].payload, std::to_string(i));
    const auto said = mno.Next(30s);
    ASSERT_TRUE(said.has_value());
    ASSERT_EQ(said->payload, std::to_string(i));
  }
  EXPECT_TRUE(confirmations.WaitFor(kCount));
  EXPECT_EQ(confirmations.confirmed(), kCount);
}

// Runs in a process of its own, started by the test below: ends inside the handler of the second message.
TEST(SessionChild, EndsInsideTheHandlerOfTheSecondMessage) {
  const char* port = std::getenv("REGISTRY_TEST_BROKER_PORT");
  const char* folder = std::getenv("REGISTRY_TEST_BROKER_FOLDER");
  if (port == nullptr || folder == nullptr) GTEST_SKIP() << "part of PubackLeavesAfterTheHandlerHasReturned";
  mqtt::SessionOptions options;
  options.port = std::atoi(port);
  const std::string base(folder);
  options.ca_file = base + "/ca.pem";
  options.certificate_file = base + "/registryd.pem";
  options.key_file = base + "/registryd.key";
  std::atomic<int> heard{0};
  mqtt::Session session(options, [&](ingest::InboundMessage) {
    if (++heard == 2) _exit(42);
  });
  session.Start();
  lab::WaitUntil([] { return false; }, 60s);
  FAIL() << "nothing came";
}

TEST(Session, PubackLeavesAfterTheHandlerHasReturned) {
  Broker broker;
  Inbox inbox;
  (void)broker.ForRegistry();  // makes the certificate the child uses
  setenv("REGISTRY_TEST_BROKER_PORT", std::to_string(broker.port()).c_str(), 1);
  setenv("REGISTRY_TEST_BROKER_FOLDER", broker.folder().In("").c_str(), 1);
  lab::ProcessSpec spec;
  spec.name = "child";
  spec.command = {"/proc/self/exe", "--gtest_filter=SessionChild.*"};
  spec.log_file = broker.folder().In("child.log");
  auto child = lab::Process::Start(std::move(spec));
  ASSERT_TRUE(child.ok()) << child.error().message;
  // Somebody is subscribed once a publish is no longer answered with 0x10.
  RawMqtt mno(broker.ForParty("mno-a"));
  ASSERT_TRUE(lab::WaitUntil([&] { return mno.Publish(kCommand, "first") == 0; }, 20s));
  ASSERT_EQ(mno.Publish(kCommand, "second"), 0);
  ASSERT_TRUE((*child)->WaitExit(20s)) << (*child)->Obituary();
  unsetenv("REGISTRY_TEST_BROKER_PORT");

  mqtt::Session session(broker.ForRegistry(), inbox.Handler());
  session.Start();
  ASSERT_TRUE(WaitConnected(session));
  ASSERT_EQ(mno.Publish(kCommand, "third"), 0);
  ASSERT_TRUE(inbox.WaitFor(2));
  const auto heard = inbox.messages();
  EXPECT_EQ(heard[0].payload, "second");  // not acknowledged: again. The first was: gone.
  EXPECT_EQ(heard[1].payload, "third");
}

// A server that is no broker: the handshake alone decides, and -trace shows how far it came.
class TlsServer {
 public:
  TlsServer(Broker& broker, const std::string& flag) : broker_(broker) {
    port_ = *ports_.Take();
    lab::ProcessSpec spec;
    spec.name = "s_server";
    spec.command = {"openssl", "s_server",
                    "-www",    "-trace",
                    "-accept", "127.0.0.1:" + std::to_string(port_),
                    "-cert",   broker.folder().In("broker.pem"),
                    "-key",    broker.folder().In("broker.key"),
                    flag};
    spec.log_file = broker.folder().In("s_server.log");
    auto process = lab::Process::Start(std::move(spec));
    REG_CHECK(process.ok());
    process_ = std::move(*process);
    REG_CHECK(lab::WaitUntil([&] { return Said("ACCEPT"); }, 10s));
  }
  bool Said(const std::string& text) const {
    return broker_.folder().Read("s_server.log").find(text) != std::string::npos;
  }
  int port() const { return port_; }

 private:
  Broker& broker_;
  lab::Ports ports_;
  int port_ = 0;
  std::unique_ptr<lab::Process> process_;
};

// True when the server said `wanted` while a session tried to connect to it.
bool TriedServerSays(Broker& broker, const TlsServer& server, const std::string& wanted) {
  auto options = broker.ForRegistry();
  options.port = server.port();
  mqtt::Session session(options, [](ingest::InboundMessage) {});
  session.Start();
  return lab::WaitUntil([&] { return server.Said(wanted); }, 15s);
}

TEST(Session, RefusesToSpeakTls12) {
  Broker broker;
  TlsServer server(broker, "-tls1_2");
  EXPECT_TRUE(TriedServerSays(broker, server, "unsupported protocol"));
  EXPECT_FALSE(server.Said("Finished"));
}

TEST(Session, SpeaksTls13) {
  Broker broker;
  TlsServer server(broker, "-tls1_3");
  EXPECT_TRUE(TriedServerSays(broker, server, "Finished"));
}

TEST(Session, ABrokerItCannotVerifyIsNotTalkedTo) {
  Broker broker, stranger;
  std::atomic<int> failures{0};
  auto options = broker.ForRegistry();
  options.ca_file = stranger.folder().In("ca.pem");
  options.log = [&](int, const std::string& line) {
    failures += line.find("connect_failed") != std::string::npos;
  };
  mqtt::Session session(options, [](ingest::InboundMessage) {});
  session.Start();
  EXPECT_TRUE(lab::WaitUntil([&] { return failures >= 1; }, 15s));
  EXPECT_FALSE(session.connected());
}

TEST(Session, ABrokerWhoseCertificateNamesAnotherHostIsNotTalkedTo) {
  Broker broker;
  std::atomic<int> failures{0};
  auto options = broker.ForRegistry();
  options.log = [&](int, const std::string& line) {
    failures += line.find("connect_failed") != std::string::npos;
  };
  broker.Kill();
  broker.NameItself("elsewhere.test");
  broker.Start();
  mqtt::Session session(options, [](ingest::InboundMessage) {});
  session.Start();
  EXPECT_TRUE(lab::WaitUntil([&] { return failures >= 1; }, 15s));
  EXPECT_FALSE(session.connected());
}

}  // namespace
}  // namespace registry::test
