// tests/unit/bridge/zone/key_world.h: a model of everything around the keys for years: the registry's process that is killed
// and restarted, its clock that jumps, secondaries that lag and are away, a parent whose servers lag, and resolvers that
// hold whatever their TTLs allow. It knows nothing of key_roll.h but its calls, and has its own idea of what is valid.
// A resolver is the worst one: it may combine any DS set, DNSKEY set and signatures that some server could have answered
// within the TTL of each. It wants a valid signature of every algorithm that the DS set or the DNSKEY set names, as
// Unbound does with harden-algo-downgrade. Time is true time in seconds; all chance comes from the seed.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <set>
#include <string>

#include "bridge/zone/key_roll.h"

namespace registry::zone::testing {

struct WorldTruth {  // how the world is, whatever the policy believes
  std::int64_t dnskey_ttl = 3600, ttl_max = 3600, propagation = 3600, ds_ttl = 86400,
               parent_propagation = 3600;
};

class KeyWorld {
 public:
  KeyWorld(KeySet first, RollPolicy policy, WorldTruth truth, std::uint64_t seed)
      : policy_(policy), truth_(truth), random_(seed), set_(std::move(first)) {
    stored_ = ToText(set_);
    ds_ = set_.Anchor().tag;
    next_tag_ = 100;
    Learn();
    Apply();
    for (std::size_t& at : secondaries_) at = versions_.size() - 1;
    ds_served_[ds_] = kNever;
  }

  // Empty as long as everything validates for everybody.
  std::string Run(std::int64_t seconds) {
    for (const std::int64_t end = time_ + seconds; time_ < end;) {
      time_ += kStep;
      Chance();
      MoveSecondaries();
      MoveParent();
      if (running_) Registry();
      if (auto why = Bogus(); !why.empty()) return why;
    }
    return {};
  }
  int ended(KeyRole role) const { return ended_.contains(role) ? ended_.at(role) : 0; }
  int algorithms_ended() const { return algorithms_ended_; }
  // From here on the operator asks for another algorithm at times.
  void RollAlgorithms() { roll_algorithms_ = true; }
  int kills() const { return kills_; }
  int jumps() const { return jumps_; }
  int take_overs() const { return take_overs_; }
  const KeySet& set() const { return set_; }

 private:
  static constexpr std::int64_t kStep = 600, kDay = 86400, kNever = INT64_MAX / 4;
  struct Version {
    std::set<std::uint16_t> dnskeys, ksks;
    std::set<std::set<std::uint16_t>> seals;  // the sets of keys that have signed one RRset or another
    std::int64_t left = kNever;               // when the last server of all stops answering it
  };

