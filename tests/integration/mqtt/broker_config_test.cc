// What broker-config/ keeps parties from, asked of a real Mosquitto: others' subscriptions and retained messages.
#include <gtest/gtest.h>

#include <mutex>
#include <set>

#include "simulators/lab/probe.h"
#include "tests/integration/mqtt/broker.h"
#include "tests/integration/mqtt/inbox.h"

namespace registry::test {
namespace {

using namespace std::chrono_literals;

constexpr char kGroup[] = "$share/workers/registry/v1/to/mno-a/#";

const std::vector<std::string> kForeign = {kGroup,
                                           "$share/other/registry/v1/to/mno-a/#",
                                           "$share/workers/registry/v1/to/+/#",
                                           "$share/workers/registry/v1/to/#",
                                           "$share/workers/#",
                                           "$share/registry/registry/v1/from/#",
                                           "$share/registry/registry/v1/from/mno-a/#",
                                           "$share/registry/registry/v1/from/mno-b/#",
                                           "registry/v1/to/mno-a/#",
                                           "registry/v1/to/mno-a/x",
                                           "registry/v1/to/+/#",
                                           "registry/v1/from/#",
                                           "+/#",
                                           "+/+/+/+/x",
                                           "#",
                                           "$SYS/#"};

class BrokerConfig : public ::testing::Test {
 protected:
  void SetUp() override {
    session_.Start();
    ASSERT_TRUE(lab::WaitUntil([&] { return session_.connected(); }, 15s));
  }
  void Say(const std::string& payload) {
    EXPECT_TRUE(
        session_.Publish({"registry/v1/to/mno-a/x", payload, ""}, [](mqtt::Session::Receipt) {}).ok());
  }
  // Says twenty, which `victim` alone must hear.
  void ExpectAllReach(RawMqtt& victim) {
    std::set<std::string> missing;
    for (int i = 0; i < 20; ++i) missing.insert(std::to_string(i));
    for (const std::string& each : missing) Say(each);
    while (!missing.empty()) {
      const auto heard = victim.Next(10s);
      ASSERT_TRUE(heard.has_value()) << missing.size() << " of 20 went elsewhere";
      missing.erase(heard->payload);
    }
  }

  Broker broker_;
  Inbox inbox_;
  mqtt::Session session_{broker_.ForRegistry(), inbox_.Handler()};
};

// MQTT 5 §4.8.2: a message goes to one member of a group, so a member that may not read it takes it away all the same.
TEST_F(BrokerConfig, AStrangerCannotJoinAPartysGroup) {
  RawMqtt victim(broker_.ForParty("mno-a")), stranger(broker_.ForParty("mno-b"));
  ASSERT_TRUE(victim.Subscribe(kGroup));
  for (const std::string& filter : kForeign) EXPECT_FALSE(stranger.Subscribe(filter)) << filter;
  EXPECT_TRUE(stranger.connected());
  ExpectAllReach(victim);
  EXPECT_NE(broker_.log().find("subscribe guard: mno-b may not subscribe to " + std::string(kGroup)),
            std::string::npos);
}

TEST_F(BrokerConfig, APartySharesItsOwnSpaceWithItself) {
  RawOptions second = broker_.ForParty("mno-a");
  second.client_id = "mno-a-second";
  RawMqtt one(broker_.ForParty("mno-a")), two(second);
  ASSERT_TRUE(one.Subscribe(kGroup));
  ASSERT_TRUE(two.Subscribe(kGroup));
  Say("1");
  Say("2");
  EXPECT_TRUE(one.Next(10s).has_value());
  EXPECT_TRUE(two.Next(10s).has_value());
}

// SIGHUP reads the list again, and Mosquitto then registers its own check anew, which grants every subscription.
TEST_F(BrokerConfig, TheGuardStandsAfterAReload) {
  broker_.Reload();
  RawMqtt victim(broker_.ForParty("mno-a")), stranger(broker_.ForParty("mno-b"));
  ASSERT_TRUE(victim.Subscribe(kGroup));
  for (const std::string& filter : kForeign) EXPECT_FALSE(stranger.Subscribe(filter)) << filter;
  ExpectAllReach(victim);
}

// MQTT 5 §3.2.2.3.5: a client of MQTT 5 is told and leaves the flag away; one of 3.1.1 cannot be told and is thrown out.
TEST_F(BrokerConfig, NothingIsRetained) {
  const std::string topic = "registry/v1/from/mno-a/esim.register";
  RawMqtt told(broker_.ForParty("mno-a"));
  EXPECT_EQ(told.PublishRetained(topic, "by MQTT 5"), 0);
  RawOptions old = broker_.ForParty("mno-a");
  old.v5 = false;
  old.client_id = "mno-a-old";
  {
    RawMqtt untold(old);
    ASSERT_TRUE(untold.connected());
    EXPECT_EQ(untold.PublishRetained(topic, "by MQTT 3.1.1"), -1);
  }
  RawOptions reader = broker_.ForParty("registryd");
  reader.client_id = "reader";
  RawMqtt late(reader);
  ASSERT_TRUE(late.Subscribe("registry/v1/from/#"));
  EXPECT_EQ(told.Publish(topic, "ordinary"), 0);
  EXPECT_EQ(late.Next(10s)->payload, "ordinary") << "what is retained comes first";
  ASSERT_TRUE(inbox_.WaitFor(2));
  EXPECT_EQ(inbox_.messages()[0].payload, "by MQTT 5");
  EXPECT_EQ(inbox_.messages()[1].payload, "ordinary");
}

// A broker that takes retained messages: the command is carried out, and the operator is told.
TEST(BrokerConfigRetain, WithoutItARetainedCommandIsCarriedOutAndSaid) {
  Broker broker;
  broker.Reconfigure("retain_available true");
  Inbox inbox;
  std::mutex mutex;
  std::string log;
  auto options = broker.ForRegistry();
  options.log = [&](int level, const std::string& line) {
    const std::lock_guard lock(mutex);
    log += std::to_string(level) + " " + line + "\n";
  };
  mqtt::Session session(options, inbox.Handler());
  session.Start();
  ASSERT_TRUE(lab::WaitUntil([&] { return session.connected(); }, 15s));
  RawMqtt mno(broker.ForParty("mno-a"));
  EXPECT_EQ(mno.PublishRetained("registry/v1/from/mno-a/esim.register", "1"), 0);
  EXPECT_EQ(mno.PublishRetained("registry/v1/from/mno-a/esim.register", "2"), 0);
  ASSERT_TRUE(inbox.WaitFor(2));
  session.Stop(2s);
  const std::string said = "2 mqtt: a command of mno-a came with the retain flag";
  EXPECT_NE(log.find(said), std::string::npos) << log;
  EXPECT_EQ(log.find(said), log.rfind(said)) << "once a minute";
}

}  // namespace
}  // namespace registry::test
