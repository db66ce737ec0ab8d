#include "bridge/ingest/limits.h"

#include <algorithm>
#include <cmath>

namespace registry::ingest {
namespace {

constexpr LimitClass kAll[] = {LimitClass::kWrite, LimitClass::kRead, LimitClass::kBulk,
                               LimitClass::kAuthorise};

const Rate& RateOf(const Rates& rates, LimitClass which) { return rates[static_cast<std::size_t>(which)]; }
bool Limited(const Rates& rates, LimitClass which) {
  return which != LimitClass::kReport && RateOf(rates, which).per_second > 0;
}

Error Reached(LimitClass which, double left, const Rate& rate) {
  const std::string name(LimitName(which));
  Error error = Error::Make(
      Code::kLimit, "limit_reached",
      "this party's limit of class " + name + " is reached; send the command again with the same id");
  error.limit = name;
  error.left = 0;
  error.retry_after_seconds =
      std::max(1, static_cast<int>(std::ceil((1 - left) / static_cast<double>(rate.per_second))));
  return error;
}

}  // namespace

// Whoever is no party is refused for that; all of them have one account, so that their names take no room.
Limits::Bucket& Limits::BucketOf(const PartyId& party, LimitClass which, UtcTime now) {
  const PartyId& whose = parties_.contains(party) ? party : PartyId();
  const Rates& rates = rules_.Of(whose);
  const auto [account, fresh] = accounts_.try_emplace(whose);
  if (fresh) {
    for (const LimitClass each : kAll) {
      account->second[static_cast<std::size_t>(each)] = {static_cast<double>(RateOf(rates, each).burst), now};
    }
  }
  Bucket& bucket = account->second[static_cast<std::size_t>(which)];
  const Rate& rate = RateOf(rates, which);
  const double passed = static_cast<double>(now.micros - bucket.at.micros) / 1e6;
  if (passed > 0) {
    bucket.left = std::min(static_cast<double>(rate.burst),
                           bucket.left + passed * static_cast<double>(rate.per_second));
  }
  bucket.at = now;
  return bucket;
}

void Limits::Change(LimitRules rules, std::set<PartyId> parties) {
  const MutexLock lock(mutex_);
  rules_ = std::move(rules);
  parties_ = std::move(parties);
  std::erase_if(accounts_, [this](const auto& account) REQUIRES(mutex_) {
    return account.first != PartyId() && !parties_.contains(account.first);
  });
  for (auto& [party, account] : accounts_) {
    const Rates& rates = rules_.Of(party);
    for (const LimitClass which : kAll) {
      double& left = account[static_cast<std::size_t>(which)].left;
      left = std::min(left, static_cast<double>(RateOf(rates, which).burst));
    }
  }
}

std::optional<Error> Limits::Take(const PartyId& party, LimitClass which, UtcTime now) {
  const MutexLock lock(mutex_);
  const Rates& rates = rules_.Of(party);
  if (!Limited(rates, which)) return std::nullopt;
  Bucket& bucket = BucketOf(party, which, now);
  if (bucket.left < 1) return Reached(which, bucket.left, RateOf(rates, which));
  bucket.left -= 1;
  return std::nullopt;
}

void Limits::GiveBack(const PartyId& party, LimitClass which) {
  const MutexLock lock(mutex_);
  const Rates& rates = rules_.Of(party);
  if (!Limited(rates, which)) return;
  const auto account = accounts_.find(party);
  if (account == accounts_.end()) return;
  double& left = account->second[static_cast<std::size_t>(which)].left;
  left = std::min(left + 1, static_cast<double>(RateOf(rates, which).burst));
}

wire::QuotaTold Limits::Tell(const PartyId& party, UtcTime now) {
  wire::QuotaTold told;
  const MutexLock lock(mutex_);
  const Rates& rates = rules_.Of(party);
  for (const LimitClass which : kAll) {
    if (!Limited(rates, which)) continue;
    const Rate& rate = RateOf(rates, which);
    const auto left = static_cast<std::uint64_t>(BucketOf(party, which, now).left);
    told.limits.push_back({std::string(LimitName(which)), rate.per_second, rate.burst, left});
  }
  return told;
}

}  // namespace registry::ingest
