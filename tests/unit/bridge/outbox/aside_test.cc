// What is said once and kept nowhere: its order behind what is durable, its shares, and what becomes of it when nobody
// takes it.
#include "bridge/outbox/aside.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace registry::outbox {
namespace {

using namespace std::chrono_literals;
constexpr auto kDeadline = 20s;

class Broker : public Publisher {
 public:
  Status Publish(Message message, Confirmed confirmed) override {
    const std::lock_guard lock(mutex_);
    if (away_) return Error::Make(Code::kFailed, "not_connected", "scripted");
    topics_.push_back(message.topic);
    waiting_.push_back(std::move(confirmed));
    changed_.notify_all();
    return Done{};
  }
  std::size_t AtOnceMax() const override { return at_once; }
  void GoAway() {
    const std::lock_guard lock(mutex_);
    away_ = true;
  }
  void Answer(Fate fate) {
    std::vector<Confirmed> waiting;
    {
      const std::lock_guard lock(mutex_);
      waiting.swap(waiting_);
    }
    for (auto& confirmed : waiting) confirmed({fate, ""});
  }
  bool WaitFor(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kDeadline, [&] { return topics_.size() >= count; });
  }
  std::vector<std::string> topics() const {
    const std::lock_guard lock(mutex_);
    return topics_;
  }
  std::size_t at_once = 1000;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool away_ = false;
  std::vector<std::string> topics_;
  std::vector<Confirmed> waiting_;
};

PartyId Party(const std::string& name) { return *PartyId::Parse(name); }

class AsideTest : public testing::Test {
 protected:
  void Offer(const std::string& party, const std::string& topic, std::size_t octets = 10) {
    aside_.Offer(Party(party), {topic, std::string(octets, 'x'), ""});
  }
  bool Dropped(std::uint64_t count) const {
    return Comes([&] { return aside_.dropped() == count; });
  }
  template <class What>
  static bool Comes(What what) {
    const auto until = std::chrono::steady_clock::now() + kDeadline;
    while (std::chrono::steady_clock::now() < until) {
      if (what()) return true;
      std::this_thread::yield();
    }
    return false;
  }
  std::atomic<ledger::Seq> last_{7};
  std::atomic<std::uint64_t> depth_{0};
  Broker broker_;
  std::atomic<int> looked_{0};
  Aside aside_{broker_,
               {[this] { return last_.load(); },
                [this] {
                  ++looked_;
                  return depth_.load();
                }},
               kDeadline};
};

TEST_F(AsideTest, LeavesBehindWhatWasCommittedBefore) {
  Offer("asp-a", "behind 7");  // first in turn
  last_ = 5;
  Offer("mno-a", "behind 5");
  last_ = 8;
  depth_ = 3;  // 5 has arrived, 6 has not
  aside_.Start();
  ASSERT_TRUE(broker_.WaitFor(1));
  EXPECT_EQ(broker_.topics(), std::vector<std::string>{"behind 5"});
  depth_ = 1;
  ASSERT_TRUE(broker_.WaitFor(2));
  broker_.Answer(Publisher::Fate::kTaken);
  EXPECT_TRUE(Comes([&] { return aside_.said() == 2; }));
}

TEST_F(AsideTest, WaitsWhileMuchThatIsDurableWaits) {
  Offer("mno-a", "later");
  last_ = 1000;
  depth_ = Aside::kCrowd;
  aside_.Start();
  ASSERT_TRUE(Comes([&] { return looked_ >= 3; }));
  EXPECT_TRUE(broker_.topics().empty());
  depth_ = Aside::kCrowd - 1;
  EXPECT_TRUE(broker_.WaitFor(1));
}

TEST_F(AsideTest, PartiesTakeTurnsAndFewAreUnderWay) {
  for (int i = 0; i < 40; ++i) Offer("mno-a", "much");
  Offer("asp-a", "little");
  aside_.Start();
  ASSERT_TRUE(broker_.WaitFor(Aside::kAtOnce));
  auto topics = broker_.topics();
  EXPECT_EQ(topics.size(), Aside::kAtOnce);
  EXPECT_TRUE(topics[0] == "little" || topics[1] == "little");
  broker_.Answer(Publisher::Fate::kTaken);
  EXPECT_TRUE(broker_.WaitFor(Aside::kAtOnce + 1));
}

TEST_F(AsideTest, WhatIsOverAPartysShareIsDroppedAndCounted) {
  for (int i = 0; i < 3; ++i) Offer("mno-a", "large", Aside::kShareMax / 2);
  EXPECT_EQ(aside_.dropped(), 2u) << "a topic has octets too";
  Offer("asp-a", "another's");
  EXPECT_EQ(aside_.dropped(), 2u);
}

TEST_F(AsideTest, WhatNobodyTakesIsDroppedAndCounted) {
  Offer("mno-a", "lost");
  aside_.Start();
  ASSERT_TRUE(broker_.WaitFor(1));
  broker_.Answer(Publisher::Fate::kLost);
  EXPECT_TRUE(Dropped(1)) << "the connection went";
  broker_.GoAway();
  Offer("mno-a", "refused");
  EXPECT_TRUE(Dropped(2)) << "the broker is away";
  EXPECT_EQ(aside_.said(), 0u);
}

TEST_F(AsideTest, WhatWaitsTooLongIsDropped) {
  Aside impatient(broker_, {[] { return ledger::Seq{7}; }, [] { return std::uint64_t{1}; }}, 1ms);
  impatient.Offer(Party("mno-a"), {"behind what never arrives", "", ""});
  impatient.Start();
  EXPECT_TRUE(Comes([&] { return impatient.dropped() == 1; }));
  EXPECT_TRUE(broker_.topics().empty());
}

TEST_F(AsideTest, TheRelayIsLeftTheRest) {
  EXPECT_EQ(aside_.rest().AtOnceMax(), 1000 - Aside::kAtOnce);
  broker_.at_once = 10;
  EXPECT_EQ(aside_.rest().AtOnceMax(), 10u) << "too few to share";
  depth_ = 0;
  aside_.Start();
  for (int i = 0; i < 3; ++i) Offer("mno-a", "one by one");
  ASSERT_TRUE(broker_.WaitFor(1));
  EXPECT_EQ(broker_.topics().size(), 1u);
  broker_.Answer(Publisher::Fate::kTaken);
  EXPECT_TRUE(broker_.WaitFor(2));
}

// Of a node that does not relay: what waits for another one's connection is not in its way.
TEST_F(AsideTest, WhereAnotherRelaysACrowdHoldsUpNothingButWhatIsBehindIt) {
  Aside aside(broker_, {[this] { return last_.load(); }, [this] { return depth_.load(); }, true}, kDeadline);
  last_ = 1000;
  depth_ = 500;
  aside.Start();
  aside.Offer(Party("asp-a"), {"behind 1000", "", ""});
  last_ = 1500;
  EXPECT_TRUE(broker_.WaitFor(1)) << "1000 of 1500 are confirmed";
  aside.Stop();
}

}  // namespace
}  // namespace registry::outbox
