#include "clients/mosquitto/sessions.h"

#include <gtest/gtest.h>

namespace registry::clients {
namespace {

constexpr const char* kDevice = "0b5e4c1e-8f0a-4c39-9a51-2b1f3c4d5e6f";
const std::string kOwn = std::string("devices/") + kDevice + "/";

TEST(TopicSpace, HoldsWhatIsBelowTheDevicesOwnLevel) {
  const TopicSpace space;
  for (const std::string& inside : {kOwn + "state", kOwn + "#", kOwn + "+/x"}) {
    EXPECT_TRUE(space.Holds(kDevice, inside)) << inside;
  }
  for (const std::string& outside :
       {std::string("#"), std::string("devices/#"), std::string("devices/+/state"),
        "devices/" + std::string(kDevice), kOwn, "devices/" + std::string(kDevice) + "0/state",
        "$share/g/" + kOwn + "state", "/" + kOwn + "state", std::string("$SYS/broker/uptime"),
        std::string()}) {
    EXPECT_FALSE(space.Holds(kDevice, outside)) << outside;
  }
}

TEST(TopicSpace, TakesAPatternThatKeepsDevicesApart) {
  TopicSpace space;
  EXPECT_TRUE(space.Set("fleet/a/%d/up/#"));
  EXPECT_TRUE(space.Holds(kDevice, std::string("fleet/a/") + kDevice + "/up/x"));
  EXPECT_FALSE(space.Holds(kDevice, std::string("fleet/a/") + kDevice + "/down/x"));
  EXPECT_TRUE(space.Set("%d/#"));
  for (const char* bad : {"", "devices/#", "devices/%d", "devices/%dx/#", "devices/x%d/#", "devices/+/%d/#",
                          "devices/%d/+/#", "#/%d/#", "$SYS/%d/#"}) {
    EXPECT_FALSE(space.Set(bad)) << bad;
  }
  EXPECT_TRUE(space.Holds(kDevice, std::string(kDevice) + "/x")) << "a bad one changes nothing";
}

TEST(Sessions, AreKnownByConnectionAndByDevice) {
  Sessions sessions;
  const auto connection = [](int number) { return reinterpret_cast<const mosquitto*>(&"ab"[number]); };
  sessions.Begin(connection(0), {"d1", "d1-a"});
  sessions.Begin(connection(1), {"d2", "d2"});
  EXPECT_EQ(sessions.Find(connection(0))->client_id, "d1-a");
  EXPECT_EQ(sessions.Of("d2").size(), 1u);
  EXPECT_EQ(sessions.Of("").size(), 2u);
  sessions.End(connection(0));
  EXPECT_TRUE(sessions.Of("d1").empty());
  EXPECT_EQ(sessions.Find(connection(0))->device, "d1") << "its last will is asked about afterwards";
  sessions.Forget(connection(0));
  EXPECT_EQ(sessions.Find(connection(0)), nullptr);
}

TEST(Sessions, OfThoseThatHaveGoneTheOldestIsForgotten) {
  Sessions sessions;
  const std::vector<char> addresses(Sessions::kEndedMax + 1);
  const auto connection = [&](std::size_t i) { return reinterpret_cast<const mosquitto*>(&addresses[i]); };
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    sessions.Begin(connection(i), {"d", "d"});
    sessions.End(connection(i));
    if (i == 0) sessions.End(connection(i));  // told twice
  }
  EXPECT_EQ(sessions.Find(connection(0)), nullptr);
  EXPECT_NE(sessions.Find(connection(1)), nullptr);
  sessions.Begin(connection(1), {"e", "e"});
  sessions.Begin(connection(0), {"d", "d"});
  sessions.End(connection(0));
  EXPECT_EQ(sessions.Find(connection(1))->device, "e") << "it has begun again";
}

// The heap gives the same address again and again, so one connection's address ends many times.
TEST(Sessions, AnAddressThatIsUsedOftenKeepsItsLatestEnd) {
  Sessions sessions;
  const char addresses[2] = {};
  const auto connection = [&](int number) { return reinterpret_cast<const mosquitto*>(&addresses[number]); };
  sessions.Begin(connection(1), {"e", "e"});
  sessions.End(connection(1));
  for (std::size_t i = 0; i < Sessions::kEndedMax; ++i) {
    sessions.Forget(connection(0));
    sessions.Begin(connection(0), {"d", "d"});
    sessions.End(connection(0));
    ASSERT_NE(sessions.Find(connection(0)), nullptr);
  }
  EXPECT_EQ(sessions.Find(connection(1)), nullptr) << "the oldest";
  sessions.Begin(connection(0), {"d", "d"});
  sessions.End(connection(0));
  EXPECT_NE(sessions.Find(connection(0)), nullptr) << "what has just ended is asked about its last will";
}

}  // namespace
}  // namespace registry::clients
