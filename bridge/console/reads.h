// bridge/console/reads.h: what the console shows of the ledger, as JSON: devices in pages, one device's life, orders and
// their devices, transfers. CONSOLE.md in bridge/app has the paths.
// A page has at most kPageMax rows and looks at no more than kLookedAtMax records; the history of one device is its last
// kHistoryMax entries. So no question costs more in a registry of a million devices than in a small one. The ledger's port
// gives all orders and all of one device's history, so those two are read whole and shown in part.
// Owns nothing: the reader outlives it. Threads: any. Writes nothing.
// Errors: status 400 (a value that is none), 404 (no such object), 503 (the ledger cannot be read), each with a sentence.
// Privacy: EID and ICCID are masked but for their last four digits unless `reveal` is set; codes are never known here.
#pragma once

#include <functional>
#include <string>

#include "bridge/clock.h"
#include "bridge/ledger/ledger.h"
#include "workers/domain/policy.h"

namespace registry::console {

inline constexpr std::size_t kPageMax = 100, kLookedAtMax = 1000, kHistoryMax = 200;

struct Answer {
  int status = 200;
  std::string json;
};

class Reads {
 public:
  // The value of a name of the query, decoded; empty where it is not there.
  using Query = std::function<std::string(std::string_view name)>;
  struct Options {
    bool reveal = false;
    std::function<domain::Policy()> policy;  // as of now: parties come and go
  };

  Reads(const ledger::LedgerReader& ledger, const Clock& clock, Options options)
      : ledger_(ledger), clock_(clock), options_(std::move(options)) {}
  // `what` is the path behind /api/: "devices", "device", "orders", "order", "transfers".
  Answer Get(std::string_view what, const Query& query) const;

 private:
  Answer Devices(const Query& query) const;
  Answer Device(const Query& query) const;
  Answer Orders() const;
  Answer Order(const Query& query) const;
  Answer Transfers(const Query& query) const;

  const ledger::LedgerReader& ledger_;
  const Clock& clock_;
  const Options options_;
};

}  // namespace registry::console
