#include "bridge/zone/key_roller.h"

#include <unistd.h>

#include <algorithm>

#include "bridge/zone/key_set_file.h"

namespace registry::zone {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLookEvery{500};
constexpr std::chrono::seconds kStoreEvery{
    60};  // what has been waited: a restart loses no more of it than this
constexpr std::chrono::hours kDsAgain{24};
constexpr std::chrono::seconds kBeginAgain{60};

std::string LineOf(const KeyEntry& key) {
  return "key " + std::to_string(key.tag) + " (" + std::string(NameOf(key.role)) + ")";
}

// Which keys there are, and in which states, only a step changes.
bool SameKeys(const KeySet& one, const KeySet& other) {
  return std::ranges::equal(one.keys, other.keys, [](const KeyEntry& a, const KeyEntry& b) {
    return a.tag == b.tag && a.state == b.state;
  });
}

}  // namespace

Status KeyRoller::Open(UtcTime now) {
  if (!options_.key_set_file.empty()) {
    auto text = ReadKeySet(options_.key_set_file);
    if (!text) return text.error();
    text_ = std::move(*text);
  }
  auto set = KeySetOf(options_, now);
  if (!set) return set.error();
  set_ = std::move(*set);
  SettleNewKeys(KeyFolderOf(options_), set_);
  unstored_ = !text_;  // from here on lifetimes count
  return Done{};
}

std::optional<KeyMaterial> KeyRoller::Look(const Turn& turn) {
  if (options_.key_set_file.empty() || (looked_ && turn.steady - looked_at_ < kLookEvery))
    return std::nullopt;
  const auto elapsed =
      looked_ ? std::chrono::duration_cast<milliseconds>(turn.steady - looked_at_) : milliseconds(0);
  looked_ = true;
  looked_at_ = turn.steady;
  if (!Reread(turn.steady)) return std::nullopt;
  SayDsDue(turn.steady);
  // A power cut may take one step back, which is as if it came later. Two at once would be one too many.
  if (afloat_) return Step(*afloat_, turn);
  KeySet next = set_;
  const RollChange asked = AskParent(next);
  const RollChange change =
      std::max(asked, Advance(next, policy_, {turn.now, elapsed, turn.served, turn.whole}));
  if (change == RollChange::kStep) return Step(std::move(next), turn);
  set_ = next;
  unstored_ = unstored_ || change == RollChange::kNoted;
  const bool due = RollDue(set_, policy_, turn.now) || AlgorithmRollDue(set_);
  if (due && turn.steady >= begin_after_) {
    auto begun = BeginWhatIsDue(turn);
    if (!begun) begin_after_ = turn.steady + kBeginAgain;
    return begun;
  }
  if (unstored_ || (change == RollChange::kWaited && turn.steady - stored_at_ >= kStoreEvery))
    Store(set_, turn.steady);
  return std::nullopt;
}

// registryctl has asked for something, or confirmed a DS: that is taken, and what has been waited here is kept.
bool KeyRoller::Reread(Steady::time_point now) {
  auto text = ReadKeySet(options_.key_set_file);
  if (!text) return Say(text.error().message, now), false;
  if (*text == text_) return true;
  if (!*text) {
    Say(options_.key_set_file + " is gone: it is written again", now);
    text_.reset();
    return unstored_ = true;
  }
  auto read = KeySetFrom(**text);
  if (!read) return Say(read.error().message, now), false;
  if (afloat_ && SameKeys(*read, *afloat_)) {
    afloat_ = std::move(*read);
  } else if (SameKeys(*read, set_)) {
    afloat_.reset();
    Merge(std::move(*read));
  } else {
    Say(options_.key_set_file +
            " names other keys or states than the zone is signed with: put it back, or restart to take it",
        now);
    return false;
  }
  text_ = std::move(*text);
  return true;
}

