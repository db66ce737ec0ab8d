// simulators/device/telemetry_keeper.h: holds the devices' sessions with their ASPs' brokers, so that a broker can put a
// device out, and says so when one ends.
// Owns: the sessions, at most one for each device, and one thread for all of them. Threads: any; `on_end` runs on the
//   keeper's.
// Limits: kSessionsMost sessions; one more takes the place of none and is not kept.
// Errors: none; a session that ends is told with its reason (broker_link.h).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "schemas/base/descriptor.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"
#include "simulators/device/telemetry.h"

namespace registry::sim {

class TelemetryKeeper {
 public:
  static constexpr std::size_t kSessionsMost = 10'000;
  using OnEnd = std::function<void(const std::string& device, const std::string& reason)>;

  explicit TelemetryKeeper(OnEnd on_end);
  ~TelemetryKeeper() { Stop(); }
  TelemetryKeeper(const TelemetryKeeper&) = delete;
  TelemetryKeeper& operator=(const TelemetryKeeper&) = delete;

  // The device's session ends, without a word. Before another one is opened: a broker ends the former by itself, and that
  // would be told.
  void LetGo(const std::string& device);
  // One that the device had before ends, without a word. False: there is no room.
  bool Keep(const std::string& device, std::unique_ptr<Telemetry> session);
  void Stop();

 private:
  using Sessions = std::map<std::string, std::shared_ptr<Telemetry>>;
  void Run();
  void Wait(const Sessions& sessions) const;
  Sessions Now();
  void Drop(const std::string& device, const std::shared_ptr<Telemetry>& session);

  const OnEnd on_end_;
  const Descriptor wake_;
  Mutex mutex_;
  Sessions sessions_ GUARDED_BY(mutex_);
  // Of devices that have a newer one. They end on the keeper's thread, which alone drives sessions.
  std::vector<std::shared_ptr<Telemetry>> replaced_ GUARDED_BY(mutex_);
  OwnThread thread_;
};

}  // namespace registry::sim
