// bridge/ledger/keyed/store.h: what a backend that keeps octets under ordered keys has to give: point reads, ordered reads,
// one atomic write. Everything else of such a backend is the rest of this folder, the same for all of them: what a changeset
// becomes, what it is checked against, how readers find it (FORMAT.md has the families and their keys).
// Errors: the backend's own end here and become kLedgerFailed, kLedgerDamaged, kLedgerNewer, kLedgerInUse, kLedgerMissing or
//   kLedgerUnmarked. After a Write that failed nobody knows whether it happened: none follows it.
// Threads: reads from any thread; Write from one at a time, the committer once there is one. What Write has written is read
//   by every call that begins after it came back.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bridge/ledger/ledger.h"

namespace registry::ledger {

// In the order of kColumnNames.
enum class Column : std::size_t {
  kDevices,
  kUnique,
  kEndpoints,
  kEvents,
  kJobs,
  kHistory,
  kHistoryByDevice,
  kOutbox,
  kFeed,
  kFeedState,
  kZone,
  kRevocations,
  kDeadLetters,
  kSinks,
  kMeta,
  kPlaces,    // since format 3: a reader of an older folder has none
  kOrders,    // as places
  kDayMarks,  // since format 4
};
// Stored: DO NOT CHANGE THESE NAMES.
inline constexpr std::array kColumnNames = {
    "devices",           "unique", "endpoints", "events",     "jobs",   "history",
    "history_by_device", "outbox", "feed",      "feed_state", "zone",   "revocations",
    "dead_letters",      "sinks",  "meta",      "places",     "orders", "day_marks",
};
constexpr std::string_view NameOf(Column column) { return kColumnNames[static_cast<std::size_t>(column)]; }

// Of the ledger as a whole; one of a higher number is refused, one of a lower number raised (FORMAT.md).
inline constexpr std::uint64_t kLedgerFormat = 5;
// Of one write while all records of a column family are made again: a bound on memory.
inline constexpr std::size_t kWritesMax = 20'000;

class OrderedWrites;
class SharedWrites;

class Store {
 public:
  using Stored = std::optional<std::string>;
  virtual ~Store() = default;
  virtual Result<Stored> Get(Column column, const std::string& key) const = 0;
  // Calls visit(key, value) for keys in [from, to) in order, as of one moment, until it answers false or fails, or was
  // called `limit` times; empty `to`: to the end.
  using Visitor = std::function<Result<bool>(std::string_view key, std::string_view value)>;
  virtual Status Scan(Column column, const std::string& from, const std::string& to, const Visitor& visit,
                      std::size_t limit) const = 0;
  Status Scan(Column column, const std::string& from, const std::string& to, const Visitor& visit) const {
    return Scan(column, from, to, visit, ~std::size_t{0});
  }
  virtual Result<std::optional<std::pair<std::string, std::string>>> Last(Column column) const = 0;
  // False: a reader beside looks at a folder from before this family.
  virtual bool Has(Column) const { return true; }
  // All or nothing; durable on return when `sync`. The writes are empty afterwards.
  virtual Status Write(OrderedWrites& writes, bool sync) = 0;

  // Others write to the same records: in place of Write. Null: nobody else does.
  virtual SharedWrites* shared() { return nullptr; }

  // A question costs a round trip, so those of a whole write are asked together beforehand.
  virtual bool IsFar() const { return false; }
  using Place = std::pair<Column, std::string>;
  virtual Result<std::vector<Stored>> GetAll(const std::vector<Place>& places) const;

 protected:
  Store() = default;
  Store(const Store&) = default;
  Store& operator=(const Store&) = default;
};

}  // namespace registry::ledger
