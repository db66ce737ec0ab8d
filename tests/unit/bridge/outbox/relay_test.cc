// The relay against the real memory ledger and a broker that can be told to lose, delay, reorder and refuse.
#include "bridge/outbox/relay.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>

#include "bridge/outbox/patience.h"
#include "tests/support/wrapped_ledger.h"
#include "tests/unit/bridge/outbox/relay_fixture.h"

namespace registry::outbox {
namespace {

TEST_F(RelayTest, CarriesInOrderOfCommitAndMovesTheCursor) {
  Say(50);
  auto relay = Relay();
  relay->Start();
  ASSERT_TRUE(publisher_.WaitUntilCarried(50));
  EXPECT_EQ(publisher_.carried(), Numbers(0, 50));
  publisher_.AnswerAll(true);
  ASSERT_TRUE(WaitUntilEmpty(*relay));
  relay->Stop();
  EXPECT_EQ(Cursor(), *ledger_->OutboxLast(ledger::Sink::kMqtt));
}

TEST_F(RelayTest, WhatIsCommittedLaterFollows) {
  auto relay = Relay();
  relay->Start();
  Say(3);
  ASSERT_TRUE(publisher_.WaitUntilCarried(3));
  Say(2);
  ASSERT_TRUE(publisher_.WaitUntilCarried(5));
  EXPECT_EQ(publisher_.carried(), Numbers(0, 5));
  publisher_.AnswerAll(true);
}

TEST_F(RelayTest, NotificationsLeaveRendered) {
  domain::Changeset changes;
  domain::Notification said;
  said.to = *PartyId::Parse("asp-a");
  said.type = "device.activated";
  said.id = *EventId::Parse("n-1");
  said.data = "{}";
  changes.notifications.push_back(said);
  ASSERT_TRUE(ledger_->Commit(std::move(changes)).ok());
  auto relay = Relay();
  relay->Start();
  ASSERT_TRUE(publisher_.WaitUntilCarried(1));
  EXPECT_EQ(publisher_.carried()[0], RenderFeedItem({1, said}).payload);
  publisher_.AnswerAll(true);
}

TEST_F(RelayTest, KeepsAtMostTheLimitInFlight) {
  Say(40);
  auto relay = Relay(8);
  relay->Start();
  publisher_.StartAnswering(1, 1 << 30);
  ASSERT_TRUE(WaitUntilEmpty(*relay));
  EXPECT_LE(publisher_.most(), 8u);
  EXPECT_EQ(publisher_.carried(), Numbers(0, 40));
}

// MQTT 5 §3.2.2.3.3: what the broker allows may be less, and another broker after a reconnection may allow more.
TEST_F(RelayTest, KeepsAtMostWhatThePublisherTakesAtOnceInFlight) {
  publisher_.TakeAtOnce(10);
  Say(25);
  auto relay = Relay();
  relay->Start();
  ASSERT_TRUE(publisher_.WaitUntilCarried(10));
  publisher_.AnswerAll(true);
  ASSERT_TRUE(publisher_.WaitUntilCarried(20));
  EXPECT_EQ(publisher_.most(), 10u);
  publisher_.TakeAtOnce(100);
  publisher_.AnswerAll(true);
  ASSERT_TRUE(publisher_.WaitUntilCarried(25));
  publisher_.AnswerAll(true);
  EXPECT_TRUE(WaitUntilEmpty(*relay));
}

TEST_F(RelayTest, ConfirmationsInAnyOrderMoveTheCursorOnlyOverThePrefix) {
  Say(20);
  auto relay = Relay();
  relay->Start();
  ASSERT_TRUE(publisher_.WaitUntilCarried(20));
  publisher_.AnswerAll(true, /*backwards=*/true);
  ASSERT_TRUE(WaitUntilEmpty(*relay));
  EXPECT_EQ(publisher_.carried().size(), 20u);  // none twice
}

TEST_F(RelayTest, ALostConnectionCarriesEverythingAfterTheCursorAgain) {
  Say(10);
  auto relay = Relay();
  relay->Start();
  ASSERT_TRUE(publisher_.WaitUntilCarried(10));
  publisher_.AnswerAll(false);
  ASSERT_TRUE(publisher_.WaitUntilCarried(20));
  auto twice = Numbers(0, 10);
  const auto once = twice;
  twice.insert(twice.end(), once.begin(), once.end());
  EXPECT_EQ(publisher_.carried(), twice);
  publisher_.AnswerAll(true);
  EXPECT_TRUE(WaitUntilEmpty(*relay));
}

TEST_F(RelayTest, ARefusingPublisherIsTriedAgainUntilItTakes) {
  publisher_.RefuseNext(5);
  Say(4);
  auto relay = Relay();
  relay->Start();
  ASSERT_TRUE(publisher_.WaitUntilCarried(4));
  EXPECT_EQ(publisher_.carried(), Numbers(0, 4));
  publisher_.AnswerAll(true);
  EXPECT_TRUE(WaitUntilEmpty(*relay));
}

TEST_F(RelayTest, StopsCleanlyWhileThePublisherIsAwayAndResumesFromTheCursor) {
  Say(6);
  {
    auto relay = Relay();
    relay->Start();
    ASSERT_TRUE(publisher_.WaitUntilCarried(6));
    publisher_.AnswerAll(true);
    ASSERT_TRUE(WaitUntilEmpty(*relay));
    publisher_.SetConnected(false);
    Say(3);
    ASSERT_TRUE(publisher_.WaitUntilRefused(2));
    relay->Stop();
  }
  publisher_.SetConnected(true);
  auto relay = Relay();
  relay->Start();
  ASSERT_TRUE(publisher_.WaitUntilCarried(9));
  EXPECT_EQ(publisher_.carried(), Numbers(0, 9));
  publisher_.AnswerAll(true);
}

TEST_F(RelayTest, AConfirmationAfterStopHarmsNobody) {
  Say(1);
  RelayOptions options;
  options.stop_deadline = 1ms;
  auto relay = std::make_unique<MqttRelay>(*ledger_, publisher_, options);
  relay->Start();
  ASSERT_TRUE(publisher_.WaitUntilCarried(1));
  relay.reset();
  publisher_.AnswerAll(true);
  EXPECT_EQ(Cursor(), 0u);  // not seen by the relay any more, so the next start carries it again
}

TEST_F(RelayTest, WhatIsRefusedAgainAndAgainIsBuriedAndTheRestGoesOn) {
  publisher_.Doom("2", Fate::kRefused);
  Say(5);
  auto relay = Relay();
  relay->Start();
  ASSERT_TRUE(WaitUntilEmpty(*relay));
  relay->Stop();
  const auto letters = *ledger_->DeadLettersAfter(0, 10);
  ASSERT_EQ(letters.size(), 1u);
  EXPECT_EQ(letters[0].second.topic, "registry/v1/to/mno-a/x");
  EXPECT_EQ(letters[0].second.at.micros, 42);
  EXPECT_EQ(letters[0].second.payload, "");
  EXPECT_EQ(letters[0].second.reason, "undeliverable: outbox entry 3 of 1 octets: scripted");
  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_EQ(Cursor(), 5u);
  const auto carried = publisher_.carried();
  EXPECT_EQ(std::set<std::string>(carried.begin(), carried.end()),
            (std::set<std::string>{"0", "1", "3", "4"}));
}

TEST_F(RelayTest, WhatCanNeverBeCarriedIsBuriedAtOnce) {
  publisher_.Doom("0", Fate::kImpossible);
  Say(2);
  auto relay = Relay();
  relay->Start();
  ASSERT_TRUE(WaitUntilEmpty(*relay));
  EXPECT_FALSE(publisher_.WaitUntilCarried(0) && publisher_.carried() != Numbers(1, 2));
  EXPECT_EQ(ledger_->DeadLettersAfter(0, 10)->size(), 1u);
}

TEST_F(RelayTest, AMereLossBuriesNothingHoweverOftenItHappens) {
  publisher_.Doom("0", Fate::kLost);
  Say(2);
  auto relay = Relay();
  relay->Start();
  ASSERT_TRUE(publisher_.WaitUntilRefused(static_cast<std::size_t>(Patience::kLossesComplained) + 2));
  EXPECT_EQ(ledger_->DeadLettersAfter(0, 10)->size(), 0u);
  {
    std::lock_guard lock(lines_mutex_);
    ASSERT_EQ(lines_.size(), 1u);  // but an operator hears of it
    EXPECT_NE(lines_[0].find("entry 1 "), std::string::npos) << lines_[0];
  }
  publisher_.Redeem();
  ASSERT_TRUE(WaitUntilEmpty(*relay));
  const auto carried = publisher_.carried();
  EXPECT_EQ(std::set<std::string>(carried.begin(), carried.end()), (std::set<std::string>{"0", "1"}));
}

// The entry with this number is not what was written.
class DamagedOutbox : public test::WrappedLedger {
 public:
  DamagedOutbox(ledger::Ledger& inner, ledger::Seq damaged) : WrappedLedger(inner), damaged_(damaged) {}
  Result<std::vector<ledger::OutboxEntry>> OutboxAfter(ledger::Sink sink, ledger::Seq after,
                                                       std::size_t limit,
                                                       std::chrono::milliseconds wait) const override {
    if (after + 1 == damaged_) {
      ++reads_;
      return Error::Make(Code::kFailed, ledger::kLedgerDamaged, "entry 3 of outbox 1: scripted");
    }
    return WrappedLedger::OutboxAfter(sink, after, std::min<std::size_t>(limit, damaged_ - 1 - after), wait);
  }
  int reads() const { return reads_; }

