#include "simulators/lab/arrivals.h"

#include <algorithm>
#include <random>

namespace registry::lab {

std::optional<Arrive> ArriveOf(const std::string& name) {
  for (const Arrive arrive : {Arrive::kPoisson, Arrive::kEven}) {
    if (name == NameOf(arrive)) return arrive;
  }
  return std::nullopt;
}

const char* NameOf(Arrive arrive) { return arrive == Arrive::kEven ? "even" : "poisson"; }

std::vector<double> ArrivalTimes(Arrive arrive, std::size_t devices, double duration_s, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> anywhere(0, duration_s);
  std::vector<double> times;
  times.reserve(devices);
  for (std::size_t i = 0; i < devices; ++i) {
    const double even = duration_s * static_cast<double>(i) / static_cast<double>(devices);
    times.push_back(arrive == Arrive::kEven ? even : anywhere(random));
  }
  std::sort(times.begin(), times.end());
  return times;
}

}  // namespace registry::lab
