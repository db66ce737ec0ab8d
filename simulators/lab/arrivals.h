// simulators/lab/arrivals.h: when the devices of a load arrive, whatever becomes of those before (an open loop): a registry
// that is slow does not slow them down, as no customer waits for another. Plain functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace registry::lab {

enum class Arrive {
  kPoisson,  // independent of each other, as many customers are: bunches and gaps
  kEven,     // the same pause between any two
};

std::optional<Arrive> ArriveOf(const std::string& name);  // "poisson", "even"
const char* NameOf(Arrive arrive);

// Seconds from the start, ascending, each before `duration_s`. For a given number the times of a Poisson process are
// independent and equally likely anywhere; the same seed gives the same ones.
std::vector<double> ArrivalTimes(Arrive arrive, std::size_t devices, double duration_s, std::uint64_t seed);

// What became of them so far. Missed: so many were under way already that this one was not started.
struct ArrivalCount {
  std::size_t planned = 0, started = 0, missed = 0;
};

}  // namespace registry::lab
