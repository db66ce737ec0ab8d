// bridge/ingest/parsers.h: between the thread that hears and the lanes that decide: messages wait here, each sender's in
// a line of its own, until one of a few threads handles them in turn (fair_queue.h, by octets).
// Order: one sender's messages are handled one after the other, in the order they came.
// Owns its threads from Start to Stop. Add, Done and waiting from any thread; Add never waits.
// Limits: at most ahead_max messages of one sender are handled and not yet done, and kAheadCrowded while many replies wait
//   for the broker: then lanes that decide faster than replies leave would only lengthen everybody's way. More of them
//   wait here, where they are nobody else's trouble. How much waits is up to whoever adds (shares.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "bridge/ingest/fair_queue.h"
#include "bridge/ingest/intake.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::ingest {

// A message that found its place, and whose share it takes.
struct Arrived {
  Intake::Ticket ticket = 0;
  std::string sender;
  std::size_t octets = 0;
  InboundMessage message;
  std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
  std::size_t messages = 1;            // that it counts as
  std::optional<std::size_t> place{};  // of an item in its batch
};

// What became of a message: it is ahead, or it is done, or it came apart into others, which are handled one by one before
// anything its sender said later.
struct Handled {
  Handled(bool is_ahead) : ahead(is_ahead) {}  // NOLINT(google-explicit-constructor)
  Handled(std::vector<Arrived> came_apart)
      : parts(std::move(came_apart)) {}  // NOLINT(google-explicit-constructor)
  bool ahead = false;                    // until Done says otherwise
  std::vector<Arrived> parts;
};

class Parsers {
 public:
  using Handle = std::function<Handled(Arrived)>;
  static constexpr std::size_t kAheadCrowded = 2;
  static constexpr std::uint64_t kCrowd = 64;  // replies on their way to the broker
  using Backlog = std::function<std::uint64_t()>;
  Parsers(std::size_t ahead_max, Backlog backlog, Handle handle);
  ~Parsers() { Stop(std::chrono::milliseconds(0)); }
  void Start();
  void Add(Arrived arrived);  // once stopping, forgotten: its record stays in the intake
  void Done(const std::string& sender);
  void Stop(std::chrono::milliseconds deadline);  // handles what waits until then
  std::size_t waiting() const;

 private:
  struct Sender {
    bool handled = false;  // by a thread, at this moment
    std::size_t ahead = 0;
  };
  void Run();
  void Settle(const std::string& sender, Handled handled) REQUIRES(mutex_);
  void Update(const std::string& sender, const std::function<void(Sender&)>& change) REQUIRES(mutex_);

  const std::size_t ahead_max_;
  const Backlog backlog_;
  const Handle handle_;
  mutable Mutex mutex_;
  CondVar ready_;  // for one thread: a message of somebody who is not held
  CondVar idle_;   // for Stop: nothing waits and nothing is handled
  FairQueue<Arrived> queue_ GUARDED_BY(mutex_);
  std::map<std::string, Sender> senders_ GUARDED_BY(mutex_);  // only those with something under way
  bool crowded_ GUARDED_BY(mutex_) = false;
  std::size_t handling_ GUARDED_BY(mutex_) = 0;
  bool closing_ GUARDED_BY(mutex_) = false;
  OwnThread threads_{mutex_, ready_};
};

}  // namespace registry::ingest
