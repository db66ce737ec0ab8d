// The relay against the real memory ledger and a broker that can be told to lose, delay, reorder and refuse.
#include "bridge/outbox/relay.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <random>
#include <set>

#include "bridge/outbox/patience.h"
#include "tests/support/wrapped_ledger.h"

namespace registry::outbox {
namespace {

using namespace std::chrono_literals;
using Fate = Publisher::Fate;
using Confirmed = Publisher::Confirmed;

// Keeps what it is given until told what becomes of it. Answers on a thread of its own when `answering`.
class ScriptedPublisher : public Publisher {
 public:
  ~ScriptedPublisher() override { StopAnswering(); }

  Status Publish(Message message, Confirmed confirmed) override {
    std::lock_guard lock(mutex_);
    if (refusals_ > 0 || !connected_) {
      if (refusals_ > 0) --refusals_;
      ++refused_;
      changed_.notify_all();
      return Error::Make(Code::kFailed, "not_connected", "scripted");
    }
    if (const auto doomed = doomed_.find(message.payload); doomed != doomed_.end()) {
      ++refused_;
      changed_.notify_all();
      confirmed({doomed->second, "scripted"});
      return Done{};
    }
    carried_.push_back(message.payload);
    if (obliging_) {
      changed_.notify_all();
      confirmed({});
      return Done{};
    }
    waiting_.push_back(std::move(confirmed));
    most_ = std::max(most_, waiting_.size());
    changed_.notify_all();
    return Done{};
  }

  std::size_t AtOnceMax() const override {
    std::lock_guard lock(mutex_);
    return at_once_;
  }
  void TakeAtOnce(std::size_t count) {
    Locked([&] { at_once_ = count; });
  }

  void RefuseNext(int count) {
    Locked([&] { refusals_ = count; });
  }
  void SetConnected(bool connected) {
    Locked([&] { connected_ = connected; });
  }

  // Whatever has this payload ends like this at once; everything else is taken at once.
  void Doom(const std::string& payload, Fate fate) {
    Locked([&] { doomed_[payload] = fate, obliging_ = true; });
  }
  void Redeem() {
    Locked([&] { doomed_.clear(); });
  }

  bool WaitUntilCarried(std::size_t count) {
    return Wait([&] { return carried_.size() >= count; });
  }
  bool WaitUntilRefused(std::size_t count) {
    return Wait([&] { return refused_ >= count; });
  }
  // Answers what waits, first to last or last to first.
  void AnswerAll(bool confirmed, bool backwards = false) {
    std::deque<Confirmed> waiting;
    Locked([&] { waiting.swap(waiting_); });
    if (backwards) std::reverse(waiting.begin(), waiting.end());
    for (auto& answer : waiting) answer({confirmed ? Fate::kTaken : Fate::kLost, "scripted"});
  }
  // Answers on another thread, in random order, one in `one_in` with a failure.
  void StartAnswering(unsigned seed, int one_in) {
    answering_ = true;
    thread_ = std::thread([this, seed, one_in] { Answer(seed, one_in); });
  }
  void StopAnswering() {
    Locked([&] { answering_ = false; });
    if (thread_.joinable()) thread_.join();
    AnswerAll(false);
  }
  std::vector<std::string> carried() {
    std::lock_guard lock(mutex_);
    return carried_;
  }
  std::size_t most() {
    std::lock_guard lock(mutex_);
    return most_;
  }

 private:
  template <class Change>
  void Locked(Change change) {
    {
      std::lock_guard lock(mutex_);
      change();
    }
    changed_.notify_all();
  }
  template <class Condition>
  bool Wait(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 20s, condition);
  }
  void Answer(unsigned seed, int one_in) {
    std::mt19937 random(seed);
    std::unique_lock lock(mutex_);
    while (answering_) {
      changed_.wait_for(lock, 5ms, [&] { return !waiting_.empty() || !answering_; });
      std::deque<Confirmed> batch;
      batch.swap(waiting_);
      lock.unlock();
      std::shuffle(batch.begin(), batch.end(), random);
      for (auto& answer : batch) {
        answer({random() % static_cast<unsigned>(one_in) != 0 ? Fate::kTaken : Fate::kLost, "scripted"});
      }
      lock.lock();
    }
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> carried_;
  std::deque<Confirmed> waiting_;
  std::size_t most_ = 0, refused_ = 0;
  int refusals_ = 0;
  std::map<std::string, Fate> doomed_;
  bool obliging_ = false;
  std::size_t at_once_ = 100000;
  bool connected_ = true, answering_ = false;
  std::thread thread_;
};

class RelayTest : public ::testing::Test {
 protected:
  void Say(int count) {
    for (int i = 0; i < count; ++i) {
      domain::Changeset changes;
      changes.messages.push_back({"registry/v1/to/mno-a/x", std::to_string(said_++), ""});
      ASSERT_TRUE(ledger_->Commit(std::move(changes)).ok());
    }
  }
  RelayOptions Options(std::size_t in_flight_max = 1000) {
    RelayOptions options;
    options.in_flight_max = in_flight_max;
    options.retry_after = 1ms;
    options.stop_deadline = 2000ms;
    options.now = [] { return UtcTime{42}; };
    options.log = [this](int level, const std::string& line) {
      std::lock_guard lock(lines_mutex_);
      if (level == 3) lines_.push_back(line);
    };
    return options;
  }
  std::unique_ptr<MqttRelay> Relay(std::size_t in_flight_max = 1000) {
    return std::make_unique<MqttRelay>(*ledger_, publisher_, Options(in_flight_max));
  }
  ledger::Seq Cursor() { return ledger_->LoadSink(ledger::Sink::kMqtt)->cursor; }
  std::vector<std::string> Numbers(int from, int to) {
    std::vector<std::string> numbers;
    for (int i = from; i < to; ++i) numbers.push_back(std::to_string(i));
    return numbers;
  }
  // Waits on the depth without sleeping: every step of the relay is a ledger read of at most 100 ms.
  bool WaitUntilEmpty(const MqttRelay& relay) {
    const auto until = std::chrono::steady_clock::now() + 30s;
    while (relay.Depth() > 0 && std::chrono::steady_clock::now() < until) {
      (void)ledger_->OutboxAfter(ledger::Sink::kMqtt, 1u << 30, 1, 5ms);
    }
    return relay.Depth() == 0;
  }

  std::unique_ptr<ledger::Ledger> ledger_ = ledger::OpenMemoryLedger();
  ScriptedPublisher publisher_;
  int said_ = 0;
  std::mutex lines_mutex_;
  std::vector<std::string> lines_;  // of level 3
};

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
