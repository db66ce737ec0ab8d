// clients/conformance/run.h: one run: the broker, the party that connects to it, and every case in its order.
// Owns: broker, relay and connection for as long as it runs. Threads: returns when it is over; `say` is called on the
//   caller's thread.
// Errors: what keeps it from beginning (lab, broker) is an Error; what ends it early is ConformanceRun::trouble.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "clients/conformance/bench.h"

namespace registry::conformance {

struct RunOptions {
  std::string lab_file, role, party;       // role: "mno" or "asp"
  std::vector<std::string> only;           // names of cases; empty: all
  std::uint16_t port = 0;                  // to which the party connects; 0: any free one
  std::chrono::milliseconds wait{120000};  // for the party to connect and to show a device
  CaseOptions cases;
  const std::atomic<bool>* interrupted = nullptr;
  std::function<void(const std::string& line)> say = nullptr;
  std::function<void(std::uint16_t port)> listening = nullptr;     // the party may connect now
  std::function<void(const std::string& device)> claim = nullptr;  // an ASP may claim this device now
};

// Of the role, in the order in which they are asked.
std::vector<Case> CasesOf(const std::string& role);
Result<ConformanceRun> RunConformance(const RunOptions& options);

}  // namespace registry::conformance
