// tests/simulation/steps.h: what can happen next, one row each: a name, how often, and what it does. Whatever a party may
// say, and whatever may go wrong, gets a row here; nothing else changes.
#pragma once

#include <vector>

#include "tests/simulation/world.h"

namespace registry::simulation {

struct StepKind {
  const char* name;
  unsigned weight;  // against the sum of all
  void (*play)(World& world, Dice& dice);
};
const std::vector<StepKind>& Steps();

// The last act of every history: parties fall silent, DNS goes on, the clock too. In the end nothing waits for anybody.
void LetEverythingEnd(World& world);

}  // namespace registry::simulation
