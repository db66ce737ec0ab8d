// What the pipeline does while the disk has little space.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/support/commands.h"
#include "tests/support/test_registry.h"

namespace registry::ingest {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using test::Said;
using test::TestRegistry;

class SpaceTest : public testing::Test {
 protected:
  std::atomic<bool> low_{false};
  std::atomic<int> asked_{0};
  TestRegistry registry_{[this] {
    TestRegistry::Setup setup;
    setup.limits.usual = {{{1, 100}, {1, 100}, {1, 100}, {1, 1}}};
    setup.space_low = [this] {
      ++asked_;
      return low_.load();
    };
    return setup;
  }()};
  // The timer asks in every round, and did nothing in those between.
  void LetRoundsPass() {
    for (const int until = asked_ + 20; asked_ < until;) std::this_thread::yield();
  }
  Said Ack(const std::string& party, const std::string& id) {
    return registry_.Ask(party, "feed.ack", {{"seq", 0}}, id);
  }
};

TEST_F(SpaceTest, NothingNewIsBegunAndNothingIsWritten) {
  low_ = true;
  const std::uint64_t before = registry_.ledger().changesets();
  const Said refused = Ack("mno-a", "mine");
  EXPECT_EQ(refused.symbol(), "disk_nearly_full");
  EXPECT_EQ(refused.code(), 2400);
  EXPECT_EQ(refused.data().at("retryAfterSeconds"), 60);
  EXPECT_EQ(refused.envelope.at("cause"), "mine");
  EXPECT_EQ(registry_.ledger().changesets(), before) << "a refusal that is written fills the disk too";
  EXPECT_TRUE(registry_.Ask("mno-a", "quota.get", nlohmann::json::object()).accepted()) << "a read";
  low_ = false;
  EXPECT_TRUE(Ack("mno-a", "mine").accepted()) << "the same id may come again";
}

TEST_F(SpaceTest, AnItemOfABatchIsRefusedByItself) {
  low_ = true;
  const auto batch = nlohmann::json::array({test::Command("mno-a", "feed.ack", "in-a-batch", {{"seq", 0}})});
  const Said refused = registry_.AskRaw({"registry/v1/from/mno-a/batch", batch.dump(), "", ""});
  EXPECT_EQ(refused.topic, "registry/v1/to/mno-a/feed.ack/rejected");
  EXPECT_EQ(refused.symbol(), "disk_nearly_full");
  EXPECT_EQ(refused.envelope.at("cause"), "in-a-batch");
}

TEST_F(SpaceTest, TheOperatorStillEndsWhatMustNotWait) {
  const std::string id = registry_.Activate();
  low_ = true;
  EXPECT_EQ(registry_.Ask("asp-a", "device.deactivate", {{"device", id}, {"reason", "stolen"}}).symbol(),
            "disk_nearly_full");
  const Said ended = registry_.Ask("operator", "device.deactivate", {{"device", id}, {"reason", "stolen"}});
  EXPECT_TRUE(ended.accepted()) << ended.payload;
}

TEST_F(SpaceTest, AClaimThatIsRefusedUsesUpNoToken) {
  low_ = true;
  const nlohmann::json claim = {{"device", "00000000-0000-4000-8000-000000000000"},
                                {"authorisationCode", std::string(32, '0')},
                                {"endpoint", "main"}};
  EXPECT_EQ(registry_.Ask("asp-a", "device.claim", claim).symbol(), "disk_nearly_full");
  EXPECT_EQ(registry_.Ask("asp-a", "device.claim", claim).symbol(), "disk_nearly_full");
  low_ = false;
  EXPECT_EQ(registry_.Ask("asp-a", "device.claim", claim).symbol(), "authorisation_invalid");
}

// A job whose answer would be refused must not use up its attempts.
TEST_F(SpaceTest, JobsWait) {
  const auto device = registry_.Register();
  registry_.Ask("mno-a", "device.attach", {{"device", device.device}});
  ASSERT_EQ(registry_.Heard("registry/v1/to/mno-a/do/key.generate").size(), 1u);
  low_ = true;
  const std::uint64_t before = registry_.ledger().changesets();
  registry_.clock().Advance(hours(3));
  LetRoundsPass();
  EXPECT_EQ(registry_.ledger().changesets(), before);
  low_ = false;
  registry_.RunDueJobs(seconds(1));
  EXPECT_EQ(registry_.Heard("registry/v1/to/mno-a/do/key.generate").size(), 1u);
  EXPECT_TRUE(registry_.Heard("registry/v1/to/mno-a/event/device.failed").empty());
}

TEST_F(SpaceTest, AnOrderWaits) {
  const std::string id = registry_.Activate();
  low_ = true;
  const nlohmann::json order = {{"kind", "suspend"}, {"selection", {{"party", "asp-a"}}}};
  const Said started = registry_.Ask("operator", "order.start", order);
  ASSERT_TRUE(started.accepted()) << started.payload;
  LetRoundsPass();
  EXPECT_EQ(registry_.Heard("registry/v1/to/operator/event/order.done").size(), 0u);
  const auto held = [&] { return registry_.Device(id).statuses.contains(domain::DeviceStatus::kServerHold); };
  EXPECT_FALSE(held());
  low_ = false;
  const auto until = std::chrono::steady_clock::now() + seconds(60);
  while (!held() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  EXPECT_TRUE(held());
}

}  // namespace
}  // namespace registry::ingest
