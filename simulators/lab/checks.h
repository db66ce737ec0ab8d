// simulators/lab/checks.h: how many devices check what they were given. A device that checks looks itself, the registry and
// its ASP up in the DNS and holds a session with the ASP. One that does not is through when it is active: everything at the
// registry is the same for it, so that a run without checks says how fast the registry is.
// Plain functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "simulators/lab/inventory.h"

namespace registry::lab {

// The share of devices that check: 1 for "all", 0 for "none", P for "sample:P" with P from 0 to 1; nullopt: none of these.
std::optional<double> CheckShareOf(const std::string& text);
// The same share in the same words.
std::string TextOfCheckShare(double share);
// So many of them, rounded up, by lot; the same seed chooses the same ones.
void ChooseChecked(std::vector<LabEsim>& inventory, double share, std::uint64_t seed);

}  // namespace registry::lab