void KeyRoller::Merge(KeySet read) {
  for (Roll& roll : read.rolls) {
    const Roll* const own = set_.RollOf(roll.role);
    if (own == nullptr || own->step != roll.step || own->to != roll.to) continue;
    roll.waited = std::max(roll.waited, own->waited);
    roll.served = roll.served || own->served;
    roll.ds_seen = roll.ds_seen || own->ds_seen;
    roll.ds_ttl = std::max(roll.ds_ttl, own->ds_ttl);
  }
  set_ = std::move(read);
}

// The keys are loaded before the file says that they sign: what cannot be loaded would end the next start.
std::optional<KeyMaterial> KeyRoller::Step(KeySet next, const Turn& turn) {
  auto material = MaterialOf(next, options_);
  if (!material) return Say(material.error().message, turn.steady), std::nullopt;
  if (!Store(next, turn.steady)) {
    // What the file says, a start would go on with: this step and no other.
    if (text_ == ToText(next)) afloat_ = std::move(next);
    return std::nullopt;
  }
  afloat_.reset();
  SayStep(next);
  const KeySet before = std::exchange(set_, std::move(next));
  SettleNewKeys(KeyFolderOf(options_), set_);
  RemoveFiles(before);
  return std::move(*material);
}

std::optional<KeyMaterial> KeyRoller::BeginWhatIsDue(const Turn& turn) {
  const auto algorithm = AlgorithmRollDue(set_);
  return algorithm ? BeginAlgorithm(*algorithm, turn) : Begin(*RollDue(set_, policy_, turn.now), turn);
}

std::optional<KeyMaterial> KeyRoller::Begin(KeyRole role, const Turn& turn) {
  const auto fresh = MakeKeys({role}, set_.algorithm(), turn);
  if (fresh.empty()) return std::nullopt;
  KeySet next = set_;
  BeginRoll(next, role, fresh[0].tag, fresh[0].file, turn.now);
  return BeginWith(std::move(next), turn);
}

std::optional<KeyMaterial> KeyRoller::BeginAlgorithm(std::uint8_t algorithm, const Turn& turn) {
  std::vector<KeyRole> roles;
  for (const KeyEntry& key : set_.keys) roles.push_back(key.role);  // each once: no key is rolled over
  const auto fresh = MakeKeys(roles, algorithm, turn);
  if (fresh.empty()) return std::nullopt;
  KeySet next = set_;
  BeginAlgorithmRoll(next, algorithm, fresh, turn.now);
  auto begun = BeginWith(std::move(next), turn);
  if (begun) log_.Info("zone: the roll-over to algorithm " + AlgorithmText(algorithm) + " begins");
  return begun;
}

// What failed is tried again after a minute, and leaves no key behind that no file names.
std::optional<KeyMaterial> KeyRoller::BeginWith(KeySet next, const Turn& turn) {
  auto material = Step(std::move(next), turn);
  if (!material && !afloat_) SettleNewKeys(KeyFolderOf(options_), set_);
  return material;
}

// One for each role; none of them where one failed, which is said.
std::vector<KeyEntry> KeyRoller::MakeKeys(const std::vector<KeyRole>& roles, std::uint8_t algorithm,
                                          const Turn& turn) {
  for (const KeyEntry& key : set_.keys) {
    if (key.state != KeyState::kActive || !IsTokenKey(key.file) ||
        std::ranges::find(roles, key.role) == roles.end())
      continue;
    Say(LineOf(key) + " is in a token, and no roll-over makes keys there", turn.steady);
    return {};
  }
  std::vector<KeyEntry> made;
  const auto known = [&](std::uint16_t tag) {
    return set_.Knows(tag) || std::ranges::find(made, tag, &KeyEntry::tag) != made.end();
  };
  for (const KeyRole role : roles) {
    const auto key = MakeKey(KeyFolderOf(options_), role, algorithm, known);
    if (!key) {
      Say("no new key: " + key.error().message, turn.steady);
      SettleNewKeys(KeyFolderOf(options_), set_);
      return {};
    }
    made.push_back({role, KeyState::kPublished, key->tag, key->file, turn.now, algorithm});
  }
  return made;
}

