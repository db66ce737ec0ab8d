// tests/unit/bridge/ledger/shared_ledgers.h: several ledgers of one program on one database: the active one, and members
// that commit beside it. Servers and folders as in backends.h.
#pragma once

#include <string>
#include <vector>

#include "tests/unit/bridge/ledger/backends.h"

namespace registry::ledger {

class SharedLedgers {
 public:
  // A ledger is made where there is none.
  explicit SharedLedgers(PostgresOptions options) : options_(std::move(options)) {
    options_.shared = true;
    const auto made = MigratePostgresLedger(options_);
    EXPECT_TRUE(made.ok()) << made.error().message;
  }
  PostgresOptions Of(const std::string& name) const {
    PostgresOptions options = options_;
    options.node = {name, "1.2", std::make_shared<Lease>(std::chrono::seconds(10))};
    return options;
  }
  // The active one, which lets others join. `options` are of Of.
  std::unique_ptr<Ledger> Open(const PostgresOptions& options) {
    auto ledger = Opened(OpenPostgresLedger(options));
    if (!ledger) return ledger;
    members_ = std::make_unique<Members>(options, *ledger);
    const auto admitted = members_->Admit();
    EXPECT_TRUE(admitted.ok()) << admitted.error().message;
    return ledger;
  }
  static std::unique_ptr<Ledger> Join(const PostgresOptions& options) {
    return Opened(JoinPostgresLedger(options));
  }
  Members& members() { return *members_; }

 private:
  PostgresOptions options_;
  std::unique_ptr<Members> members_;
};

inline std::string SymbolOf(const Status& status) { return status ? "done" : status.error().symbol; }

}  // namespace registry::ledger
