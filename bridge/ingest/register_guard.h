// bridge/ingest/register_guard.h: how often a party may hear that an eSIM is not to be had, or that its authorisation code
// is not valid. The first says that somebody else has it: whoever asked for EIDs one after the other would learn which are
// taken. The second is a guess.
// After kRefusalsMax such answers within kWindow of the first, esim.register of that party is put off, all of it alike,
// until the window has passed: an answer that depended on the EID would go on telling. What lanes decide at the same time
// may go over the bound by their number.
// Safe from any thread. Holds one entry for each configured party at most; forgotten at a restart.
#pragma once

#include <chrono>
#include <map>

#include "schemas/base/mutex.h"
#include "schemas/base/result.h"
#include "schemas/base/utc_time.h"
#include "schemas/ids/ids.h"

namespace registry::ingest {

class RegisterGuard {
 public:
  static constexpr std::size_t kRefusalsMax = 20;
  static constexpr std::chrono::seconds kWindow{60};

  // 2502 esim_refusals_too_many, with retryAfterSeconds.
  Status MayRegister(const PartyId& party, UtcTime now);
  void Refused(const PartyId& party, UtcTime now);

 private:
  struct Window {
    UtcTime begin;
    std::size_t refusals = 0;
  };
  // The party's window if it has not passed.
  Window* Open(const PartyId& party, UtcTime now) REQUIRES(mutex_);

  Mutex mutex_;
  std::map<PartyId, Window> windows_ GUARDED_BY(mutex_);
};

}  // namespace registry::ingest
