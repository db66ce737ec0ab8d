// bridge/zone/key_roller.h: carries the roll-overs out: takes what the machine (key_roll.h) decides from and to the file of
// the key set, makes new keys, tells the operator what is due, and says when the zone must be signed otherwise.
// Order of a step: new key file, then the set's file (both durable), then the zone. Killed in between, a start goes on
// with what the file says; nothing that was served before has left it by then.
// Owns: the key set in memory; the file is shared with registryctl, which asks for roll-overs and confirms a DS in it.
// Threads: the publishing thread only.
// Errors: a set that cannot be read, a file that cannot be written, a key that cannot be made: an error line (again once a
//   minute), and the keys stay as they are until it is mended. The zone is served and signed meanwhile.
//   A file that was replaced, but of which fsync(2) of its folder failed, may be the old or the new one after a power cut:
//   the step then waits until the same is written again without a fault, and its key files stay.
#pragma once

#include "bridge/say_once.h"
#include "bridge/zone/apex.h"
#include "bridge/zone/parent_watch.h"

namespace registry::zone {

class KeyRoller {
 public:
  using Steady = std::chrono::steady_clock;

  // `parent` outlives it.
  KeyRoller(const Options& options, ParentWatch& parent, LogLine log)
      : options_(options), parent_(parent), log_(std::move(log)) {}

  // Error: the set cannot be read.
  Status Open(UtcTime now);
  struct Turn {
    UtcTime now;
    Steady::time_point steady;
    bool served = false;  // as RollFacts has these two
    bool whole = true;
  };
  // Looks at most twice a second. What the zone is to be signed with from here on; nullopt: as before.
  std::optional<KeyMaterial> Look(const Turn& turn);
  const KeySet& set() const { return set_; }
  std::vector<RollStatus> rolls() const { return StatusOf(set_, policy_); }
  // The record that the parent is to publish now; empty: none.
  const std::string& ds_due() const { return ds_due_; }

 private:
  bool Reread(Steady::time_point now);
  void Merge(KeySet read);
  std::optional<KeyMaterial> Step(KeySet next, const Turn& turn);
  std::optional<KeyMaterial> BeginWhatIsDue(const Turn& turn);
  std::optional<KeyMaterial> Begin(KeyRole role, const Turn& turn);
  std::optional<KeyMaterial> BeginAlgorithm(std::uint8_t algorithm, const Turn& turn);
  std::optional<KeyMaterial> BeginWith(KeySet next, const Turn& turn);
  std::vector<KeyEntry> MakeKeys(const std::vector<KeyRole>& roles, std::uint8_t algorithm, const Turn& turn);
  bool Store(const KeySet& next, Steady::time_point now);
  void SayStep(const KeySet& next) const;
  RollChange AskParent(KeySet& next);
  std::string DsDue() const;
  void SayDsDue(Steady::time_point now);
  void RemoveFiles(const KeySet& before) const;
  void Say(const std::string& trouble, Steady::time_point now);

  const Options& options_;
  ParentWatch& parent_;
  const LogLine log_;
  const RollPolicy policy_ = RollPolicyOf(options_);
  KeySet set_;
  std::optional<KeySet> afloat_;     // the step after set_, which the file has, but perhaps not for good
  std::optional<std::string> text_;  // of the file, as this object last saw it
  bool unstored_ = false;            // something of set_ that must get there
  bool looked_ = false;
  Steady::time_point looked_at_, stored_at_, ds_said_, begin_after_;
  std::string ds_due_;
  SayOnce said_;
};

}  // namespace registry::zone
