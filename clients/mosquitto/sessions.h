// clients/mosquitto/sessions.h: which connection of the broker is which device's, and where that device may publish and
// subscribe.
// Owns: nothing of the broker's; a connection is known by its address, from its acceptance to its end.
// Threads: Mosquitto's only one. Limits: one entry per connected device.
#pragma once

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
  void Begin(const mosquitto* connection, Session session);
  void End(const mosquitto* connection);
  // Null: no device's.
  const Session* Find(const mosquitto* connection) const;
  // Client ids of the device's connections; an empty device: of all.
  std::vector<Session> Of(const std::string& device) const;

 private:
  std::map<const mosquitto*, Session> sessions_;
};

}  // namespace registry::clients
