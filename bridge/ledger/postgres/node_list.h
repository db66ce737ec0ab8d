// bridge/ledger/postgres/node_list.h: the registries on one ledger as people are shown them: what each is, and how long ago
// it said so by the server's clock.
// Pure. Threads: any.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "bridge/ledger/postgres/nodes.h"

namespace registry::ledger {

enum class NodeState : std::uint8_t {
  kActive,    // has the ledger
  kEnded,     // had it last, and nobody has it now
  kDeciding,  // decides commands beside the active one
  kStandby,   // waits
  kSilent     // waited, and has said nothing for kSilentAfter
};
const char* NodeStateName(NodeState state);

// One that stands by says so once a second.
inline constexpr std::chrono::seconds kSilentAfter{30};

struct ListedNode {
  std::string name, version;
  NodeState state = NodeState::kStandby;
  UtcTime since;
  std::chrono::milliseconds said_ago{0};
  // Of whoever has the ledger, or had it last. A lease of 0: it gives the ledger up only with its connection.
  std::optional<std::chrono::milliseconds> lease;
  std::optional<std::int64_t> epoch;   // so often the ledger was opened for writing, by this opening
  std::optional<bool> reaches_broker;  // one that stands by says it
};

// Whoever has the ledger first. Empty: no registry has had it yet.
std::vector<ListedNode> ListOf(const NodesSeen& seen);

}  // namespace registry::ledger
