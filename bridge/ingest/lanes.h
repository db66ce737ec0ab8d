// bridge/ingest/lanes.h: a fixed set of threads; work with the same key runs on one of them and one piece after the other,
// one sender's in order, the senders' in turn: whoever posts much stands before nobody else.
// A piece may end later than its call: it holds its key as long as a copy of its Strand is there, and goes on by
// Strand::Then, on its lane and before anything new. So a lane that waits for the disk with one device decides for others.
// Owns its threads. Post blocks while queue_max pieces of work wait or hold their keys (back-pressure to the broker) and
// answers false once stopping. Stop lets what was posted (every Post that answers true) finish until the deadline, drops
// what has not begun by then, and joins when no Strand is left: what was begun goes on to its end. Safe from
// any thread but a lane; a Strand's calls from any.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "bridge/ingest/fair_queue.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::ingest {

// The hold of a piece of work on its key. Plain value; the key is free when the last copy goes.
class Strand {
 public:
  // Runs `next` on the key's lane, soon. What it needs it has with it, a copy of this Strand if it is not the end.
  void Then(std::function<void()> next) const { hold_->then(std::move(next)); }
  // The same for whoever knows nothing of lanes; it holds the key, too.
  std::function<void(std::function<void()>)> Onward() const {
    return [strand = *this](std::function<void()> next) { strand.Then(std::move(next)); };
  }

 private:
  friend class Lanes;
  struct Hold {
    std::function<void(std::function<void()>)> then;
    std::function<void()> end;
    ~Hold() { end(); }
  };
  explicit Strand(std::shared_ptr<Hold> hold) : hold_(std::move(hold)) {}
  std::shared_ptr<Hold> hold_;
};

class Lanes {
 public:
  using Work = std::function<void()>;              // done when it returns
  using StrandWork = std::function<void(Strand)>;  // done when its Strand is gone
  Lanes(std::size_t count, std::size_t queue_max);
  ~Lanes();
  bool Post(std::size_t key, const std::string& sender, Work work);
  bool Post(std::size_t key, const std::string& sender, StrandWork work);
  void Stop(std::chrono::milliseconds deadline);
  std::size_t queued() const { return queued_.load(); }

 private:
  struct Piece {
    std::size_t key;
    StrandWork work;
  };
  struct Lane {
    Mutex mutex;
    CondVar wake;
    FairQueue<Piece> queue GUARDED_BY(mutex){1};
    std::deque<Work> going_on
        GUARDED_BY(mutex);  // what Strands have said, and pieces whose key has become free
    std::unordered_map<std::size_t, FairQueue<StrandWork>> held
        GUARDED_BY(mutex);  // keys, and what waits for each
    OwnThread thread{mutex, wake};
  };
  void Run(Lane& lane);
  Work Next(Lane& lane) REQUIRES(lane.mutex);
  Work Begin(Lane& lane, std::size_t key, StrandWork work);
  static void GoOn(Lane& lane, Work next);
  void End(Lane& lane, std::size_t key);
  void Taken();

  const std::size_t queue_max_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::atomic<std::size_t> queued_{0};  // posted and not finished
  Mutex space_mutex_;
  CondVar space_;
  bool closing_ GUARDED_BY(space_mutex_) = false;
  std::atomic<bool> dropping_{false};
};

}  // namespace registry::ingest
