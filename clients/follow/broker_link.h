// clients/follow/broker_link.h: one connection of a follower to the broker, over Paho, and the bounded queue of what came.
// Owns: the connection; it ends with the object. Inbox outlives it.
// Threads: Paho's receiving thread fills the inbox and never waits; everything else from the follower's thread.
// Waiting: Open at most 10 s for each answer of the broker, and it looks at `give_up` meanwhile.
// Errors: a text that says what the broker or TLS refused. MQTT 5.0 §2.4 (reason codes), §3.14 (DISCONNECT).
// TLS: the broker's certificate must lead to the CA and name the host. The broker's configuration asks for TLS 1.3.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "clients/follow/follower.h"
#include "schemas/base/mutex.h"
#include "schemas/ids/ids.h"

namespace registry::follow {

// What is wrong with a file that must be read; empty: nothing.
std::string Unreadable(const std::string& file);

class Inbox {
 public:
  struct Message {
    std::string topic, payload;
  };
  static constexpr std::size_t kOctetsMax = std::size_t{16} << 20;
  void Put(Message message);  // dropped beyond kOctetsMax; the feed's numbers tell
  std::optional<Message> Take(std::chrono::milliseconds patience);
  void Wake();  // a Take that waits returns
  void Clear();

 private:
  Mutex mutex_;
  CondVar changed_;
  std::deque<Message> messages_ GUARDED_BY(mutex_);
  std::size_t octets_ GUARDED_BY(mutex_) = 0;
  bool woken_ GUARDED_BY(mutex_) = false;
};

class BrokerLink {
 public:
  using Message = Inbox::Message;
  BrokerLink(const Options& options, PartyId party, const std::string& client_id, Inbox& inbox);
  ~BrokerLink();
  BrokerLink(const BrokerLink&) = delete;
  BrokerLink& operator=(const BrokerLink&) = delete;
  // Connects and subscribes. Empty, or why not.
  std::string Open(const std::function<bool()>& give_up);
  void Publish(std::string_view command, std::string payload);  // what is lost is asked again
  std::string ended() const;                                    // empty while it lives
  bool taken_over() const;                                      // by another connection with the client id

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace registry::follow
