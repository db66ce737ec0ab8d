// tests/integration/follow/feed_script.h: a registry on a real broker that has nothing but feeds, and says what a test wants
// of them: gaps, duplicates, batches, what cannot be read. It answers feed.replay and feed.ack as schemas/README.md says.
// Fault model: only what a test calls for. It keeps every notification above the acknowledged number.
// Owns: its connection to the broker. One thread; it works while Until waits, which has a deadline.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/integration/mqtt/broker.h"
#include "tests/support/raw_mqtt.h"

namespace registry::test {

class FeedScript {
 public:
  explicit FeedScript(Broker& broker) : broker_(broker) { Connect(); }
  void Connect();  // anew, when the broker has been away

  struct Feed {
    std::uint64_t last = 0, acked = 0;
    std::vector<std::uint64_t> replays;  // from which number, in the order in which they were asked for
    bool batches = false;                // replays travel in batches of up to 100
    bool forgets = false;                // what is acknowledged is not kept
    bool reply_first = false;            // the reply comes before what is replayed
    int unanswered = 0;                  // so many replays get neither reply nor notifications
  };
  Feed& of(const std::string& party) { return feeds_[party]; }

  static std::string Envelope(std::uint64_t seq);
  static std::string Odd(const std::string& seq);            // one that is none; empty: without seq
  void Notify(const std::string& party, std::uint64_t seq);  // alone; the feed's last number follows
  void NotifyBatch(const std::string& party, const std::vector<std::string>& envelopes, std::uint64_t last);
  void Say(const std::string& party, const std::string& topic, const std::string& payload);
  // Answers until the condition holds; false at the deadline.
  bool Until(const std::function<bool()>& holds, std::chrono::seconds deadline = std::chrono::seconds(30));

 private:
  void Answer(const RawMessage& message);
  void Replay(const std::string& party, Feed& feed, std::uint64_t from, const std::string& cause);
  void Reply(const std::string& party, const std::string& command, const std::string& cause,
             std::uint64_t replayed);

  Broker& broker_;
  std::unique_ptr<RawMqtt> mqtt_;
  std::map<std::string, Feed> feeds_;
};

}  // namespace registry::test
