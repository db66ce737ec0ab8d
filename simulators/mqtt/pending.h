// simulators/mqtt/pending.h: commands that wait for their replies, and when each must be said again or given
// up. Threads: all calls from any thread; handlers are handed out, never called here.
#pragma once

#include <chrono>
#include <optional>
#include <queue>
#include <string>
#include <unordered_map>
#include <vector>

#include "schemas/base/mutex.h"
#include "simulators/mqtt/client.h"

namespace registry::sim {

class PendingCommands {
 public:
  using Clock = std::chrono::steady_clock;
  struct Message {
    std::string topic, payload;
  };
  struct Due {
    std::vector<Message> again;
    std::vector<PartyClient::OnReply> given_up;
    std::optional<Clock::time_point> next;
  };

  PendingCommands(std::chrono::milliseconds repeat_after, std::chrono::milliseconds give_up_after,
                  std::size_t in_flight_max)
      : repeat_after_(repeat_after), give_up_after_(give_up_after), in_flight_max_(in_flight_max) {}

  bool Add(const std::string& id, Message message, PartyClient::OnReply on_reply, Clock::time_point now);
  std::optional<PartyClient::OnReply> Take(const std::string& id);
  // Not to be said before `until`, and then again; false: it is not there, or is given up before.
  bool PutOff(const std::string& id, Clock::time_point until);
  std::optional<std::string> Any();  // the id of one that waits
  // What must be published again, and whose deadline has passed. `everything`: a new connection, nothing said
  // is sure.
  Due TakeDue(Clock::time_point now, bool everything);

 private:
  struct Command {
    Message message;
    PartyClient::OnReply on_reply;
    Clock::time_point give_up, turn, not_before;
  };
  using Turn = std::pair<Clock::time_point, std::string>;

  const std::chrono::milliseconds repeat_after_, give_up_after_;
  const std::size_t in_flight_max_;
  Mutex mutex_;
  std::unordered_map<std::string, Command> commands_ GUARDED_BY(mutex_);
  // Of a command the one that is its `turn`; others are passed over.
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns_ GUARDED_BY(mutex_);
};

}  // namespace registry::sim
