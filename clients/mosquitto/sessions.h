// clients/mosquitto/sessions.h: which connection of the broker is which device's, and where that device may publish and
// subscribe.
// Owns: nothing of the broker's; a connection is known by its address, from its acceptance until another is at that address.
//   Its end is not enough: Mosquitto tells of it before it asks about the last will, which can leave much later
//   (MQTT5 3.1.3.2.2, Will Delay Interval), and about messages that it keeps for a session.
// Threads: Mosquitto's only one. Limits: one entry per connected device, and kEndedMax of such as have gone.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

struct mosquitto;

namespace registry::clients {

// "devices/%d/#": %d becomes the device's id. It must end in "/#" and hold %d as a level of its own.
class TopicSpace {
 public:
  // False, and unchanged: it has not that form.
  bool Set(std::string_view pattern);
  // A topic, or a filter: what follows the prefix may hold wildcards, which then cannot reach beyond it.
  bool Holds(const std::string& device, std::string_view topic) const;

 private:
  std::string before_ = "devices/", after_ = "/";
};

class Sessions {
 public:
  struct Session {
    std::string device, client_id;
  };
  static constexpr std::size_t kEndedMax = 65536;

  void Begin(const mosquitto* connection, Session session);
  void End(const mosquitto* connection);
  // Somebody else is at that address.
  void Forget(const mosquitto* connection);
  // Null: no device's.
  const Session* Find(const mosquitto* connection) const;
  // The device's connections that have not ended; an empty device: of all.
  std::vector<Session> Of(const std::string& device) const;

 private:
  struct Known {
    Session session;
    std::uint64_t ended = 0;  // the number of its end; 0: it has not ended
  };
  struct Ended {
    const mosquitto* connection;
    std::uint64_t number;
  };
  std::map<const mosquitto*, Known> sessions_;
  std::deque<Ended>
      ended_;  // the first to go first. Behind some of the addresses is another by now: its number differs
  std::uint64_t ends_ = 0;
};

}  // namespace registry::clients
