// What a broker demands in its CONNACK and SUBACK (MQTT 5 §3.2.2.3, §3.9.3) is obeyed, or refused aloud: real Mosquitto
// where it can be told to demand it, a scripted broker for the rest.
#include "bridge/mqtt/terms.h"

#include <gtest/gtest.h>

#include <mutex>

#include "bridge/outbox/relay.h"
#include "simulators/lab/probe.h"
#include "tests/integration/mqtt/broker.h"
#include "tests/integration/mqtt/inbox.h"
#include "tests/integration/mqtt/scripted_broker.h"

namespace registry::test {
namespace {

using namespace std::chrono_literals;

constexpr char kReply[] = "registry/v1/to/mno-a/esim.register/accepted";

// A session and what it logged.
class Watched {
 public:
  Watched(mqtt::SessionOptions options, int port) : session(With(std::move(options), port), inbox.Handler()) {
    session.Start();
  }
  bool Connects() {
    return lab::WaitUntil([&] { return session.connected(); }, 15s);
  }
  bool Says(const std::string& text) {
    return lab::WaitUntil([&] { return log().find(text) != std::string::npos; }, 15s);
  }
  std::string log() const {
    const std::lock_guard lock(mutex_);
    return log_;
  }

 private:
  mqtt::SessionOptions With(mqtt::SessionOptions options, int port) {
    options.port = port;
    options.log = [this](int level, const std::string& line) {
      const std::lock_guard lock(mutex_);
      log_ += std::to_string(level) + " " + line + "\n";
    };
    return options;
  }
  mutable std::mutex mutex_;
  std::string log_;

