// bridge/ledger/postgres/schema_to_come.h: steps of the tables behind those of schema_steps.cc. A release has none. A test
// that pretends to be the next release puts its own object in the place of schema_to_come.cc (a linker takes an archive's
// member only for what is still missing).
// Private to this folder and to that test. Threads: any.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace registry::ledger {

struct SchemaStep {
  std::uint64_t version;                                          // that it makes
  std::vector<std::string> (*statements)(const std::string& of);  // the schema and a dot
};

std::vector<SchemaStep> StepsToCome();

}  // namespace registry::ledger
