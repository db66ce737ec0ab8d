#include "bridge/zone/follower.h"

#include <atomic>

#include "bridge/say_once.h"
#include "bridge/zone/apex.h"
#include "bridge/zone/conversation.h"
#include "bridge/zone/copied_zone.h"
#include "bridge/zone/key_set_file.h"
#include "bridge/zone/zone_file.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::zone {
namespace {

using Steady = std::chrono::steady_clock;
using Primary = std::pair<std::string, std::uint16_t>;

constexpr std::chrono::seconds kTryAgain{1};
constexpr std::chrono::minutes kRefusedAgain{
    1};  // what it says is not to be kept: each try may cost it a whole transfer
constexpr std::size_t kAuthorityCount = 8;  // in a message's header

Error NoAnswer(const std::string& why) { return Error::Make(Code::kFailed, "zone_socket_failed", why); }

// Those that may sign the DNSKEY set, as this node knows them; a token need not be there.
Result<std::vector<Bytes>> KnownKeys(const Options& options) {
  const auto set = KeySetOf(options, {});
  if (!set) return set.error();
  std::vector<Bytes> known;
  for (const KeyEntry& entry : set->keys) {
    if (!SignsKeys(entry.role)) continue;
    const auto key = PublicZoneKey(KeyPath(KeyFolderOf(options), entry.file), kKskFlags);
    if (!key) return key.error();
    known.push_back(key->dnskey);
  }
  return known;
}

class Following : public ZoneFollower {
 public:
  Following(Options options, std::vector<Primary> primaries, Name zone, TsigKey key, std::vector<Bytes> known,
            const LogLine& log)
      : options_(std::move(options)),
        primaries_(std::move(primaries)),
        zone_name_(std::move(zone)),
        key_(std::move(key)),
        known_(std::move(known)),
        log_(log),
        clock_(options_.clock != nullptr ? *options_.clock : system_clock_),
        file_(options_.zone_file, zone_name_, log_) {
    thread_.Start("zone-copy", [this] { Run(); });
  }
  ~Following() override { Following::Stop(); }
  void Stop() override {
    thread_.Stop();
    file_.Stop();
  }
  CopySample sample() const override {
    const MutexLock lock(mutex_);
    return sample_;
  }

 private:
  void Run();
  void Open();
  Steady::duration Follow(const Primary& primary);
  std::optional<CopiedAnswer> Ask(Conversation& with, std::string& why);
  Bytes Question(std::uint16_t id) const;
  bool Take(CopiedAnswer& answer, std::string& why);
  bool Behind(std::uint32_t serial, std::string& why) const;
  bool TakeWhole(CopiedAnswer& whole, std::string& why);
  bool TakeDifferences(const CopiedAnswer& answer, std::string& why);
  bool Believed(const Delta& step, std::string& why);
  bool Keep(const DeltaPtr& step, bool told, std::string& why);
  void WriteAnewIfDue();
  void Follows(const std::string& where, CopiedAnswer::Kind kind);
  void Lost(const std::string& where, const std::string& why);
  bool Rest(Steady::duration time) {
    MutexLock lock(mutex_);
    return thread_.Rest(lock, time);
  }

