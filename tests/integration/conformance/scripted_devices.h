// tests/integration/conformance/scripted_devices.h: a device on an MNO simulator's radio that does what a good applet
// does: a new key for each time it is asked, a payload only when it is newer than the last.
// Owns: its connection. Threads: the connection's.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "simulators/link/frames.h"

namespace registry::test {

class ScriptedDevice {
 public:
  // Switched on when it is made.
  ScriptedDevice(const std::string& radio_socket, const std::string& iccid, const std::string& eid);
  ~ScriptedDevice();

 private:
  void Hear(const std::shared_ptr<sim::Connection>& from, const nlohmann::json& frame);
  nlohmann::json InstallOf(const nlohmann::json& frame);

  std::uint64_t installed_ = 0;  // version; the connection's thread
  std::shared_ptr<sim::Connection> radio_;
};

}  // namespace registry::test
