// bridge/ingest/party_terms.h: who the parties are and what decisions follow, as it stands now. The operator may
// change it while commands are decided (registryd's SIGHUP): whoever decides takes it once, and keeps what it took
// until it is through.
// Threads: any. A decision that has begun goes on under the terms that it began with.
#pragma once

#include <map>
#include <memory>

#include "bridge/ingest/limits.h"
#include "schemas/base/mutex.h"
#include "schemas/wire/messages.h"
#include "workers/domain/policy.h"

namespace registry::ingest {

// Immutable once it is in force.
struct Terms {
  std::map<PartyId, wire::Role> parties;
  domain::Policy policy;
};

// What may change while registryd runs.
struct PartyTerms {
  std::map<PartyId, wire::Role> parties;
  LimitRules limits;
  domain::RetryPlans retry;
  domain::TransferPolicy transfer;
};

class TermsInForce {
 public:
  explicit TermsInForce(Terms terms) : terms_(std::make_shared<const Terms>(std::move(terms))) {}
  std::shared_ptr<const Terms> Now() const {
    const MutexLock lock(mutex_);
    return terms_;
  }
  void Change(const PartyTerms& changed) {
    auto next = std::make_shared<Terms>(*Now());
    next->parties = changed.parties;
    next->policy.retry = changed.retry;
    next->policy.transfer = changed.transfer;
    const MutexLock lock(mutex_);
    terms_ = std::move(next);
  }

 private:
  mutable Mutex mutex_;
  std::shared_ptr<const Terms> terms_ GUARDED_BY(mutex_);
};

}  // namespace registry::ingest
