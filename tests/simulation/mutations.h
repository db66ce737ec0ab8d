// tests/simulation/mutations.h: errors a decision could make, done to its changeset on the way to the ledger. A rule that
// none of them breaks protects nothing.
#pragma once

#include <vector>

#include "tests/simulation/world.h"

namespace registry::simulation {

struct MutationKind {
  const char* name;
  MeddledLedger::Mutation mutate;
};
const std::vector<MutationKind>& Mutations();

}  // namespace registry::simulation
