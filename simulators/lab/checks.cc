#include "simulators/lab/checks.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <numeric>

namespace registry::lab {
namespace {

constexpr std::string_view kSample = "sample:";

}  // namespace

std::optional<double> CheckShareOf(const std::string& text) {
  if (text == "all") return 1;
  if (text == "none") return 0;
  if (!text.starts_with(kSample)) return std::nullopt;
  double share = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data() + kSample.size(), end, share);
  if (error != std::errc() || rest != end || !(share >= 0 && share <= 1)) return std::nullopt;
  return share;
}

std::string TextOfCheckShare(double share) {
  if (share >= 1) return "all";
  if (share <= 0) return "none";
  char text[32];
  std::snprintf(text, sizeof text, "sample:%g", share);
  return text;
}

void ChooseChecked(std::vector<LabEsim>& inventory, double share, std::uint64_t seed) {
  std::vector<std::size_t> lots(inventory.size());
  std::iota(lots.begin(), lots.end(), 0);
  std::mt19937_64 random(seed);
  std::shuffle(lots.begin(), lots.end(), random);
  const auto checked = static_cast<std::size_t>(std::ceil(share * static_cast<double>(lots.size())));
  for (std::size_t i = 0; i < lots.size(); ++i) inventory[lots[i]].checks = i < checked;
}

}  // namespace registry::lab
