// Nodes that decide beside each other over one ledger: what each of them does and leaves to the other, what one takes over,
// and what it looks at before it answers.
#include <gtest/gtest.h>

#include <atomic>

#include "simulators/lab/probe.h"
#include "tests/support/commands.h"
#include "tests/support/faulty_ledger.h"
#include "tests/support/test_registry.h"

namespace registry::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;

json EsimOf(std::uint64_t number) { return {{"eid", EidOf(number)}, {"iccid", IccidOf(number)}}; }

FaultyLedger::Fault LedgerGone() {
  return Error::Make(Code::kFailed, ledger::kLedgerFailed, "as told by the test");
}

TestRegistry::Setup Faulty(FaultyLedger::Hooks hooks, bool own_work = true) {
  TestRegistry::Setup setup;
  setup.own_work = own_work;
  setup.wrap = [hooks = std::move(hooks)](std::unique_ptr<ledger::Ledger> real) {
    return std::make_unique<FaultyLedger>(std::move(real), hooks);
  };
  return setup;
}

// One whose ledger fails when it is told to.
class MemberTest : public testing::Test {
 protected:
  // A command that had to be tried again was given to a lane by the timer, behind all else that the timer does.
  void LetTheTimerPass() {
    for (int i = 0; i < 2; ++i) {
      failures_ = 1;
      EXPECT_TRUE(member_.Ask("mno-b", "esim.register", EsimOf(next_++)).accepted());
    }
  }
  std::atomic<int> failures_{0};
  std::uint64_t next_ = 1000;
  TestRegistry member_{Faulty({.commit = [this](const domain::Changeset&) -> FaultyLedger::Fault {
                                return failures_.exchange(0) > 0 ? LedgerGone() : std::nullopt;
                              }},
                              false)};
};

TEST_F(MemberTest, DecidesCommandsAndLeavesWhatIsDueToTheOther) {
  const std::string id = member_.Activate();
  const auto pending = member_.Register();
  EXPECT_TRUE(member_.Ask("mno-a", "device.attach", {{"device", pending.device}}).accepted());
  EXPECT_EQ(member_.Heard("registry/v1/to/mno-a/do/key.generate").size(), 2u);
  member_.clock().Advance(seconds(3600));
  const auto due = member_.ledger().JobsDue(member_.clock().Now(), 100);
  ASSERT_TRUE(due.ok());
  ASSERT_FALSE(due->empty());
  const json order = {{"kind", "suspend"}, {"selection", {{"party", "asp-a"}}}};
  EXPECT_TRUE(member_.Ask("operator", "order.start", order).accepted());
  member_.pipeline().LookForRenewals();
  member_.pipeline().OthersWrote({.jobs = true, .orders = true});
  LetTheTimerPass();
  EXPECT_EQ(member_.ledger().JobsDue(member_.clock().Now(), 100)->size(), due->size());
  EXPECT_TRUE(member_.Heard("registry/v1/to/mno-a/do/key.generate").empty());
  EXPECT_EQ(member_.pipeline().renewal_rounds(), 0u);
  EXPECT_EQ(member_.pipeline().orders_open(), 0u);
  EXPECT_FALSE(member_.Device(id).statuses.contains(domain::DeviceStatus::kServerHold));
}

// One ledger, two pipelines.
TEST_F(MemberTest, TheActiveOneCarriesOutAnOrderThatAMemberWasGiven) {
  TestRegistry::Setup beside;
  beside.wrap = [this](std::unique_ptr<ledger::Ledger>) {
    return std::make_unique<WrappedLedger>(member_.ledger());
  };
  TestRegistry active(beside);
  const std::string id = member_.Activate();
  const json order = {{"kind", "suspend"}, {"selection", {{"party", "asp-a"}}}};
  EXPECT_TRUE(member_.Ask("operator", "order.start", order).accepted());
  active.pipeline().OthersWrote({.orders = true});
  EXPECT_TRUE(lab::WaitUntil(
      [&] { return active.Device(id).statuses.contains(domain::DeviceStatus::kServerHold); }, seconds(60)));
}

TEST(Several, WhatAnotherNodeHadNotFinishedIsDecidedAndDone) {
  TestRegistry registry;
  std::vector<ingest::Intake::Record> left;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    const std::string id = "left-" + std::to_string(i == 3 ? 1 : i);  // the last is a repeat of the first
    const auto message =
        Raw("mno-a", "esim.register", Command("mno-a", "esim.register", id, EsimOf(i == 3 ? 1 : i)).dump());
    const auto ticket = registry.intake().Append(message);
    ASSERT_TRUE(ticket.ok());
    left.push_back({*ticket, message});
  }
  registry.pipeline().Take(std::move(left));
  EXPECT_TRUE(registry.Counted("accepted", 2));
  EXPECT_TRUE(registry.Counted("duplicate", 1));
  EXPECT_TRUE(lab::WaitUntil([&] { return registry.intake().undone() == 0; }, seconds(60)));
}

// What it reads is wrong until it has looked at what others have committed.
class CaughtUpTest : public testing::Test {
 protected:
  static FaultyLedger::Fault Old() {
    return Error::Make(Code::kFailed, ledger::kLedgerDamaged, "an old view was read");
  }
  std::atomic<bool> watched_{false}, caught_up_{false}, fails_{false};
  std::atomic<int> looks_{0};
  FaultyLedger::Fault Look() {
    ++looks_;
    if (fails_) return LedgerGone();
    caught_up_ = true;
    return std::nullopt;
  }
  FaultyLedger::Fault Read() { return watched_ && !caught_up_ ? Old() : std::nullopt; }
  TestRegistry registry_{Faulty({.load_device = [this] { return Read(); },
                                 .load_feed = [this] { return Read(); },
                                 .catch_up = [this] { return Look(); }})};
};

TEST_F(CaughtUpTest, ReadsAndFeedsGoByWhatOthersHaveCommitted) {
  const std::string id = registry_.Activate();
  const int before = looks_;
  registry_.Register();
  EXPECT_EQ(looks_, before) << "what its ledger reads itself needs no look";
  watched_ = true;
  EXPECT_TRUE(registry_.Ask("asp-a", "device.get", {{"device", id}}).accepted());
  caught_up_ = false;
  EXPECT_TRUE(registry_.Ask("asp-a", "feed.ack", {{"seq", 1}}).accepted());
  caught_up_ = false;
  EXPECT_TRUE(registry_.Ask("asp-a", "feed.replay", {{"fromSeq", 1}}).accepted());
}

TEST_F(CaughtUpTest, WhoCannotLookDoesNotAnswerFromAnOldView) {
  const std::string id = registry_.Activate();
  watched_ = true;
  fails_ = true;
  registry_.Send(Raw("asp-a", "device.get", Command("asp-a", "device.get", "read", {{"device", id}}).dump()));
  registry_.Send(Raw("asp-a", "feed.ack", Command("asp-a", "feed.ack", "ack", {{"seq", 1}}).dump()));
  EXPECT_TRUE(lab::WaitUntil([&] { return looks_ > 5; }, seconds(60))) << "both are tried again";
  EXPECT_TRUE(registry_.TakeAside().empty());
  fails_ = false;
  EXPECT_TRUE(lab::WaitUntil([&] { return !registry_.TakeAside().empty(); }, seconds(60)));
  EXPECT_TRUE(lab::WaitUntil(
      [&] {
        const auto feed = registry_.ledger().LoadFeed(*PartyId::Parse("asp-a"));
        return feed.ok() && feed->acked == 1;
      },
      seconds(60)));
}

}  // namespace
}  // namespace registry::test