 private:
  const ledger::Seq damaged_;
  mutable std::atomic<int> reads_{0};
};

TEST_F(RelayTest, AnEntryThatCannotBeReadIsSaidOnceAndThoseBeforeItLeave) {
  Say(4);
  DamagedOutbox damaged(*ledger_, 3);
  MqttRelay relay(damaged, publisher_, Options());
  relay.Start();
  ASSERT_TRUE(publisher_.WaitUntilCarried(2));
  publisher_.AnswerAll(true);
  while (damaged.reads() < 5) (void)ledger_->OutboxAfter(ledger::Sink::kMqtt, 1u << 30, 1, 5ms);
  relay.Stop();
  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_NE(lines_[0].find("ledger_damaged: entry 3 of outbox 1"), std::string::npos) << lines_[0];
  EXPECT_EQ(Cursor(), 2u);
}

// Random losses and reorderings while others commit: everything arrives, and whatever was confirmed last for
// each number came after everything before it had been carried at least once.
TEST_F(RelayTest, NothingIsLostWhateverTheBrokerDoes) {
  auto relay = Relay(32);
  publisher_.StartAnswering(20261123, 9);
  relay->Start();
  Say(1500);
  ASSERT_TRUE(WaitUntilEmpty(*relay));
  relay->Stop();
  const auto carried = publisher_.carried();
  std::set<std::string> seen(carried.begin(), carried.end());
  EXPECT_EQ(seen.size(), 1500u);
  int highest = -1;
  for (const std::string& number : carried) {
    ASSERT_LE(std::stoi(number), highest + 1);  // never skips one that was not carried before
    highest = std::max(highest, std::stoi(number));
  }
  EXPECT_EQ(Cursor(), *ledger_->OutboxLast(ledger::Sink::kMqtt));
}

}  // namespace
}  // namespace registry::outbox
