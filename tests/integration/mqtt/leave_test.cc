// A session that is only the registry's while somebody says so, against a real Mosquitto: it does not connect before, it
// leaves when told, and the broker keeps what comes meanwhile.
#include <gtest/gtest.h>

#include <atomic>

#include "bridge/mqtt/session.h"
#include "simulators/lab/probe.h"
#include "tests/integration/mqtt/broker.h"
#include "tests/integration/mqtt/inbox.h"

namespace registry::test {
namespace {

using namespace std::chrono_literals;

constexpr char kCommand[] = "registry/v1/from/mno-a/esim.register";

TEST(LeaveTest, ASessionConnectsAndStaysWithLeaveOnlyAndTheBrokerKeepsWhatComesMeanwhile) {
  Broker broker;
  Inbox inbox;
  RawMqtt mno{broker.ForParty("mno-a")};
  std::atomic<bool> may_connect{false}, may_stay{true};
  std::atomic<int> asked{0};
  mqtt::SessionOptions options = broker.ForRegistry();
  options.may_connect = [&] {
    ++asked;
    return may_connect.load();
  };
  options.may_stay = [&] { return may_stay.load(); };
  mqtt::Session session{options, inbox.Handler()};
  session.Start();
  ASSERT_TRUE(lab::WaitUntil([&] { return asked > 3; }, 15s));
  EXPECT_FALSE(session.connected());
  EXPECT_NE(session.trouble(), "");
  may_connect = true;
  ASSERT_TRUE(lab::WaitUntil([&] { return session.connected(); }, 15s));

  may_connect = false;
  may_stay = false;
  ASSERT_TRUE(lab::WaitUntil([&] { return !session.connected(); }, 15s));
  ASSERT_TRUE(lab::WaitUntil([&] { return asked > 8; }, 15s));
  EXPECT_EQ(mno.Publish(kCommand, "{}", "", ""), 0);
  EXPECT_TRUE(inbox.messages().empty());
  may_stay = true;
  may_connect = true;
  ASSERT_TRUE(inbox.WaitFor(1)) << "it comes when the session does";
  EXPECT_TRUE(lab::WaitUntil([&] { return session.reconnects() == 1; }, 15s));
  session.Stop(2s);
}

}  // namespace
}  // namespace registry::test
