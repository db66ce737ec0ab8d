// simulators/lab/budgets.h: what an activation may cost on two cores at full load, and how fast it shall be. Devices that
// check (checks.h) cost the simulators a session and validated look-ups, so budgets depend on their share; where only some
// check there is none. Plain functions, any thread.
#pragma once

#include <optional>
#include <string>

namespace registry::lab {

// Activations per second.
inline std::optional<double> RateBudget(double check_share) {
  if (check_share >= 1) return 400;
  return check_share <= 0 ? std::optional<double>(900) : std::nullopt;
}

// Microseconds of CPU per activation, of a part as a report names it, or of the whole.
inline std::optional<double> CpuBudget(const std::string& part, double check_share) {
  if (part == "registry") return 800;
  if (part == "broker") return 200;
  if (part == "dns") return 300;
  if (check_share > 0 && check_share < 1) return std::nullopt;
  const bool checked = check_share >= 1;
  if (part == "simulators") return checked ? 3500 : 900;
  return part == "whole" ? std::optional<double>(checked ? 4800 : 2200) : std::nullopt;
}

// From csr.submit to its reply, while the registry has half of what it can do, in milliseconds.
inline constexpr double kCertificateP50Ms = 5, kCertificateP99Ms = 25;

}  // namespace registry::lab
