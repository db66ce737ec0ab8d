#include "simulators/lab/demo_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "simulators/lab/timeline.h"

namespace registry::lab {
namespace {

constexpr const char* kShown[] = {"register", "claim", "csr", "activated", "verify", "session"};

constexpr std::size_t kStep = 8;  // columns, at least

std::string Right(const std::string& text, std::size_t width) {
  return text.size() >= width ? " " + text : std::string(width - text.size(), ' ') + text;
}

std::string Left(const std::string& text, std::size_t width) {
  return text.size() >= width ? text + " " : text + std::string(width - text.size(), ' ');
}

bool IsCheck(std::string_view step) { return step == "verify" || step == "session" || step == "asp_check"; }

// Where a device that did not get through stands: a step that failed, or the first one missing.
DemoReport::Failure WhyNot(const std::string& id, const DeviceProgress& device) {
  for (const char* step : kSteps) {
    const auto found = device.steps.find(step);
    if (found != device.steps.end() && !found->second.ok) return {id, step, found->second.reason};
  }
  for (const char* step : kSteps) {
    if (!device.Ok(step) && (device.checks || !IsCheck(step))) return {id, step, "not reached"};
  }
  return {id, "", "unknown"};
}

}  // namespace

std::string Tenths(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

bool DemoReport::Good() const {
  return devices > 0 && active == devices && verifications_ok == checked && sessions_ok == checked &&
         refused == refusals_wanted && telemetry_heard == telemetry_wanted &&
         (telemetry_wanted == 0 || put_out == refusals_wanted) && failed.empty();
}

double Quantile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

DemoReport Summarise(const Progress& progress, std::size_t devices) {
  DemoReport report;
  report.devices = devices;
  report.steps = progress.series();
  report.over_the_air = progress.over_the_air();
  const auto heard = progress.devices();
  for (const auto& [id, device] : heard) {
    report.active += device.Ok("activated") ? 1 : 0;
    report.checked += device.checks ? 1 : 0;
    report.verifications_ok += device.Ok("verify") ? 1 : 0;
    report.sessions_ok += device.Ok("session") && device.Ok("asp_check") ? 1 : 0;
    if (!device.Complete()) report.failed.push_back(WhyNot(id, device));
  }
  for (std::size_t missing = heard.size(); missing < devices; ++missing) {
    report.failed.push_back({"", "register", "not reached"});
  }
  return report;
}

DemoReport NotStarted(std::size_t devices, const std::string& trouble) {
  DemoReport report;
  report.devices = devices;
  report.failed.assign(devices, {"", "start", trouble.substr(0, trouble.find('\n'))});
  return report;
}

namespace {

std::uint64_t Since(std::uint64_t before, std::uint64_t after) { return after - std::min(after, before); }

Usage UsageOf(const std::map<std::string, Usage>& processes, const std::string& name) {
  const auto found = processes.find(name);
  return found == processes.end() ? Usage() : found->second;
}

void AddRegistry(const Counted& before, const Counted& after, double devices, DemoReport& report) {
  const Usage first = UsageOf(before.processes, "registryd"), last = UsageOf(after.processes, "registryd");
  auto& shares = report.registry_per_activation;
  shares["switches"] = static_cast<double>(Since(first.switches, last.switches)) / devices;
  shares["written"] = static_cast<double>(Since(first.written, last.written)) / devices;
  const std::vector<std::pair<std::string, std::vector<std::string>>> sums{
      {"messages", {"registry_mqtt_heard_total", "registry_mqtt_said_total"}},
      {"changesets", {"registry_changesets_total"}},
      {"transfers", {"registry_zone_axfr_total", "registry_zone_ixfr_total"}}};
  for (const auto& [share, counters] : sums) {
    double sum = 0;
    for (const std::string& counter : counters) {
      if (!before.registry.contains(counter) || !after.registry.contains(counter)) continue;
      sum += after.registry.at(counter) - before.registry.at(counter);
    }
    shares[share] = sum / devices;
  }
  report.registry_peak_octets = last.peak_octets;
  for (const auto& [name, usage] : after.processes) report.peak_octets[name] = usage.peak_octets;
}

}  // namespace

void AddUsage(const Counted& before, const Counted& after, DemoReport& report) {
  const auto devices = static_cast<double>(std::max<std::size_t>(report.active, 1));
  for (auto& [part, micros] : report.cpu_us_per_activation) micros = 0;
  for (const auto& [name, usage] : after.processes) {
    const auto used = static_cast<double>(Since(UsageOf(before.processes, name).cpu_us, usage.cpu_us));
    const std::string part = PartOf(name);
    report.cpu_us_per_activation[part] += used / devices;
    // One of several is named with a letter after its kind.
    if (part == "simulators")
      report.simulator_us_per_activation[name.substr(0, name.find('-'))] += used / devices;
  }
  AddRegistry(before, after, devices, report);
}

nlohmann::json ToJson(const DemoReport& report) {
  nlohmann::json failed = nlohmann::json::array(), steps = nlohmann::json::object(),
                 revocations = nlohmann::json::array();
  for (const auto& revocation : report.revocations) {
    revocations.push_back({{"device", revocation.device},
                           {"unserved_ms", revocation.unserved_ms},
                           {"disbelieved_ms", revocation.disbelieved_ms},
                           {"refused_ms", revocation.refused_ms}});
  }
  for (const auto& failure : report.failed) {
    failed.push_back({{"device", failure.device}, {"step", failure.step}, {"reason", failure.reason}});
  }
  for (const auto& [step, series] : report.steps) {
    steps[step] = {{"count", series.ms.size()},
                   {"failures", series.failures},
                   {"p50_ms", Quantile(series.ms, 0.5)},
                   {"p99_ms", Quantile(series.ms, 0.99)},
                   {"max_ms", series.ms.empty() ? 0 : series.ms.back()}};
  }
  return {{"devices", report.devices},
          {"active", report.active},
          {"failed", failed},
          {"checked", report.checked},
          {"device_verifications_ok", report.verifications_ok},
          {"asp_sessions_ok", report.sessions_ok},
          {"refused_after_deactivation", report.refused},
          {"telemetry_heard", report.telemetry_heard},
          {"put_out_by_broker", report.put_out},
          {"trouble", report.trouble},
          {"refusal_ms", report.refusal_ms},
          {"revocations", revocations},
          {"duration_s", report.duration_s},
          {"activations_per_s", report.activations_per_s},
          {"steps", steps},
          {"cpu_us_per_activation", report.cpu_us_per_activation},
          {"simulator_us_per_activation", report.simulator_us_per_activation},
          {"registry_per_activation", report.registry_per_activation},
          {"registry_peak_octets", report.registry_peak_octets},
          {"peak_octets", report.peak_octets}};
}

std::string OutcomeSentence(const DemoReport& report) {
  const std::string through =
      std::to_string(report.active) + " of " + std::to_string(report.devices) + " devices were active";
  if (report.trouble.starts_with("interrupted")) return "The demo was interrupted; " + through + " by then.";
  if (!report.trouble.empty()) return "The demo failed; " + through + ". " + report.trouble;
  if (report.Good()) return "";
  if (report.refused != report.refusals_wanted) {
    return "The demo failed: " + std::to_string(report.refused) + " of " +
           std::to_string(report.refusals_wanted) + " deactivated devices were refused.";
  }
  if (report.telemetry_heard != report.telemetry_wanted) {
    return "The demo failed: of " + std::to_string(report.telemetry_wanted) +
           " devices their ASP's broker heard " + std::to_string(report.telemetry_heard) + ".";
  }
  if (report.telemetry_wanted > 0 && report.put_out != report.refusals_wanted) {
    return "The demo failed: of " + std::to_string(report.refusals_wanted) +
           " deactivated devices their ASP's broker put out " + std::to_string(report.put_out) + ".";
  }
  return "The demo failed: " + through + ", the others are named above with the step that failed.";
}

std::string DeviceTable(const std::map<std::string, DeviceProgress>& devices, std::size_t columns) {
  constexpr std::size_t kWholeName = 36, kShortName = 8, kParty = 6, kParties = 2;
  const auto width = [](std::string_view step) { return std::max(kStep, step.size() + 1); };
  std::size_t rest = kParties * kParty + kStep;
  for (const char* step : kShown) rest += width(step);
  const std::size_t name = kWholeName + 1 + rest <= columns ? kWholeName : kShortName;
  std::string text = Left("device", name + 1) + Left("mno", kParty) + Left("asp", kParty);
  for (const char* step : kShown) text += Right(step, width(step));
  text += Right("whole", kStep) + "\n";
  for (const auto& [id, device] : devices) {
    text += Left(id.substr(0, name), name + 1) + Left(device.mno, kParty) + Left(device.asp, kParty);
    for (const char* step : kShown) {
      const auto found = device.steps.find(step);
      const bool known = found != device.steps.end();
      text += Right(!known ? "-" : found->second.ok ? Tenths(found->second.ms) : "FAILED", width(step));
    }
    text += Right(device.Complete() ? Tenths(device.finished_ms) : "-", kStep) + "\n";
  }
  return text;
}

std::string RevocationTable(const DemoReport& report) {
  if (report.revocations.empty()) return {};
  constexpr std::size_t kName = 10, kColumn = 22;
  std::string text = Left("device", kName);
  for (const char* title : {"not served any more", "not in the resolver", "refused by its ASP"})
    text += Right(title, kColumn);
  text += "\n";
  for (const auto& [device, unserved, disbelieved, refused] : report.revocations) {
    text += Left(device.substr(0, 8), kName);
    for (const double ms : {unserved, disbelieved, refused}) text += Right(Tenths(ms), kColumn);
    text += "\n";
  }
  return text;
}

std::string StepTable(const DemoReport& report) {
  std::string text = Left("step", 14);
  for (const char* title : {"count", "p50 ms", "p99 ms", "max ms", "failures"}) text += Right(title, 11);
  text += "\n";
  std::vector<std::string> order(std::begin(kSteps), std::end(kSteps));
  order.insert(order.begin(), "endpoint");
  order.emplace_back("telemetry");
  order.emplace_back("whole");
  for (const auto& step : order) {
    const auto found = report.steps.find(step);
    if (found == report.steps.end()) continue;
    const auto& [ms, failures] = found->second;
    text += Left(step, 14) + Right(std::to_string(ms.size()), 11) + Right(Tenths(Quantile(ms, 0.5)), 11) +
            Right(Tenths(Quantile(ms, 0.99)), 11) + Right(Tenths(ms.empty() ? 0 : ms.back()), 11) +
            Right(std::to_string(failures), 11) + "\n";
  }
  return text;
}

}  // namespace registry::lab
