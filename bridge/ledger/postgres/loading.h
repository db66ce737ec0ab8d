// bridge/ledger/postgres/loading.h: the tables of what follows from other records (history_by_device, places, day_marks),
// while an import fills them. Their keys come in no order, so each would change another page of the index, and the server
// would write pages of it again and again. They have no index until all of them are in, and then get it at once.
// Private to this folder. Threads: one. Errors: kLedgerFailed.
// Needs to own the tables. Who has them open for writing sees that nobody else has. Who only reads them is waited for, for
//   kReadersWithin, and so is a server that comes back.
#pragma once

#include "bridge/ledger/postgres/open.h"

namespace registry::ledger {

inline constexpr std::chrono::minutes kReadersWithin{15};

// Whether the role of the connection owns them: asked before anything is changed.
Status MayLoad(const PostgresOptions& options);
// Also of an import that was cut off, wherever that was. What is made anew at the end is emptied.
Status BeginLoading(const PostgresOptions& options);
// Makes the indexes. Fails when a key is there twice.
Status EndLoading(const PostgresOptions& options);

}  // namespace registry::ledger
