// The next release's step of the tables, in the place of bridge/ledger/postgres/schema_to_come.cc: a program that is linked
// with this one takes part as the next release would.
#include "bridge/ledger/postgres/schema_to_come.h"

namespace registry::ledger {

std::vector<SchemaStep> StepsToCome() {
  return {{5, [](const std::string& of) -> std::vector<std::string> {
             return {"CREATE TABLE IF NOT EXISTS " + of + "pretended (key bytea PRIMARY KEY)"};
           }}};
}

}  // namespace registry::ledger
