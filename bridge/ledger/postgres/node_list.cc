#include "bridge/ledger/postgres/node_list.h"

#include <algorithm>

namespace registry::ledger {
namespace {

using std::chrono::milliseconds;

milliseconds Between(UtcTime before, UtcTime now) {
  return std::chrono::duration_cast<milliseconds>(now - before);
}

ListedNode HolderOf(const LeaseSeen& lease) {
  ListedNode node;
  node.name = lease.node;
  node.version = lease.version;
  node.state = lease.process != 0 ? NodeState::kActive : NodeState::kEnded;
  node.since = lease.since;
  node.said_ago = Between(lease.said, lease.now);
  node.lease = lease.lasts;
  node.epoch = lease.epoch;
  return node;
}

ListedNode WaitingOf(const StandbySeen& one, const NodesSeen& seen) {
  ListedNode node;
  node.name = one.name;
  node.version = one.version;
  node.said_ago = Between(one.said, seen.lease.now);
  const bool decides = std::ranges::find(seen.deciding, one.name) != seen.deciding.end();
  node.state = node.said_ago > kSilentAfter ? NodeState::kSilent
               : decides                    ? NodeState::kDeciding
                                            : NodeState::kStandby;
  node.since = one.since;
  node.reaches_broker = one.reaches_broker;
  return node;
}

}  // namespace

const char* NodeStateName(NodeState state) {
  switch (state) {
    case NodeState::kActive:
      return "active";
    case NodeState::kEnded:
      return "ended";
    case NodeState::kDeciding:
      return "deciding";
    case NodeState::kStandby:
      return "standby";
    case NodeState::kSilent:
      break;
  }
  return "silent";
}

std::vector<ListedNode> ListOf(const NodesSeen& seen) {
  std::vector<ListedNode> all;
  if (!seen.lease.node.empty() || seen.lease.process != 0) all.push_back(HolderOf(seen.lease));
  for (const StandbySeen& one : seen.standing_by) all.push_back(WaitingOf(one, seen));
  return all;
}

}  // namespace registry::ledger
