// tests/simulation/history.h: a history is a list of moves, each a step with a seed of its own, so that one can be left out
// and the others still do the same: that is how a history that breaks a rule is made short.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulation/steps.h"

namespace registry::simulation {

struct Move {
  std::size_t step = 0;  // in Steps()
  std::uint64_t seed = 0;
};
using History = std::vector<Move>;

inline constexpr std::size_t kMoves = 120;

struct Played {
  std::optional<std::string> fault;         // "rule: what"
  std::vector<std::string> lines;           // one for each move: what was done, and what came of it
  std::map<std::string, std::size_t> seen;  // "command outcome", "state …": how often
};

History Generate(std::uint64_t seed, std::size_t moves = kMoves);
// Until the first rule that does not hold.
Played Play(const History& history, MeddledLedger::Mutation mutation = nullptr);
// Without the moves that the same rule's breaking does not need.
History Shorten(History history, const std::string& fault, const MeddledLedger::Mutation& mutation = nullptr);
// Seed, fault, the last moves, and the short history with what came of it.
std::string Describe(std::uint64_t seed, const History& history, const Played& played,
                     const MeddledLedger::Mutation& mutation = nullptr);

}  // namespace registry::simulation
