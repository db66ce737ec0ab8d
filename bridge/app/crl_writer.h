// bridge/app/crl_writer.h: keeps the CRL file of the issuing CA up to date: after revocations (those just before a
// stop included), in good time before its nextUpdate, and when the clock was set back to before its thisUpdate (5 minutes
// earlier than it was made). Revocations that come close together share one CRL.
// Owns: one thread. Start and Stop once each; written() from any thread.
// Shards: a certificate may name a CRL that tells of its shard alone, so that nobody has to fetch 10,000 entries for one
//   certificate. The whole CRL stays, for certificates that name none. The shards are written before it, so what it tells
//   the shards tell as well.
// Forgets: behind each CRL the revocations that are not on it any more go from the ledger too, by a careful clock
//   (careful_clock.h): a clock set forward for a while may leave entries out of a CRL, but not out of the ledger.
// Errors: a CRL that cannot be written is said at level 3 and tried again; the cursor of Sink::kCrl does not
//   move.
// Spec: RFC 5280 §5; the CRL number is kept in the sink's state and only grows (§5.2.3), also beyond that of the CRL
// found in the file at the start: the ledger may be an older one, restored.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bridge/careful_clock.h"
#include "bridge/clock.h"
#include "bridge/ledger/ledger.h"
#include "bridge/log_line.h"
#include "bridge/say_once.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"
#include "workers/domain/decision.h"

namespace registry::app {

struct CrlOptions {
  std::string file;
  std::chrono::seconds validity{7 * 86400};  // nextUpdate; a new one is made at half of it
  std::chrono::milliseconds gather{1000};    // revocations within this time share a CRL
  std::chrono::milliseconds retry{5000};     // after a failure
  std::function<CarefulClock::Steady()> steady = std::chrono::steady_clock::now;
  std::string url{};                 // of the whole CRL; those of the shards come of it (csr_sign.h)
  std::uint32_t shards = 0;          // CRLs beside the whole one, one for each certificate; 0: none
  std::size_t shard_above = 10'000;  // entries; with no more each of those files holds the whole CRL
  // Whoever issued a certificate revokes it (RFC 5280 §5), so each former CA goes on with a CRL of its own. All tell of
  // every revocation: a serial number that the CA has not used says nothing.
  struct Former {
    const domain::Signer* signer;
    std::string file;
  };
  std::vector<Former> former{};
};

class CrlWriter {
 public:
  CrlWriter(CrlOptions options, ledger::Ledger& ledger, const domain::Signer& signer, const Clock& clock,
            LogLine log);
  ~CrlWriter();
  Status WriteNow();  // before Start: a CRL must exist from the first moment on
  void Start();
  void Stop();
  std::int64_t written() const { return written_; }  // Unix time, 0 before the first

 private:
  void Run();
  bool Wait(std::chrono::milliseconds time);  // false when stopping
  Status Write(ledger::Seq up_to);
  Status WriteShards(const std::vector<domain::Revocation>& revocations, UtcTime now, std::uint64_t number,
                     const Bytes& whole);
  Status WriteFormer(const std::vector<domain::Revocation>& revocations, UtcTime now, std::uint64_t number);
  void LookAtClock(const std::vector<domain::Revocation>& revocations);
  Status Forget(const std::vector<domain::Revocation>& revocations, UtcTime this_update);
  bool Old() const;
  bool WriteAll(ledger::Seq& seen);
  void SayUnreadable(const Error& why);

  const CrlOptions options_;
  ledger::Ledger& ledger_;
  const domain::Signer& signer_;
  const Clock& clock_;
  const LogLine log_;
  std::atomic<std::int64_t> written_{0};
  std::uint64_t published_ = 0;          // number of the CRL found by WriteNow
  std::optional<CarefulClock> careful_;  // from WriteNow on
  Mutex mutex_;
  CondVar wake_;
  SayOnce unreadable_;  // about revocations that cannot be read; the thread's own
  OwnThread thread_{mutex_, wake_};
};

}  // namespace registry::app
