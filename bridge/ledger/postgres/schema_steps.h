// bridge/ledger/postgres/schema_steps.h: what brings the tables of one version to the next, in SQL. A new ledger gets the
// tables of version 1 and then every step. A step adds, and takes nothing away: the earlier version goes on beside it
// until its number is raised. It may meet its own work done.
// Private to this folder. Threads: any.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace registry::ledger {

// Of the tables, where FORMAT.md's number is of the records in them.
std::uint64_t SchemaVersion();
// The oldest that this release goes on with as it is, for as long as a node of the earlier release is there.
inline constexpr std::uint64_t kOldestSchema = 3;

std::vector<std::string> StepsAfter(std::uint64_t version, const std::string& schema);

}  // namespace registry::ledger
