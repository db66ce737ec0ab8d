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

#include "schemas/base/mutex.h"
#include "simulators/link/frames.h"

namespace registry::sim {

class Channel {
 public:
  using Clock = std::chrono::steady_clock;
  using OnFrame = std::function<void(const nlohmann::json&)>;

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
  bool ReadExact(char* out, std::size_t size);
  bool Refill();

  const int socket_;
  const Faults faults_;
  mutable Mutex mutex_;
  CondVar work_, room_;
  std::multimap<Clock::time_point, std::string> queue_ GUARDED_BY(mutex_);  // equal times keep their order
  std::mt19937_64 random_ GUARDED_BY(mutex_);
  bool open_ GUARDED_BY(mutex_) = true;
  std::string buffer_;  // read thread only
  std::size_t consumed_ = 0;
};

}  // namespace registry::sim
