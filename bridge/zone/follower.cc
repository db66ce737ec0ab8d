#include "bridge/zone/follower.h"

#include <algorithm>

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
using Primaries = std::vector<std::pair<std::string, std::uint16_t>>;

constexpr std::chrono::seconds kTryAgain{1};
constexpr std::chrono::minutes kLostAfter{1};
// What it says is not to be kept, each time for longer: a try may cost it a whole transfer.
constexpr std::chrono::minutes kRefusedAgain{1}, kRefusedAgainMost{60};
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

struct Primary {
  explicit Primary(std::pair<std::string, std::uint16_t> at)
      : address(std::move(at.first)), port(at.second), where(address + " port " + std::to_string(port)) {}
  std::string address;
  std::uint16_t port;
  std::string where;
  std::string trouble;            // since any of them has answered well; empty: none
  Steady::time_point not_before;  // what it said was refused
  Steady::duration refused = {};  // for how long
  bool waits() const { return Steady::now() < not_before; }
};

class Following : public ZoneFollower {
 public:
  Following(Options options, const Primaries& primaries, Name zone, TsigKey key, std::vector<Bytes> known,
            const LogLine& log, KeysBeside beside, std::chrono::milliseconds elsewhere)
      : options_(std::move(options)),
        zone_name_(std::move(zone)),
        key_(std::move(key)),
        known_(std::move(known)),
        log_(log),
        clock_(options_.clock != nullptr ? *options_.clock : system_clock_),
        beside_(std::move(beside)),
        elsewhere_(elsewhere),
        file_(options_.zone_file, zone_name_, log_),
        primaries_(primaries.begin(), primaries.end()) {
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
  enum class End : std::uint8_t { kFailed, kNothingNew, kWhole };

  void Run();
  void Open();
  End Follow(std::size_t which);
  Result<Conversation> Connect(const Primary& primary) const;
  std::optional<CopiedAnswer> Ask(Conversation& with, std::string& why);
  Bytes Question(std::uint16_t id) const;
  bool Take(CopiedAnswer& answer, std::string& why);
  bool Behind(std::uint32_t serial, std::string& why) const;
  bool TakeWhole(CopiedAnswer& whole, std::string& why);
  bool TakeDifferences(const CopiedAnswer& answer, std::string& why);
  bool Believed(const Delta& step, std::string& why);
  bool LearnsKeys(std::string& why);
  void Refuse(Primary& primary) const;
  bool Keep(const DeltaPtr& step, bool told, std::string& why);
  void WriteAnewIfDue();
  void Follows(std::size_t which, CopiedAnswer::Kind kind);
  End Failed(Primary& primary, const std::string& why);
  void Lost();
  bool Rest(Steady::duration time) {
    MutexLock lock(mutex_);
    return thread_.Rest(lock, time);
  }

  const Options options_;
  const Name zone_name_;
  const TsigKey key_;
  const std::vector<Bytes> known_;
  const LogLine log_;
  const SystemClock system_clock_;
  const Clock& clock_;
  const KeysBeside beside_;
  const std::chrono::milliseconds elsewhere_;
  ZoneFile file_;
  // The thread's own.
  std::optional<StoredZone> zone_;
  std::optional<CopyJudge> judge_;
  Frames frames_;
  std::vector<Primary> primaries_;
  std::size_t last_ = 0;  // that answered
  Steady::time_point answered_ = Steady::now();
  bool whole_next_ = false;  // a difference did not fit
  bool refused_ = false;     // what the last answer said
  SayOnce complaints_;
  std::string follows_;  // whom; empty: nobody
  mutable Mutex mutex_;
  CondVar wake_;
  CopySample sample_ GUARDED_BY(mutex_);
  OwnThread thread_{mutex_, wake_};
};

// The one that answered last, and between its times one of the others: another may have become active.
void Following::Run() {
  Open();
  for (std::size_t look = 0; !thread_.stopping();) {
    const End end = Follow(last_);
    if (end == End::kWhole)
      continue;  // over a new connection: it may have waited too long for the next question
    if (primaries_.size() > 1) {
      look = look % (primaries_.size() - 1) + 1;
      if (Follow((last_ + look) % primaries_.size()) != End::kFailed) continue;
    }
    if (end == End::kFailed) (void)Rest(kTryAgain);
  }
}

// What is there may be this node's own, of a time when it was active. The end that is cut off it is told to the next start.
void Following::Open() {
  zone_ = file_.Read(options_.journal_bytes_max, options_.journal_changes_max,
                     [this] { return thread_.stopping(); });
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

// Until it fails, or something else is to be looked at.
Following::End Following::Follow(std::size_t which) {
  Primary& primary = primaries_[which];
  if (primary.waits()) return End::kFailed;
  auto made = Connect(primary);
  if (!made) return Failed(primary, made.error().message);
  Conversation& with = *made;
  auto newest = Steady::now();
  std::string why;
  do {
    refused_ = false;
    auto answer = Ask(with, why);
    const bool taken = answer && Take(*answer, why);
    WriteAnewIfDue();
    if (refused_) Refuse(primary);
    if (!taken) return Failed(primary, why);
    Follows(which, answer->kind);
    if (answer->kind == CopiedAnswer::Kind::kWhole) return End::kWhole;
    if (answer->kind != CopiedAnswer::Kind::kCurrent) newest = Steady::now();
    if (primaries_.size() > 1 && Steady::now() - newest > elsewhere_) return End::kNothingNew;
  } while (Rest(kCopyAgain));
  return End::kNothingNew;
}

// The files are read anew each time: a certificate may have been replaced.
Result<Conversation> Following::Connect(const Primary& primary) const {
  std::optional<Conversation::Tls> tls;
  if (options_.tls.on()) {
    auto peer = MakeTlsToPeer(options_.tls.files);
    if (!peer) return peer.error();
    if (peer->name.empty()) return NoAnswer(options_.tls.files.certificate + " has no dNSName");
    tls = Conversation::Tls{std::move(peer->context), std::move(peer->name)};
  }
  auto socket = ConnectTcp(primary.address, primary.port, options_.listen_address);
  if (!socket) return socket.error();
  const auto until = Steady::now() + kCopyReach;
  const auto stopping = [this] { return thread_.stopping(); };
  return tls ? Conversation(std::move(*socket), *tls, until, stopping, &NoAnswer)
             : Conversation(std::move(*socket), until, stopping, &NoAnswer);
}

void Following::Refuse(Primary& primary) const {
  primary.refused = primary.refused == Steady::duration{}
                        ? Steady::duration(kRefusedAgain)
                        : std::min<Steady::duration>(2 * primary.refused, kRefusedAgainMost);
  primary.not_before = Steady::now() + primary.refused;
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
  with.Until(Steady::now() + kCopyReach);  // the connection is made in it
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
    auto difference = DifferenceTo(*zone_, whole, [this] { return thread_.stopping(); });
    return difference && Keep(std::make_shared<const Delta>(std::move(*difference)), false, why);
  }
  Delta all{whole.serial, whole.serial, nullptr, whole.soa, {}, whole.blocks.All()};
  if (!Believed(all, why)) return false;
  zone_.emplace(options_.journal_bytes_max, options_.journal_changes_max);
  zone_->blocks = std::move(whole.blocks);
  zone_->soa = std::move(whole.soa);
  zone_->serial = whole.serial;
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
  if (judge_->Good(step, clock_.Now(), stop, why)) return true;
  if (!stop() && LearnsKeys(why) && judge_->Good(step, clock_.Now(), stop, why)) return true;
  refused_ = true;
  return false;
}

// A roll-over of the KSK that this node has missed: no DNSKEY set that it has seen leads to the one of now.
bool Following::LearnsKeys(std::string& why) {
  if (!beside_) return false;
  const auto keys = beside_();
  if (keys) return judge_->BelieveToo(*keys);
  why += "; " + keys.error().message;
  return false;
}

bool Following::Keep(const DeltaPtr& step, bool told, std::string& why) {
  if (!Believed(*step, why)) return false;
  MakeStep(*zone_, step, told);
  file_.AppendCopied(*step, !told);
  return true;
}

// Where a write has failed, it is due again later.
void Following::WriteAnewIfDue() {
  if (zone_ && file_.RewriteDue())
    file_.Rewrite({zone_->blocks.All(), zone_->soa, zone_->serial, zone_->journal.All(), true});
}

void Following::Follows(std::size_t which, CopiedAnswer::Kind kind) {
  {
    const MutexLock lock(mutex_);
    sample_.follows = true;
    sample_.serial = zone_->serial;
    if (kind == CopiedAnswer::Kind::kWhole) ++sample_.whole;
    if (kind == CopiedAnswer::Kind::kDifferences) ++sample_.differences;
  }
  last_ = which;
  answered_ = Steady::now();
  primaries_[which].refused = {};
  for (Primary& primary : primaries_) primary.trouble.clear();
  const std::string& where = primaries_[which].where;
  if (follows_ == where) return;
  follows_ = where;
  log_.Info("zone: follows that of " + where + ", serial " + std::to_string(zone_->serial));
}

// One that stands by refuses, which is no trouble while another one answers.
Following::End Following::Failed(Primary& primary, const std::string& why) {
  primary.trouble = why;
  const bool all = std::ranges::all_of(
      primaries_, [](const Primary& other) { return !other.trouble.empty() || other.waits(); });
  if (!thread_.stopping() && (all || Steady::now() - answered_ > kLostAfter)) Lost();
  return End::kFailed;
}

void Following::Lost() {
  follows_.clear();
  {
    const MutexLock lock(mutex_);
    sample_.follows = false;
  }
  for (const Primary& primary : primaries_) {
    if (primary.trouble.empty()) continue;
    const std::string line =
        "zone: this node's copy is not kept up to date, " + primary.where + ": " + primary.trouble;
    if (complaints_.Due(line, Steady::now())) log_.Warning(line);
  }
}

}  // namespace

Result<std::unique_ptr<ZoneFollower>> ZoneFollower::Start(
    Options options, std::vector<std::pair<std::string, std::uint16_t>> primaries, LogLine log,
    KeysBeside beside, std::chrono::milliseconds elsewhere) {
  auto zone = NameFromText(options.zone);
  if (!zone || primaries.empty())
    return Error::Make(Code::kFailed, "zone_options_invalid", "a zone and another primary are needed");
  auto key = LoadTsigKey(options.tsig_name, options.tsig_secret_file);
  if (!key) return key.error();
  auto known = KnownKeys(options);
  if (!known) return known.error();
  return std::unique_ptr<ZoneFollower>(
      std::make_unique<Following>(std::move(options), primaries, std::move(*zone), std::move(*key),
                                  std::move(*known), log, std::move(beside), elsewhere));
}

}  // namespace registry::zone
