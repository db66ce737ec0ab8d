// bridge/zone/revocation_watch.h: how long a revocation takes: from the decision that a device is not to be believed to the
// moment at which each server of the zone was heard to serve a version without its record.
// A revocation is a change that leaves a device's name without TLSA records. When it was decided is said by the job that
// waits for its visibility (JobKind::kZoneVisible), so what waited in the outbox or through a restart counts. A change that
// no job waits for, or that a later decision has overtaken, is not measured.
// A revocation from before the start is measured at servers that were heard to lack it since: those that serve it at the
// first look served it at some moment that nobody knows.
// Owns: what some server does not serve yet, at most kRevocationsMax. What comes above that is not measured; the oldest
//   stays, so `waits` is right. Ledger and clock outlive it.
// Errors: a ledger that cannot be read costs a measurement, nothing else.
// Threads: one, the publishing thread. `told` is called on it and must not wait.
#pragma once

#include <deque>

#include "bridge/zone/publisher.h"

namespace registry::zone {

inline constexpr std::size_t kRevocationsMax = 100'000;

class RevocationWatch {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // Whether this server serves the version; none: it has told no serial.
  using Serves = std::function<std::optional<bool>(std::size_t server, std::uint32_t serial)>;

  // `servers`: their names, in the order of their numbers.
  RevocationWatch(const ledger::LedgerReader& ledger, const Clock& clock, std::vector<std::string> servers,
                  RevocationServed told, Time now);

  // Since when the oldest revocation has waited that is in no version yet; none: there is none.
  void Pending(std::optional<Time> since) { pending_ = since; }
  // These changes are in the version of this serial, no earlier one than the last.
  void Published(const std::vector<domain::ZoneChange>& changes, std::uint32_t serial, Time now);
  // All that is not served everywhere is held by the version of this serial, and by none that was numbered before.
  void Renumber(std::uint32_t serial);
  void Look(const Serves& serves, Time now);
  // For how long the oldest revocation that this server does not serve has waited; zero: there is none.
  std::chrono::milliseconds waits(std::size_t server, Time now) const;

 private:
  struct Revocation {
    std::uint32_t serial = 0;
    Time decided;
  };
  struct Server {
    std::string name;
    std::uint64_t serves = 0;  // of all that were ever put, how many; they arrive in order
    std::uint64_t lacked = 0;  // the same of those that it was heard to lack
  };
  std::optional<Time> Decided(const domain::ZoneChange& change, Time now) const;
  void Tell(const Server& server, const Revocation& revocation, Time now) const;
  std::uint64_t end() const { return gone_ + waiting_.size(); }

  const ledger::LedgerReader& ledger_;
  const Clock& clock_;
  const RevocationServed told_;
  const Time started_;
  std::vector<Server> servers_;
  std::optional<Time> pending_;
  std::deque<Revocation> waiting_;  // in the order of their serials
  std::uint64_t gone_ = 0;          // served everywhere, and no longer in `waiting_`
};

}  // namespace registry::zone
