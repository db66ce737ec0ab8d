// A broker that ends the connection over a packet it finds too large (MQTT 5 §4.13, DISCONNECT 0x95) without
// having said a maximum before: Mosquitto always says it, so this one is scripted, octet by octet. It may give
// another reason, one that Debian's Mosquitto does not give.
#include <gtest/gtest.h>

#include <atomic>

#include "bridge/outbox/relay.h"
#include "simulators/lab/probe.h"
#include "tests/integration/mqtt/broker.h"
#include "tests/integration/mqtt/scripted_broker.h"

namespace registry::test {
namespace {

using namespace std::chrono_literals;

TEST(CutOff, AnEntryThatAloneEndsEveryConnectionIsBuriedAndItsNeighboursArrive) {
  Broker real;  // for its certificates
  ScriptedBroker broker(real.folder(), {.packet_max = 8192});
  auto ledger = ledger::OpenMemoryLedger();
  auto session_options = real.ForRegistry();
  session_options.port = broker.port();
  mqtt::Session session(session_options, [](ingest::InboundMessage) {});
  outbox::RelayOptions options;
  options.retry_after = 1ms;
  outbox::MqttRelay relay(*ledger, session, options);
  session.Start();
  EXPECT_TRUE(lab::WaitUntil([&] { return session.connected(); }, 15s));
  domain::Changeset changes;
  for (const std::size_t size : {100, 10000, 200, 300}) {
    changes.messages.push_back({"registry/v1/to/mno-a/do/payload.push", std::string(size, 'x'), ""});
  }
  EXPECT_TRUE(ledger->Commit(std::move(changes)).ok());
  relay.Start();
  EXPECT_TRUE(lab::WaitUntil([&] { return relay.Depth() == 0; }, 30s));
  relay.Stop();
  session.Stop(2s);
  const auto letters = *ledger->DeadLettersAfter(0, 10);
  ASSERT_EQ(letters.size(), 1u);
  EXPECT_NE(letters[0].second.reason.find("entry 2 of 10000 octets"), std::string::npos)
      << letters[0].second.reason;
}

// A second registryd with the same client id (§3.1.4) throws the first one out, again and again: its operator must see it.
TEST(CutOff, ATakenOverSessionIsNamedInTheLogWithTheBrokersWords) {
  Broker real;  // for its certificates
  // Reason 0x8e and the Reason String "by two" (§3.14.2.2.3).
  ScriptedBroker broker(
      real.folder(),
      {.packet_max = 0, .disconnect = std::string("\xe0\x0b\x8e\x09\x1f\0\x06", 7) + "by two"});
  std::atomic<int> said{0};
  auto options = real.ForRegistry();
  options.port = broker.port();
  options.log = [&](int level, const std::string& line) {
    said += level == 2 && line == "mqtt: disconnected: the broker says Session taken over (0x8e): by two";
  };
  mqtt::Session session(options, [](ingest::InboundMessage) {});
  session.Start();
  ASSERT_TRUE(lab::WaitUntil([&] { return session.connected(); }, 15s));
  ASSERT_TRUE(session.Publish({"registry/v1/to/mno-a/x", "{}", ""}, [](mqtt::Session::Receipt) {}).ok());
  EXPECT_TRUE(lab::WaitUntil([&] { return said > 0; }, 15s));
}

}  // namespace
}  // namespace registry::test
