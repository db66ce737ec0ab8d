// bridge/ingest/limits.h: how fast a party may ask: for each class of commands (limit_class.h) a bucket of tokens. Each
// command takes one when it is read, each item of a batch too; so many come back a second, up to as many as may be used at
// once. What an MNO says of its devices and of the registry's own actions takes none (kReport): else a party at its limit
// could not report what the registry waits for, and jobs would fail that were done.
// A code that was right gives its token back: the bucket is for those who guess.
// Threads: any. Limits: one account for each party there is in the configuration, one for all others; in memory only, so a
//   restart fills them. A clock that was set back gives nothing and takes nothing.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "bridge/ingest/limit_class.h"
#include "schemas/base/mutex.h"
#include "schemas/base/result.h"
#include "schemas/base/utc_time.h"
#include "schemas/wire/life_messages.h"

namespace registry::ingest {

struct Rate {
  std::uint64_t per_second = 0;  // 0: there is no limit
  std::uint64_t burst = 0;
  bool operator==(const Rate&) const = default;
};
using Rates = std::array<Rate, kLimitClasses>;  // by class

struct LimitRules {
  Rates usual{};
  std::map<PartyId, Rates> own;  // of those that have others
  const Rates& Of(const PartyId& party) const {
    const auto found = own.find(party);
    return found != own.end() ? found->second : usual;
  }
  bool operator==(const LimitRules&) const = default;
};

class Limits {
 public:
  Limits(LimitRules rules, std::set<PartyId> parties)
      : rules_(std::move(rules)), parties_(std::move(parties)) {}
  // From the next command on; nobody gets tokens by it, and who has more than its new burst keeps only that.
  void Change(LimitRules rules, std::set<PartyId> parties);
  // 2502 limit_reached when there is no token, with when there is one again.
  std::optional<Error> Take(const PartyId& party, LimitClass which, UtcTime now);
  void GiveBack(const PartyId& party, LimitClass which);
  wire::QuotaTold Tell(const PartyId& party, UtcTime now);

 private:
  struct Bucket {
    double left = 0;
    UtcTime at;
  };
  using Account = std::array<Bucket, kLimitClasses>;
  Bucket& BucketOf(const PartyId& party, LimitClass which, UtcTime now) REQUIRES(mutex_);

  Mutex mutex_;
  LimitRules rules_ GUARDED_BY(mutex_);
  std::set<PartyId> parties_ GUARDED_BY(mutex_);
  std::map<PartyId, Account> accounts_ GUARDED_BY(mutex_);
};

}  // namespace registry::ingest