  bool OneIn(std::uint64_t n) { return random_() % n == 0; }
  std::int64_t UpTo(std::int64_t seconds) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(seconds + 1));
  }
  UtcTime Wall() const { return {(1'790'000'000 + time_ + offset_) * 1'000'000}; }

  void Chance() {
    if (OneIn(144 * 20)) {  // about every 20 days, and half of the times back to the right one
      offset_ = OneIn(2) ? 0 : UpTo(800 * kDay) - 400 * kDay;
      ++jumps_;
    }
    if (running_ && OneIn(144 * 3)) {
      running_ = false;
      ++kills_;
      up_at_ = time_ + UpTo(OneIn(4) ? 3 * kDay : 1800);
    }
    if (!running_ && time_ >= up_at_) Start();
  }
  void Start() {
    running_ = true;
    looked_ = false;
    set_ = *KeySetFrom(stored_);
    Apply();
    if (OneIn(3)) return TakeOlder();
    if (!OneIn(2)) return;
    signed_until_ = time_;  // without its file a start signs everything anew
    versions_.back().seals = {Seal()};
  }
  // Another registry goes on with the set, and has a kept zone of its own, which is behind: it takes what is usable of it.
  void TakeOlder() {
    const Version older = versions_[random_() % versions_.size()];
    std::set<std::set<std::uint16_t>> seals;
    for (const auto& seal : older.seals)
      seals.insert(Unsigned(versions_.back(), seal).empty() ? seal : Seal());
    versions_.back().seals = std::move(seals);
    signed_until_ = Whole() ? time_ : time_ + UpTo(kDay);
    ++take_overs_;
  }
  // Nothing is signed by others than the set wants.
  bool Whole() const { return versions_.back().seals == std::set<std::set<std::uint16_t>>{Seal()}; }
  std::set<std::uint16_t> Seal() const {
    std::set<std::uint16_t> seal;
    for (const KeyEntry* key : set_.Signers()) seal.insert(key->tag);
    return seal;
  }
  void Learn() {
    for (const KeyEntry& key : set_.keys) algorithm_of_[key.tag] = key.algorithm;
  }
  // The zone as the set wants it, a version of its own. What another key has signed stays until it is signed anew.
  void Apply() {
    Version next;
    Learn();
    for (const KeyEntry& key : set_.keys) {
      if (key.state == KeyState::kPreActive || key.state == KeyState::kPostActive) continue;
      next.dnskeys.insert(key.tag);
      if (SignsKeys(key.role)) next.ksks.insert(key.tag);
    }
    if (!versions_.empty()) next.seals = versions_.back().seals;
    const auto seal = Seal();
    if (!next.seals.empty() && (next.seals.size() != 1 || !next.seals.contains(seal)))
      signed_until_ = time_ + UpTo(kDay);
    next.seals.insert(seal);
    versions_.push_back(next);
  }
  void Registry() {
    if (time_ >= signed_until_ && !Whole()) {
      Version next = versions_.back();
      next.seals = {Seal()};
      next.left = kNever;
      versions_.push_back(next);
    }
    const bool served = Whole() && std::ranges::all_of(secondaries_, [&](std::size_t at) {
                          return at == versions_.size() - 1;
                        });
    const RollFacts facts{Wall(), std::chrono::seconds(looked_ ? kStep : 0), served, Whole()};
    looked_ = true;
    if (roll_algorithms_ && OneIn(144 * 20)) Ask();
    if (const auto algorithm = AlgorithmRollDue(set_)) {
      BeginAlgorithm(*algorithm, facts.now);
      return Step();
    }
    if (const auto due = RollDue(set_, policy_, facts.now)) {
      BeginRoll(set_, *due, next_tag_++, "new.pem", facts.now);
      return Step();
    }
    for (Roll& roll : set_.rolls) {
      if (roll.step == RollStep::kSubmit && served && !wanted_ds_) wanted_ds_ = roll.to;
      if (roll.step == RollStep::kSubmit && parent_has_ == roll.to) roll.ds_seen = true;
    }
    const auto before = set_.rolls;
    const RollChange change = Advance(set_, policy_, facts);
    if (before.size() > set_.rolls.size()) Ended(before);
    if (change == RollChange::kStep) return Step();
    // Times are stored now and then: what was not is waited for once more.
    if (change == RollChange::kNoted || OneIn(6)) stored_ = ToText(set_);
  }
  void Ask() {
    const std::uint8_t to = std::array{kEcdsaP256Sha256, kEcdsaP384Sha384, kEd25519}[random_() % 3];
    if (AlgorithmRefusal(set_, to).empty()) set_.requested_algorithm = to == set_.algorithm() ? 0 : to;
  }
  void BeginAlgorithm(std::uint8_t algorithm, UtcTime now) {
    std::vector<KeyEntry> fresh;
    for (const KeyEntry& key : set_.keys)
      fresh.push_back({key.role, KeyState::kPreActive, next_tag_++, "new.pem", now, algorithm});
    BeginAlgorithmRoll(set_, algorithm, fresh, now);
  }
  void Step() {
    stored_ = ToText(set_);
    if (OneIn(5)) {  // killed between the file and the zone
      running_ = false;
      ++kills_;
      up_at_ = time_ + UpTo(kDay);
      return;
    }
    Apply();
  }
  void Ended(const std::vector<Roll>& before) {
    for (const Roll& roll : before) {
      if (set_.RollOf(roll.role) != nullptr) continue;
      ++(roll.of_algorithm() ? algorithms_ended_ : ended_[roll.role]);
    }
  }
  void MoveSecondaries() {
    for (std::size_t i = 0; i < secondaries_.size(); ++i) {
      if (time_ < away_[i]) continue;
      if (OneIn(144 * 15)) away_[i] = time_ + UpTo(2 * kDay);
      if (running_ && !OneIn(3)) secondaries_[i] = versions_.size() - 1;
    }
    const std::size_t last = *std::ranges::min_element(secondaries_);
    // Whoever stands behind a secondary answers the old version for as long as the propagation says.
    for (std::size_t i = 0; i < last; ++i) {
      if (versions_[i].left == kNever) versions_[i].left = time_ + truth_.propagation;
    }
  }
  // The operator, or the parent by CDS, acts after hours or days. Then the servers that can be seen have the new DS, and
  // the others have it after `parent_propagation`.
  void MoveParent() {
    if (wanted_ds_ && ds_at_ == 0) ds_at_ = time_ + UpTo(3 * kDay);
    if (!wanted_ds_ || time_ < ds_at_) return;
    ds_served_[ds_] = time_ + truth_.parent_propagation;
    ds_ = parent_has_ = *wanted_ds_;
    ds_served_[ds_] = kNever;
    wanted_ds_.reset();
    ds_at_ = 0;
  }
  std::string Bogus() {
    while (versions_.size() > 1 && Old(versions_.front())) {
      versions_.erase(versions_.begin());
      for (std::size_t& at : secondaries_) --at;
    }
    for (const Version& keys : versions_) {
      if (time_ >= keys.left + truth_.dnskey_ttl) continue;
      for (const auto& [ds, left] : ds_served_) {
        if (time_ < left + truth_.ds_ttl && !keys.ksks.contains(ds)) return At("DS " + std::to_string(ds));
      }
      for (const Version& data : versions_) {
        if (time_ >= data.left + truth_.ttl_max) continue;
        for (const auto& seal : data.seals) {
          if (auto why = Unsigned(keys, seal); !why.empty()) return At(why);
        }
      }
    }
    return {};
  }
  std::string Unsigned(const Version& keys, const std::set<std::uint16_t>& seal) const {
    std::set<std::uint8_t> missing;
    for (const std::uint16_t tag : keys.dnskeys) missing.insert(algorithm_of_.at(tag));
    for (const std::uint16_t tag : seal) {
      if (keys.dnskeys.contains(tag)) missing.erase(algorithm_of_.at(tag));
    }
    if (missing.empty()) return {};
    return "a signature of " + std::to_string(*seal.begin()) + " and no other of algorithm " +
           std::to_string(*missing.begin());
  }
  bool Old(const Version& version) const {
    return time_ >= version.left + std::max(truth_.dnskey_ttl, truth_.ttl_max);
  }
  std::string At(const std::string& what) const {
    return what + " has no key in a DNSKEY set that may be cached, day " + std::to_string(time_ / kDay) +
           "\n" + stored_;
  }

  const RollPolicy policy_;
  const WorldTruth truth_;
  std::mt19937_64 random_;
  KeySet set_;
  std::string stored_;
  std::int64_t time_ = 0, offset_ = 0, up_at_ = 0, signed_until_ = 0, ds_at_ = 0;
  bool running_ = true, looked_ = false;
  std::uint16_t next_tag_, ds_, parent_has_ = 0;
  std::optional<std::uint16_t> wanted_ds_;
  std::vector<Version> versions_;
  std::array<std::size_t, 3> secondaries_{};
  std::array<std::int64_t, 3> away_{};
  std::map<std::uint16_t, std::int64_t> ds_served_;
  std::map<KeyRole, int> ended_;
  std::map<std::uint16_t, std::uint8_t> algorithm_of_;
  bool roll_algorithms_ = false;
  int algorithms_ended_ = 0;
  int kills_ = 0, jumps_ = 0, take_overs_ = 0;
};

}  // namespace registry::zone::testing
