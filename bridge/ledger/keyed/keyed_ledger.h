// bridge/ledger/keyed/keyed_ledger.h: the ledger over a store: Reading answers, the Committer writes.
// Owns: the store and one committer thread, which takes whatever changesets have piled up, checks and applies them in order
//   against an overlay and gives them to the store as one synced write. The destructor commits what was accepted.
// Errors: the store's; kLedgerDamaged when what is kept in memory cannot be read from it.
#pragma once

#include <memory>

#include "bridge/ledger/keyed/committer.h"
#include "bridge/ledger/keyed/reading.h"
#include "bridge/log_line.h"

namespace registry::ledger {

struct CommitBounds {
  std::size_t waiting_max = 4096;  // Commit blocks above
  std::size_t batch_max = 256;     // changesets per synced write
};

class KeyedLedger final : public Reading<Ledger> {
 public:
  // Makes the indexes that an earlier release did not, and says so.
  static Result<std::unique_ptr<Ledger>> Open(std::unique_ptr<Store> store, const CommitBounds& bounds,
                                              const LogLine& log);
  static Result<std::unique_ptr<LedgerReader>> OpenReader(std::unique_ptr<Store> store);
  // Beside others that write to the same records (Store::shared): the memory is read from `moment`, a moment of them, and
  // what was written since then is seen when this returns.
  static Result<std::unique_ptr<Ledger>> Join(std::unique_ptr<Store> store, const Store& moment,
                                              const CommitBounds& bounds);

  void CommitLater(domain::Changeset changeset, WhenDone done) override {
    committer_->CommitLater(std::move(changeset), std::move(done));
  }
  std::uint64_t changesets() const override { return committer_->changesets(); }
  Status Advance(Sink sink, const SinkState& state, bool durable) override {
    return committer_->Advance(sink, state, durable);
  }
  void WakeAll() override { tail_.WakeAll(); }
  Status CatchUp() override { return committer_->CatchUp(); }
  void WhenOthersWrote(std::function<void(const Others&)> tell) override {
    committer_->WhenOthersWrote(std::move(tell));
  }
  // Where others write: as the device is now, and what is in memory is at least as new.
  Result<std::optional<domain::Device>> LoadDevice(const DeviceId& id) const override;
  // Of one that was joined: as the store has it, since another forgets event marks, and FindEvent is as new as that.
  Result<MarksKept> LoadMarksKept() const override;
  const Store& store() const { return *store_; }
  bool failed() const { return committer_->failed(); }  // it commits nothing any more

 private:
  explicit KeyedLedger(std::unique_ptr<Store> store) : Reading(std::move(store)) {}
  static Result<std::unique_ptr<KeyedLedger>> Load(std::unique_ptr<Store> store, const Store& from,
                                                   const CommitBounds& bounds);
  std::optional<std::uint64_t> HeardOf(const DeviceId& id) const;

  bool joined_ = false;
  // Last member: stops before what it writes to goes. A read may make it look for what others wrote.
  mutable std::optional<Committer> committer_;
};

}  // namespace registry::ledger
