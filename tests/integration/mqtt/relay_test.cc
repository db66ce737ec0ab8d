// Outbox to party over a broker that dies again and again: nothing committed is lost.
#include "bridge/outbox/relay.h"

#include <gtest/gtest.h>

#include <set>

#include "simulators/lab/probe.h"
#include "tests/integration/mqtt/broker.h"

namespace registry::test {
namespace {

using namespace std::chrono_literals;

TEST(RelayOverMosquitto, EveryEntryIsConfirmedAlthoughTheBrokerIsKilled) {
  Broker broker;
  auto ledger = ledger::OpenMemoryLedger();
  mqtt::Session session(broker.ForRegistry(), [](ingest::InboundMessage) {});
  outbox::RelayOptions options;
  options.retry_after = 20ms;
  outbox::MqttRelay relay(*ledger, session, options);
  session.Start();
  relay.Start();
  int said = 0;
  const auto say = [&](int count) {
    for (int i = 0; i < count; ++i) {
      domain::Changeset changes;
      changes.messages.push_back({"registry/v1/to/mno-a/x", std::to_string(said++), ""});
      ASSERT_TRUE(ledger->Commit(std::move(changes)).ok());
    }
  };
  for (std::uint64_t round = 0; round < 3; ++round) {
    // Not connected() alone: on a busy machine the broker may be there again before its death is noticed.
    ASSERT_TRUE(lab::WaitUntil([&] { return session.connected() && session.reconnects() >= round; }, 15s));
    say(1000);
    broker.Kill();
    say(1000);
    broker.Start();
  }
  ASSERT_TRUE(lab::WaitUntil([&] { return relay.Depth() == 0; }, 60s)) << relay.Depth();

  // And the last ones really reach who listens, each once, in order.
  RawMqtt mno(broker.ForParty("mno-a"));
  ASSERT_TRUE(mno.Subscribe("registry/v1/to/mno-a/#"));
  const int first = said;
  say(500);
  for (int i = first; i < first + 500; ++i) {
    const auto heard = mno.Next(10s);
    ASSERT_TRUE(heard.has_value());
    EXPECT_EQ(heard->payload, std::to_string(i));
  }
  ASSERT_TRUE(lab::WaitUntil([&] { return relay.Depth() == 0; }, 10s));
  relay.Stop();
  session.Stop(2s);
  EXPECT_EQ(ledger->LoadSink(ledger::Sink::kMqtt)->cursor, *ledger->OutboxLast(ledger::Sink::kMqtt));
  EXPECT_GE(session.reconnects(), 3u);
}

// What Mosquitto refuses for its size, with PUBACK 0x95, must not hold up what follows.
TEST(RelayOverMosquitto, AnEntryTheBrokerFindsTooLargeIsBuried) {
  Broker broker;
  broker.Reconfigure("message_size_limit 8192");
  auto ledger = ledger::OpenMemoryLedger();
  mqtt::Session session(broker.ForRegistry(), [](ingest::InboundMessage) {});
  outbox::RelayOptions options;
  options.retry_after = 5ms;
  outbox::MqttRelay relay(*ledger, session, options);
  session.Start();
  ASSERT_TRUE(lab::WaitUntil([&] { return session.connected(); }, 15s));
  RawMqtt mno(broker.ForParty("mno-a"));
  ASSERT_TRUE(mno.Subscribe("registry/v1/to/mno-a/#"));
  domain::Changeset changes;
  for (const std::size_t size : {100, 10000, 200}) {
    changes.messages.push_back({"registry/v1/to/mno-a/do/payload.push", std::string(size, 'x'), ""});
  }
  ASSERT_TRUE(ledger->Commit(std::move(changes)).ok());
  relay.Start();
  ASSERT_TRUE(lab::WaitUntil([&] { return relay.Depth() == 0; }, 30s));
  relay.Stop();
  const auto letters = *ledger->DeadLettersAfter(0, 10);
  ASSERT_EQ(letters.size(), 1u);
  EXPECT_EQ(letters[0].second.topic, "registry/v1/to/mno-a/do/payload.push");
  EXPECT_NE(letters[0].second.reason.find("0x95"), std::string::npos) << letters[0].second.reason;
  std::set<std::size_t> sizes;
  for (auto heard = mno.Next(10s); heard; heard = mno.Next(10s)) {
    sizes.insert(heard->payload.size());
    if (heard->payload.size() == 200) break;
  }
  EXPECT_EQ(sizes, (std::set<std::size_t>{100, 200}));
}

}  // namespace
}  // namespace registry::test
