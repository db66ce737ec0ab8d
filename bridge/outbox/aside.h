// bridge/outbox/aside.h: what is said once and kept nowhere: replies to reads. An asker that hears nothing asks again.
// Order: a reply leaves only when everything that was committed before it was made has been confirmed by the broker, so a
//   party never reads of a change and hears of it later; and only while few durable messages wait.
// Share: `rest` is the publisher as the relay sees it, kAtOnce messages at once less, so that neither finds the other in its
//   way. Of one that takes very few at once nothing is set apart; replies then leave one by one, while nothing else is out.
// Owns: one thread from Start to Stop. Publisher and what is asked of the outbox outlive it.
// Threads: Offer and the counts from any thread; Offer never waits.
// Limits: kShareMax octets of one party and kOctetsMax of all wait, each for kPatience at most; kAtOnce are on their way.
//   What is over that is dropped and counted.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "bridge/outbox/relay.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::outbox {

class Aside {
 public:
  static constexpr std::size_t kAtOnce = 16;
  static constexpr std::size_t kShareMax = std::size_t{2} << 20;
  static constexpr std::size_t kOctetsMax = std::size_t{32} << 20;
  static constexpr std::chrono::seconds kPatience{5};
  static constexpr std::uint64_t kCrowd = 64;  // durable messages that wait, beyond which nothing leaves here

  struct Outbox {
    std::function<ledger::Seq()> last;     // committed
    std::function<std::uint64_t()> depth;  // of those, not yet confirmed
    // They leave through another connection, so that nothing here is in their way.
    bool of_another = false;
  };
  Aside(Publisher& publisher, Outbox outbox, std::chrono::milliseconds patience = kPatience);
  ~Aside() { Stop(); }
  Publisher& rest() { return rest_; }
  void Start();
  void Finish(std::chrono::milliseconds within);  // waits until nothing waits
  void Stop() { thread_.Stop(); }                 // what waits is dropped
  // To `party`, whose share it takes.
  void Offer(const PartyId& party, domain::OutgoingMessage message);
  std::uint64_t said() const;
  std::uint64_t dropped() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Waiting {
    Publisher::Message message;
    std::size_t octets = 0;
    ledger::Seq behind = 0;  // leaves once everything up to here is confirmed
    Clock::time_point until;
  };
  struct Line {
    std::deque<Waiting> waiting;
    std::size_t octets = 0;
  };
  class Rest final : public Publisher {
   public:
    explicit Rest(Publisher& all) : all_(all) {}
    Status Publish(Message message, Confirmed confirmed) override {
      return all_.Publish(std::move(message), std::move(confirmed));
    }
    std::size_t AtOnceMax() const override {
      const std::size_t all = all_.AtOnceMax();
      return all < kAtOnceWorthSharing ? all : all - kAtOnce;
    }

   private:
    Publisher& all_;
  };
  static constexpr std::size_t kAtOnceWorthSharing = 4 * kAtOnce;
  // Outlives this object when a confirmation comes late.
  struct Flight {
    Mutex mutex;
    std::size_t count GUARDED_BY(mutex) = 0;
    std::uint64_t said GUARDED_BY(mutex) = 0, dropped GUARDED_BY(mutex) = 0;
  };
  void Run();
  std::optional<Waiting> TakeNext(ledger::Seq confirmed) REQUIRES(mutex_);
  void DropOld(Clock::time_point now) REQUIRES(mutex_);
  Waiting TakeFirst(Line& line) REQUIRES(mutex_);
  bool Publish(Waiting waiting);
  void CountDropped(std::uint64_t messages);
  bool RoomInFlight(std::uint64_t depth) const;

  Publisher& publisher_;
  Rest rest_{publisher_};
  const Outbox outbox_;
  const std::chrono::milliseconds patience_;
  const std::shared_ptr<Flight> flight_ = std::make_shared<Flight>();
  mutable Mutex mutex_;
  CondVar changed_;
  std::map<PartyId, Line> lines_ GUARDED_BY(mutex_);  // only parties with something that waits
  PartyId turn_ GUARDED_BY(mutex_);                   // whose turn was last
  std::size_t octets_ GUARDED_BY(mutex_) = 0;
  OwnThread thread_{mutex_, changed_};
};

}  // namespace registry::outbox
