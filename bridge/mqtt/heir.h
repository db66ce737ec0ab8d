// bridge/mqtt/heir.h: hears what the broker keeps for nodes that are gone. Of several that hear together (SessionOptions::
// share) each has a session of its own, and Mosquitto gives it its share of the messages whether anybody is connected or
// not; what is in there it gives to nobody else (measured with 2.0.11). So one node goes there under the client identifier
// of the one that is gone, UNSUBSCRIBEs, hears what was kept, and ends the session (DISCONNECT with expiry 0).
// A node that comes back meanwhile is given the session by the broker (§3.1.4), with what the heir has not acknowledged.
// Mosquitto 2.0.11 ends the heir's connection then and says no reason (measured), so it is the caller who knows and says
// Spare; the heir waits some seconds for that before it connects again.
// It unsubscribes as well what a registryd that hears alone hears in its sessions, so that it inherits from those, too.
// Owns one thread from Start to Stop, and one connection at a time. Threads: Start and Stop from one, the rest from any.
//   `handler` is called as that of a session, on the same thread (session.h); `ended` on the heir's.
// Errors: what does not go now is tried again later, with backoff, and said in the log.
// Limits: one session after the other. One that the former node still has a connection to is taken from it, so the caller
//   knows that it is gone.
// Spec: MQTT 5.0 §3.1.2.11.2, §3.10, §3.14.2.2.2, §4.8.2.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bridge/mqtt/session.h"

namespace registry::mqtt {

class Heir {
 public:
  // Everything was heard, and the broker has no such session any more.
  using Ended = std::function<void(const std::string& client_id)>;
  // `terms` as of the session of this node: where the broker is, the files, `share`, may_connect and may_stay, which are
  // asked on the heir's thread. Its client_id is not used. `stir` is called while a connection opens: Session::Stir of the
  // session of this node, or each takes a second or two.
  Heir(
      SessionOptions terms, Session::Handler handler, Ended ended, std::function<void()> stir = [] {});
  ~Heir();
  void Start();
  // The node of this client identifier is gone. Once more while it is at it changes nothing.
  void Inherit(const std::string& client_id);
  void Spare(const std::string& client_id);  // it lives: its session is its own; not told
  std::vector<std::string> waiting() const;  // not ended yet, with the one that is being heard
  // Within about a second; what was not heard yet stays in its session.
  void Stop();

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace registry::mqtt
