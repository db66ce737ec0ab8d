#include "bridge/ledger/postgres/schema_to_come.h"

namespace registry::ledger {

std::vector<SchemaStep> StepsToCome() { return {}; }

}  // namespace registry::ledger