bool KeyRoller::Store(const KeySet& next, Steady::time_point now) {
  const auto stored = ChangeKeySet(options_.key_set_file, [&](const auto& text) -> Result<KeySet> {
    if (text != text_) return Error::Make(Code::kFailed, "stale", "");  // taken in the next look
    return next;
  });
  if (!stored) {
    if (stored.error().symbol == "stale") return false;
    Say("the key set cannot be stored, so no key is rolled over: " + stored.error().message, now);
    // It may have failed after its rename, and the file is what is there.
    if (const auto there = ReadKeySet(options_.key_set_file); there && *there == ToText(next)) text_ = *there;
    return false;
  }
  text_ = ToText(next);
  if (const Status told = options_.key_set_stored ? options_.key_set_stored(*text_) : Status(Done{}); !told) {
    Say("the key set is in its file and nowhere else, so no key is rolled over: " + told.error().message,
        now);
    unstored_ = true;
    return false;
  }
  unstored_ = false;
  stored_at_ = now;
  said_.Forget();
  return true;
}

void KeyRoller::SayStep(const KeySet& next) const {
  for (const KeyEntry& key : next.keys) {
    const KeyEntry* const before = set_.Find(key.tag);
    if (before == nullptr || before->state != key.state)
      log_.Info("zone: " + LineOf(key) + " is " + std::string(NameOf(key.state)) + " now");
  }
  for (const KeyEntry& key : set_.keys) {
    if (next.Find(key.tag) == nullptr) log_.Info("zone: " + LineOf(key) + " has left the zone");
  }
}

// At most one roll-over has a DS to submit.
RollChange KeyRoller::AskParent(KeySet& next) {
  std::vector<Bytes> awaited;
  RollChange change = RollChange::kNothing;
  for (Roll& roll : next.rolls) {
    if (roll.step != RollStep::kSubmit || !roll.served || roll.ds_seen) continue;
    const auto key = PublicZoneKey(KeyPath(KeyFolderOf(options_), next.Find(roll.to)->file), kKskFlags);
    if (key) awaited = DsRdatas(*NameFromText(options_.zone), key->dnskey);
    // RFC 4035 §2.2: an algorithm that the DS set names has to be in the DNSKEY set, so the old DS goes first.
    const auto former =
        roll.of_algorithm() ? std::optional(next.Find(roll.from)->algorithm) : std::optional<std::uint8_t>();
    parent_.Await(awaited, former);
    const auto ttl = parent_.Seen();
    if (!ttl) return change;
    roll.ds_seen = true;
    roll.ds_ttl = std::max(roll.ds_ttl, *ttl);
    change = RollChange::kNoted;
  }
  parent_.Await({});
  return change;
}

std::string KeyRoller::DsDue() const {
  for (const RollStatus& roll : rolls()) {
    if (!roll.ds_due) continue;
    const KeyEntry* const key = set_.Find(*roll.ds_due);
    const auto text = DsText(options_.zone, KeyPath(KeyFolderOf(options_), key->file));
    if (text) return *text;
  }
  return {};
}

void KeyRoller::SayDsDue(Steady::time_point now) {
  std::string due = DsDue();
  const bool news = due != ds_due_ || now - ds_said_ >= kDsAgain;
  ds_due_ = std::move(due);
  if (ds_due_.empty() || !news) return;
  ds_said_ = now;
  log_.Warning(
      "zone: the DS is due: the roll-over waits until the parent publishes this record in place of the old "
      "one: " +
      ds_due_);
}

// Keys that a roll-over has made go with it. Those that the configuration names are the operator's.
void KeyRoller::RemoveFiles(const KeySet& before) const {
  for (const KeyEntry& key : before.keys) {
    if (set_.Find(key.tag) != nullptr) continue;
    const std::string path = KeyPath(KeyFolderOf(options_), key.file);
    if (key.file == std::string(NameOf(key.role)) + "-" + std::to_string(key.tag) + ".pem") {
      unlink(path.c_str());
    } else {
      log_.Info("zone: " + path + " is not needed any more");
    }
  }
}

void KeyRoller::Say(const std::string& trouble, Steady::time_point now) {
  if (said_.Due(trouble, now)) log_.Error("zone: " + trouble);
}

}  // namespace registry::zone
