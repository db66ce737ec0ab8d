// tests/integration/mqtt/inbox.h: what reached a session's handler. Any thread; every wait has a deadline.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "bridge/mqtt/session.h"

namespace registry::test {

class Inbox {
 public:
  mqtt::Session::Handler Handler() {
    return [this](ingest::InboundMessage message) {
      std::unique_lock lock(mutex_);
      messages_.push_back(std::move(message));
      changed_.notify_all();
      // A handler may have to wait for room (back-pressure); Hold plays that.
      changed_.wait_for(lock, std::chrono::seconds(30), [this] { return !held_; });
    };
  }
  bool WaitFor(std::size_t count, std::chrono::seconds deadline = std::chrono::seconds(30)) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, deadline, [&] { return messages_.size() >= count; });
  }
  void Hold(bool held) {
    std::lock_guard lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }
  std::vector<ingest::InboundMessage> messages() {
    std::lock_guard lock(mutex_);
    return messages_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<ingest::InboundMessage> messages_;
  bool held_ = false;
};

}  // namespace registry::test