 public:
  Inbox inbox;
  mqtt::Session session;
};

// §3.2.2.3.13: asked of the broker only by a node that hears together with others.
TEST(Terms, WithoutSharedSubscriptionsNobodyHearsTogether) {
  Broker real;
  ScriptedBroker broker(real.folder(), {.connack_properties = std::string("\x2a\0", 2)});
  EXPECT_TRUE(Watched(real.ForRegistry(), broker.port()).Connects());
  auto sharing = real.ForRegistry();
  sharing.share = "registry";
  Watched together(sharing, broker.port());
  EXPECT_TRUE(together.Says("broker_unfit: the broker has no shared subscriptions"));
  EXPECT_FALSE(together.session.connected());
}

// The relay hands over no more than the broker takes at once, so that Paho never holds back: it looks for room only when
// something new comes, else once a second.
TEST(Terms, ReceiveMaximumIsTheRelaysWindow) {
  Broker real;
  ScriptedBroker broker(real.folder(),
                        {.connack_properties = std::string("\x21\0\x0a", 3), .acknowledges = false});
  Watched watched(real.ForRegistry(), broker.port());
  ASSERT_TRUE(watched.Connects());
  EXPECT_EQ(watched.session.AtOnceMax(), 10u);
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(watched.session.Publish({kReply, "{}", ""}, [](mqtt::Session::Receipt) {}).ok());
  }
  const auto eleventh = watched.session.Publish({kReply, "{}", ""}, [](mqtt::Session::Receipt) {});
  ASSERT_FALSE(eleventh.ok());
  EXPECT_EQ(eleventh.error().symbol, "in_flight_full");
  EXPECT_TRUE(lab::WaitUntil([&] { return broker.publishes() == 10; }, 15s));
}

// At ten a second these would take over three minutes.
TEST(Terms, AWindowOfTenIsRefilledAtOnce) {
  constexpr int kCount = 2000;
  Broker broker;
  broker.Reconfigure("max_inflight_messages 10");
  Watched watched(broker.ForRegistry(), broker.port());
  ASSERT_TRUE(watched.Connects());
  ASSERT_EQ(watched.session.AtOnceMax(), 10u);
  RawMqtt mno(broker.ForParty("mno-a"));
  ASSERT_TRUE(mno.Subscribe("registry/v1/to/mno-a/#"));
  auto ledger = ledger::OpenMemoryLedger();
  domain::Changeset changes;
  for (int i = 0; i < kCount; ++i) changes.messages.push_back({kReply, std::to_string(i), ""});
  ASSERT_TRUE(ledger->Commit(std::move(changes)).ok());
  outbox::MqttRelay relay(*ledger, watched.session, {});
  relay.Start();
  ASSERT_TRUE(lab::WaitUntil([&] { return relay.Depth() == 0; }, 60s)) << relay.Depth();
  for (int i = 0; i < kCount; ++i) {
    const auto heard = mno.Next(10s);
    ASSERT_TRUE(heard.has_value());
    ASSERT_EQ(heard->payload, std::to_string(i));
  }
}

TEST(Terms, AReceiveMaximumAboveTheOwnWindowChangesNothing) {
  Broker broker;  // max_inflight_messages 0: no limit
  auto options = broker.ForRegistry();
  options.in_flight_max = 7;
  Watched watched(options, broker.port());
  ASSERT_TRUE(watched.Connects());
  EXPECT_EQ(watched.session.AtOnceMax(), 7u);
}

TEST(Terms, AShorterServerKeepAliveIsUsed) {
  Broker broker;
  broker.Reconfigure("max_keepalive 11");
  Watched watched(broker.ForRegistry(), broker.port());
  ASSERT_TRUE(watched.Connects());
  EXPECT_NE(broker.log().find("c0, k11, u'registryd'"), std::string::npos) << broker.log();
  EXPECT_NE(watched.log().find("1 mqtt: " + std::string("keep_alive_shorter")), std::string::npos)
      << watched.log();
  RawMqtt mno(broker.ForParty("mno-a"));
  EXPECT_EQ(mno.Publish("registry/v1/from/mno-a/esim.register", "1"), 0);
  EXPECT_TRUE(watched.inbox.WaitFor(1));
}

TEST(Terms, ALongerServerKeepAliveOrNoneIsKeptByPingingMoreOften) {
  Broker real;
  for (const std::string& asked : {std::string("\x13\0\x3c", 3), std::string("\x13\0\0", 3)}) {
    ScriptedBroker broker(real.folder(), {.connack_properties = asked});
    Watched watched(real.ForRegistry(), broker.port());
    ASSERT_TRUE(watched.Connects());
    EXPECT_EQ(broker.keep_alives(), std::vector<int>{30});
  }
}

// Not ready, and the reason is what /readyz says.
void ExpectUnfit(Watched& watched, const std::string& reason, const std::string& symbol = "broker_unfit") {
  const std::string why = symbol + ": " + reason;
  EXPECT_TRUE(watched.Says("2 mqtt: " + why)) << watched.log();
  EXPECT_FALSE(watched.session.connected());
  EXPECT_TRUE(watched.session.trouble().starts_with(why)) << watched.session.trouble();
}

TEST(Terms, ABrokerOfQosZeroIsRefusedAloud) {
  Broker broker;
  broker.Reconfigure("max_qos 0");
  Watched watched(broker.ForRegistry(), broker.port());
  ExpectUnfit(watched, "the broker's Maximum QoS is 0");
}

TEST(Terms, ABrokerOfQosOneIsEnough) {
  Broker broker;
  broker.Reconfigure("max_qos 1");
  Watched watched(broker.ForRegistry(), broker.port());
  EXPECT_TRUE(watched.Connects()) << watched.log();
}

TEST(Terms, ABrokerWithoutWildcardsIsRefusedAloud) {
  Broker real;
  ScriptedBroker broker(real.folder(), {.connack_properties = std::string("\x28\0", 2)});
  Watched watched(real.ForRegistry(), broker.port());
  ExpectUnfit(watched, "the broker has no wildcard subscriptions");
}

TEST(Terms, ABrokerThatGivesAnotherClientIdentifierIsRefusedAloud) {
  Broker real;
  ScriptedBroker broker(real.folder(), {.connack_properties = std::string("\x12\0\x04", 3) + "some"});
  Watched watched(real.ForRegistry(), broker.port());
  ExpectUnfit(watched, "the broker calls this session some");
}

TEST(Terms, WhatTheRegistryDoesNotUseMayBeMissing) {
  Broker real;
  // Retain, subscription identifiers, shared subscriptions: not available; topic aliases: 10; response information "r".
  const std::string properties = std::string("\x25\0\x29\0\x2a\0\x22\0\x0a\x1a\0\x01r", 13);
  ScriptedBroker broker(real.folder(), {.connack_properties = properties});
  Watched watched(real.ForRegistry(), broker.port());
  EXPECT_TRUE(watched.Connects()) << watched.log();
}

TEST(Terms, AShorterSessionExpiryIsSaid) {
  Broker real;
  ScriptedBroker broker(real.folder(), {.connack_properties = std::string("\x11\0\0\0\x3c", 5)});
  Watched watched(real.ForRegistry(), broker.port());
  ASSERT_TRUE(watched.Connects());
  EXPECT_TRUE(
      watched.Says("2 mqtt: while the registry is away the broker keeps commands for 60 s, not 86400"))
      << watched.log();
}

// A broker that was killed has lost its sessions (Mosquitto writes them down now and then).
TEST(Terms, AForgottenSessionIsSaid) {
  Broker broker;
  Watched watched(broker.ForRegistry(), broker.port());
  ASSERT_TRUE(watched.Connects());
  EXPECT_EQ(watched.log().find("no longer had"), std::string::npos) << "the first time it need not be there";
  broker.Kill();
  broker.Start();
  EXPECT_TRUE(watched.Says("2 mqtt: the broker no longer had the registry's session")) << watched.log();
}

std::string At(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port) + ": MQTT: "; }

TEST(Terms, ASubscriptionGrantedAtQosZeroIsNotReady) {
  Broker real;
  ScriptedBroker broker(real.folder(), {.granted = 0});
  Watched watched(real.ForRegistry(), broker.port());
  ExpectUnfit(watched, At(broker.port()) + "registry/v1/from/#: granted at QoS 0, not 1",
              "subscribe_refused");
}

TEST(Terms, ARefusedSubscriptionIsNotReady) {
  Broker real;
  ScriptedBroker broker(real.folder(), {.granted = 0x87});
  Watched watched(real.ForRegistry(), broker.port());
  ExpectUnfit(watched,
              At(broker.port()) +
                  "registry/v1/from/#: the broker refused it: Not authorized (0x87); its access "
                  "list goes by the certificate's name",
              "subscribe_refused");
}

}  // namespace
}  // namespace registry::test
