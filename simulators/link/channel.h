// simulators/link/channel.h: the moving part of one connection: a socket, the queue of frames still to be
// sent with the time each is due, and the seeded faults. Shared by the connection's two threads, so that it
// outlives whoever lets go of the connection first. Threads: all calls from any thread; ReadLoop and
// WriteLoop on one thread each. Close ends both loops.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "schemas/base/mutex.h"
#include "simulators/link/frames.h"

namespace registry::sim {

class Channel {
 public:
  using Clock = std::chrono::steady_clock;
  using OnFrame = std::function<void(nlohmann::json)>;

  Channel(int socket, Faults faults);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  bool Send(const nlohmann::json& frame, std::chrono::milliseconds deadline);
  bool open() const;
  void Close();
  void ReadLoop(const OnFrame& on_frame);  // returns when the stream has ended or a frame was not one
  void WriteLoop();

 private:
  Clock::time_point DueOfOne() REQUIRES(mutex_);  // now, or later by the delay fault
  bool TakeDue(std::string& out);                 // waits for due frames; false when closed
  const char* Take(std::size_t size);             // valid until the next; null when the stream has ended
  bool Refill();

  const int socket_;
  const Faults faults_;
  mutable Mutex mutex_;
  CondVar work_, room_;
  std::multimap<Clock::time_point, std::string> queue_
      GUARDED_BY(mutex_);  // bodies; equal times keep their order
  std::mt19937_64 random_ GUARDED_BY(mutex_);
  bool open_ GUARDED_BY(mutex_) = true;
  std::vector<char> buffer_;  // the read thread's, as the two below
  std::size_t consumed_ = 0, filled_ = 0;
};

}  // namespace registry::sim
