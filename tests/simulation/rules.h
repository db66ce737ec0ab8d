// tests/simulation/rules.h: what must hold after every step, one row each. The rules of one record and of one changeset are
// the product's own (workers/domain/invariants.h); those beside them compare the ledger with what the world has seen.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/simulation/world.h"

namespace registry::simulation {

// What the ledger holds at one moment.
struct Snapshot {
  const World& world;
  std::vector<domain::Device> devices;
  std::map<DeviceId, std::vector<domain::Job>> jobs;
  std::map<DeviceId, domain::ZoneChange> zone;
  std::set<Bytes> revoked;
};

struct Rule {
  const char* name;
  std::string (*fault)(const Snapshot&);  // empty: it holds
};
const std::vector<Rule>& Rules();

// The first that does not hold, as "name: what".
std::optional<std::string> FirstFault(const World& world);
// `ledger verify`, which reads everything: now and then, and in the end.
std::optional<std::string> VerifyFault(const World& world);

}  // namespace registry::simulation
