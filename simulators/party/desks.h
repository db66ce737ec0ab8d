// simulators/party/desks.h: hands authorisation codes to other parties' desks and says them again until they are noted.
// Owns: a connection per party and one thread that dials and repeats. Any thread may call HandOver.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"
#include "simulators/link/frames.h"

namespace registry::sim {

class Desks {
 public:
  Desks(std::map<std::string, std::string> sockets, std::chrono::milliseconds repeat_after);
  ~Desks();
  // Names the device; one that waits for the same device is replaced (frames.h, "Desk"). A party without a desk: nothing.
  void HandOver(const std::string& party, nlohmann::json frame);

 private:
  struct Desk {
    std::string socket;
    std::shared_ptr<Connection> connection;         // only the thread sets it
    std::map<std::string, nlohmann::json> waiting;  // device -> frame, until noted
  };
  void Loop();
  void Visit(Desk& desk);  // dials if need be, says everything that waits again
  void Noted(Desk& desk, const nlohmann::json& frame);

  const std::chrono::milliseconds repeat_after_;
  Mutex mutex_;
  CondVar wake_;
  bool handed_over_ GUARDED_BY(mutex_) = false;  // since the thread went round last; it may not have seen it
  std::map<std::string, Desk> desks_;  // entries never come or go; what they hold is guarded by mutex_
  OwnThread thread_{mutex_, wake_};
};

}  // namespace registry::sim
