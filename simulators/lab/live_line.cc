#include "simulators/lab/live_line.h"

#include <algorithm>
#include <cstdio>

namespace registry::lab {
namespace {

constexpr std::size_t kBarMin = 10, kBarMax = 40, kBrackets = 3;

struct Shown {
  const char *step, *brief;
};
constexpr Shown kShown[] = {
    {"register", "reg"}, {"csr", "csr"}, {"activated", "act"}, {"verify", "ver"}, {"session", "ses"}};

std::string Counters(const LiveState& state, bool brief) {
  std::string text;
  for (const Shown& shown : kShown) {
    const auto found = state.counts.find(shown.step);
    text += std::string(" ") + (brief ? shown.brief : shown.step) + " " +
            std::to_string(found == state.counts.end() ? 0 : found->second);
  }
  if (state.under_way)
    text += std::string(brief ? " way " : " under way ") + std::to_string(*state.under_way);
  if (state.missed > 0) text += " MISSED " + std::to_string(state.missed);
  if (state.given_up > 0) text += " FAILED " + std::to_string(state.given_up);
  return text;
}

// Full only when every device is through.
std::string Bar(const LiveState& state, std::size_t width) {
  const std::size_t done = std::min(state.through, state.devices);
  const std::size_t full = state.devices == 0 ? 0 : width * done / state.devices;
  return " [" + std::string(full, '#') + std::string(width - full, '-') + "]";
}

}  // namespace

std::string LiveLine(const LiveState& state, std::size_t columns) {
  char time[32];
  std::snprintf(time, sizeof time, "%6.1f s", state.elapsed_s);
  const std::string head = time;
  const std::string through = " " + std::to_string(state.through) + "/" + std::to_string(state.devices);
  std::string counters = Counters(state, false);
  const auto fits = [&] {
    return head.size() + kBrackets + kBarMin + through.size() + counters.size() <= columns;
  };
  if (!fits()) counters = Counters(state, true);
  std::size_t bar = 0;
  if (fits()) {
    bar = std::min(kBarMax, columns - head.size() - kBrackets - through.size() - counters.size());
  }
  const std::string line = head + (bar > 0 ? Bar(state, bar) : "") + through + counters;
  return line.substr(0, columns);
}

}  // namespace registry::lab