  const Options options_;
  const std::vector<Primary> primaries_;
  const Name zone_name_;
  const TsigKey key_;
  const std::vector<Bytes> known_;
  const LogLine log_;
  const SystemClock system_clock_;
  const Clock& clock_;
  ZoneFile file_;
  // The thread's own.
  std::optional<StoredZone> zone_;
  std::optional<CopyJudge> judge_;
  Frames frames_;
  bool whole_next_ = false;  // a difference did not fit
  Steady::duration again_ = kTryAgain;
  SayOnce complaints_;
  std::string follows_;  // whom; empty: nobody
  mutable Mutex mutex_;
  CondVar wake_;
  CopySample sample_ GUARDED_BY(mutex_);
  OwnThread thread_{mutex_, wake_};
};

void Following::Run() {
  Open();
  for (std::size_t turn = 0; !thread_.stopping(); ++turn) {
    (void)Rest(Follow(primaries_[turn % primaries_.size()]));
  }
}

// What is there may be this node's own, of a time when it was active. The end that is cut off it is told to the next start.
void Following::Open() {
  zone_ = file_.Read(options_.journal_bytes_max, options_.journal_changes_max);
  std::vector<Bytes> known = known_;
  if (zone_) {
    if (zone_->torn) file_.MarkCopied();
    if (const BlockPtr dnskeys = zone_->blocks.Find(StoredBlocks::KeyOf({}, kTypeDnskey))) {
      for (Bytes& key : PartsOf(*dnskeys).rdatas) known.push_back(std::move(key));
    }
    const MutexLock lock(mutex_);
    sample_.serial = zone_->serial;
  }
  judge_.emplace(zone_name_, known);
}

// Until it fails, or something else is to be looked at: after what it says.
Steady::duration Following::Follow(const Primary& primary) {
  again_ = kTryAgain;
  const std::string where = primary.first + " port " + std::to_string(primary.second);
  std::string why;
  auto socket = ConnectTcp(primary.first, primary.second, options_.listen_address);
  if (!socket) {
    Lost(where, socket.error().message);
    return again_;
  }
  Conversation with(
      std::move(*socket), Steady::now() + kCopyStep, [this] { return thread_.stopping(); }, &NoAnswer);
  auto newest = Steady::now();
  do {
    auto answer = Ask(with, why);
    const bool taken = answer && Take(*answer, why);
    if (!taken) Lost(where, why);
    if (!taken) return again_;
    Follows(where, answer->kind);
    if (answer->kind != CopiedAnswer::Kind::kCurrent) newest = Steady::now();
    // What it took to look through all of it may have been longer than the other one waits for the next question.
    if (answer->kind == CopiedAnswer::Kind::kWhole) return {};
    if (primaries_.size() > 1 && Steady::now() - newest > kCopyElsewhere) return {};
  } while (Rest(kCopyAgain));
  return {};
}

// RFC 1995 §3: the version that is there, as a SOA in the authority section.
Bytes Following::Question(std::uint16_t id) const {
  const bool difference = zone_ && !whole_next_;
  Bytes question = StartMessage(id, 0, zone_name_, difference ? kTypeIxfr : kTypeAxfr);
  if (!difference) return question;
  SetU16(question, kAuthorityCount, 1);
  Put(question, zone_->soa->data());
  return question;
}

std::optional<CopiedAnswer> Following::Ask(Conversation& with, std::string& why) {
  const std::uint16_t id = FreshId();
  Bytes question = Question(id), framed;
  const auto have = zone_ && !whole_next_ ? std::optional(zone_->serial) : std::nullopt;
  CopyReader reader(zone_name_, key_, clock_, id, SignRequest(question, key_, clock_.Now()), have);
  PutFramed(framed, question);
  with.Until(Steady::now() + kCopyStep);
  if (const Status sent = with.Send(framed); !sent) {
    why = sent.error().message;
    return std::nullopt;
  }
  while (reader.wants_more()) {
    with.Until(Steady::now() + kCopyStep);
    const auto octets = with.ReceiveMessage();
    if (!octets) why = octets.error().message;
    if (!octets || !reader.Take(*octets)) {
      if (octets) why = reader.why();
      return std::nullopt;
    }
  }
  if (reader.Finish()) return std::move(reader.answer());
  why = reader.why();
  return std::nullopt;
}

bool Following::Take(CopiedAnswer& answer, std::string& why) {
  if (answer.kind == CopiedAnswer::Kind::kWhole) return TakeWhole(answer, why);
  if (answer.kind == CopiedAnswer::Kind::kDifferences) return TakeDifferences(answer, why);
  return !zone_ || answer.serial == zone_->serial || Behind(answer.serial, why);
}

bool Following::Behind(std::uint32_t serial, std::string& why) const {
  why = "its serial " + std::to_string(serial) + " is behind that of the copy, " +
        std::to_string(zone_->serial);
  return false;
}

// No difference is told over it, as the other one told none: it may have another past, of a ledger that was restored.
bool Following::TakeWhole(CopiedAnswer& whole, std::string& why) {
  whole_next_ = false;
  if (zone_) {
    if (SerialAhead(zone_->serial, whole.serial)) return Behind(whole.serial, why);
    return Keep(std::make_shared<const Delta>(DifferenceTo(*zone_, whole)), false, why);
  }
  Delta all{whole.serial, whole.serial, nullptr, whole.soa, {}, whole.blocks.All()};
  if (!Believed(all, why)) return false;
  zone_.emplace(options_.journal_bytes_max, options_.journal_changes_max);
  zone_->blocks = std::move(whole.blocks);
  zone_->soa = std::move(whole.soa);
  zone_->serial = whole.serial;
  WriteAnewIfDue();
  return true;
}

bool Following::TakeDifferences(const CopiedAnswer& answer, std::string& why) {
  for (const CopiedStep& step : answer.steps) {
    auto difference = DifferenceIn(*zone_, frames_, step, why);
    whole_next_ = !difference.has_value();
    if (!difference || !Keep(std::make_shared<const Delta>(std::move(*difference)), true, why)) return false;
  }
  return true;
}

bool Following::Believed(const Delta& step, std::string& why) {
  const auto stop = [this] { return thread_.stopping(); };
  if (judge_->Good(step, stop, why)) return true;
  again_ = kRefusedAgain;
  return false;
}

bool Following::Keep(const DeltaPtr& step, bool told, std::string& why) {
  if (!Believed(*step, why)) return false;
  MakeStep(*zone_, step, told);
  file_.AppendCopied(*step, !told);
  WriteAnewIfDue();
  return true;
}

void Following::WriteAnewIfDue() {
  if (file_.RewriteDue())
    file_.Rewrite({zone_->blocks.All(), zone_->soa, zone_->serial, zone_->journal.All(), true});
}

void Following::Follows(const std::string& where, CopiedAnswer::Kind kind) {
  {
    const MutexLock lock(mutex_);
    sample_.follows = true;
    sample_.serial = zone_->serial;
    if (kind == CopiedAnswer::Kind::kWhole) ++sample_.whole;
    if (kind == CopiedAnswer::Kind::kDifferences) ++sample_.differences;
  }
  if (follows_ == where) return;
  follows_ = where;
  complaints_.Forget();
  log_.Info("zone: follows that of " + where + ", serial " + std::to_string(zone_->serial));
}

void Following::Lost(const std::string& where, const std::string& why) {
  if (thread_.stopping()) return;
  follows_.clear();
  {
    const MutexLock lock(mutex_);
    sample_.follows = false;
  }
  const std::string line = "zone: this node's copy is not kept up to date, " + where + ": " + why;
  if (complaints_.Due(line, Steady::now())) log_.Warning(line);
}

}  // namespace

Result<std::unique_ptr<ZoneFollower>> ZoneFollower::Start(
    Options options, std::vector<std::pair<std::string, std::uint16_t>> primaries, LogLine log) {
  auto zone = NameFromText(options.zone);
  if (!zone || primaries.empty())
    return Error::Make(Code::kFailed, "zone_options_invalid", "a zone and another primary are needed");
  auto key = LoadTsigKey(options.tsig_name, options.tsig_secret_file);
  if (!key) return key.error();
  auto known = KnownKeys(options);
  if (!known) return known.error();
  return std::unique_ptr<ZoneFollower>(std::make_unique<Following>(
      std::move(options), std::move(primaries), std::move(*zone), std::move(*key), std::move(*known), log));
}

}  // namespace registry::zone
