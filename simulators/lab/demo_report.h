// simulators/lab/demo_report.h: the outcome of a run, for people (tables) and for programs (--report; the names
// are fixed by the project's contract). Plain values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "simulators/lab/progress.h"
#include "simulators/lab/usage.h"

namespace registry::lab {

struct DemoReport {
  std::size_t devices = 0, active = 0;
  std::size_t checked = 0, verifications_ok = 0, sessions_ok = 0;  // of those that check (checks.h)
  std::size_t refused = 0, refusals_wanted = 0;
  // At the ASPs' own brokers: devices that were heard there, and of the deactivated ones those that it put out.
  std::size_t telemetry_heard = 0, telemetry_wanted = 0, put_out = 0;
  struct Failure {
    std::string device, step, reason;
  };
  std::vector<Failure> failed;
  double duration_s = 0, activations_per_s = 0;
  std::map<std::string, Progress::Series> steps;
  std::map<std::string, double> cpu_us_per_activation{
      {"registry", 0}, {"broker", 0}, {"dns", 0}, {"simulators", 0}};
  std::map<std::string, double> simulator_us_per_activation;  // the last of these: mno, asp, devices
  // What the registry did for one activation: messages, changesets, transfers (of the zone), written (octets), switches.
  std::map<std::string, double> registry_per_activation;
  std::uint64_t registry_peak_octets = 0;
  std::map<std::string, std::uint64_t> peak_octets;  // resident, of every process
  std::vector<double> refusal_ms;                    // deactivated -> refused
  // From the moment at which its ASP sent the command.
  struct Revocation {
    std::string device;
    double unserved_ms = 0, disbelieved_ms = 0, refused_ms = 0;  // by name server, resolver, ASP
  };
  std::vector<Revocation> revocations;
  OtaFigures over_the_air;
  std::string trouble;  // what ended the run early, e.g. "interrupted"; empty when nothing did
  bool Good() const;
};

std::string Tenths(double value);  // "12.3"
// The `share` quantile (0 to 1) of sorted values; 0 when there are none.
double Quantile(const std::vector<double>& sorted, double share);

// What the devices reached; the caller adds refusals, CPU and duration.
DemoReport Summarise(const Progress& progress, std::size_t devices);
// Nothing was even started: every device failed at the step "start", because of the first line of `trouble`.
DemoReport NotStarted(std::size_t devices, const std::string& trouble);
// One look at everything that counts.
struct Counted {
  std::map<std::string, Usage> processes;  // Lab::UsageByProcess
  std::map<std::string, double> registry;  // Lab::RegistryCounters
};
// The differences into shares per active device. A process that ended in between is no longer counted by the system: it
// adds nothing.
void AddUsage(const Counted& before, const Counted& after, DemoReport& report);
nlohmann::json ToJson(const DemoReport& report);
// What kept the run from success; empty when nothing did.
std::string OutcomeSentence(const DemoReport& report);
// At most `columns` wide, from 80 on: devices are named by their first characters where the whole name has no room.
std::string DeviceTable(const std::map<std::string, DeviceProgress>& devices, std::size_t columns);
std::string StepTable(const DemoReport& report);
std::string RevocationTable(const DemoReport& report);  // empty without any

}  // namespace registry::lab
