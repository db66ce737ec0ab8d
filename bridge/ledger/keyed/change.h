// bridge/ledger/keyed/change.h: what one transaction changed of what ledgers hold in memory (live.h), told to others that
// write to the same records. Values as they are behind it, no differences: whoever has seen it already may see it again.
// Octets: a version, then fields (fields.h). It lives for some thousand transactions, and is in no export.
// Private to bridge/ledger/keyed. Plain value. Errors: kLedgerNewer (a node of a newer release wrote it), kLedgerDamaged.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bridge/ledger/keyed/live.h"

namespace registry::ledger {

struct Change {
  std::optional<Head> head;
  std::vector<std::pair<PartyId, FeedState>> feeds;
  std::vector<std::pair<Sink, SinkState>> sinks;
  std::vector<std::pair<JobId, std::optional<JobTable::Entry>>> jobs;  // nullopt: erased
  std::vector<std::pair<DeviceId, std::uint64_t>> devices;             // and their versions
  bool orders = false;                                                 // some were put or erased
};

std::string EncodeChange(const Change& change);
Result<Change> DecodeChange(std::string_view octets);

void Apply(const Change& change, Live& live);

}  // namespace registry::ledger
