// simulators/lab/demo.h: the main job from "MNO registers an eSIM" to "device talks to its ASP", for N devices, in
// a lab of its own; then one device per ASP is deactivated and must be refused.
// Call from the main thread (see process.h). The lab is left running for the caller to stop or keep.
#pragma once

#include <atomic>
#include <memory>

#include "simulators/lab/demo_report.h"
#include "simulators/lab/lab.h"
#include "simulators/lab/run_record.h"
#include "simulators/lab/terminal.h"

namespace registry::lab {

struct DemoOptions {
  LabOptions lab;
  Terminal terminal;                         // live: one line that changes; else plain lines
  bool quiet = false;                        // nothing while it runs
  std::chrono::milliseconds silence{60000};  // nothing heard for so long: give up
  std::chrono::milliseconds deadline{1800000};
  const std::atomic<bool>* interrupted = nullptr;  // set by a signal: give up now
};

struct DemoRun {
  std::unique_ptr<Lab> lab;  // null when not even a folder could be made
  bool servers_came_up = false;
  DemoReport report;
  std::vector<Moment> timeline;
  std::map<std::string, DeviceProgress> devices;
  std::set<std::string> deactivated;  // devices
  std::string trouble;  // a server that did not start or ended, an interruption; empty when there was none
};

DemoRun RunDemo(const DemoOptions& options);

}  // namespace registry::lab
