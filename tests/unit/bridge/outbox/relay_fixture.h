// tests/unit/bridge/outbox/relay_fixture.h: the relay between the real memory ledger and a broker that can be told to lose,
// delay, reorder and refuse.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "bridge/outbox/relay.h"

namespace registry::outbox {

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

}  // namespace registry::outbox
