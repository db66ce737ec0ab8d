#include "bridge/app/crl_writer.h"

#include <charconv>
#include <fstream>
#include <iterator>
#include <utility>

#include "bridge/ledger/sound.h"
#include "bridge/signing/crl.h"
#include "bridge/signing/file_write.h"
#include "workers/csr_sign/csr_sign.h"

namespace registry::app {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kEntriesMax = 4096;
constexpr std::size_t kForgottenAtOnce = 1000;  // of one commit
constexpr milliseconds kReadWait{1000};
constexpr mode_t kReadableByAll = 0644;
// As certificates are (csr_sign.h): clocks of relying parties are not all right.
constexpr std::chrono::seconds kBackdate{300};

std::uint64_t NumberOf(const std::string& state) {
  std::uint64_t number = 0;
  std::from_chars(state.data(), state.data() + state.size(), number);
  return number;
}

// Some verifiers (NSS) take an entry whose revocationDate is to come for one that does not count yet.
std::vector<domain::Revocation> NotAfter(UtcTime now, std::vector<domain::Revocation> revocations) {
  for (domain::Revocation& revocation : revocations) revocation.at = std::min(revocation.at, now);
  return revocations;
}

// 0 when there is no CRL, or none that can be read: then nobody has seen a number in it either.
std::uint64_t NumberInFile(const std::string& file) {
  std::ifstream input(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(input), {}};
  const auto der = FromPem("X509 CRL", text);
  return der ? signing::CrlNumber(*der).value_or(0) : 0;
}

}  // namespace

CrlWriter::CrlWriter(CrlOptions options, ledger::Ledger& ledger, const domain::Signer& signer,
                     const Clock& clock, LogLine log)
    : options_(std::move(options)), ledger_(ledger), signer_(signer), clock_(clock), log_(std::move(log)) {}

CrlWriter::~CrlWriter() { Stop(); }

void CrlWriter::Start() {
  thread_.Start("crl", [this] { Run(); });
}

void CrlWriter::Stop() {
  thread_.Stop([this] { ledger_.WakeAll(); });
}

bool CrlWriter::Wait(milliseconds time) {
  MutexLock lock(mutex_);
  return thread_.Rest(lock, time);
}

// One that begins in the future was written by a clock that was ahead: no relying party takes it until then.
bool CrlWriter::Old() const {
  const std::int64_t age = clock_.Now().seconds() - written_;
  return age >= options_.validity.count() / 2 || age < -kBackdate.count();
}

Status CrlWriter::WriteNow() {
  const auto last = ledger_.OutboxLast(ledger::Sink::kCrl);
  if (!last) return last.error();
  published_ = NumberInFile(options_.file);
  return Write(*last);
}

// Reads every revocation after `up_to` is known, so that the list holds at least all of those.
Status CrlWriter::Write(ledger::Seq up_to) {
  const auto sink = ledger_.LoadSink(ledger::Sink::kCrl);
  if (!sink) return sink.error();
  auto revocations = ledger_.Revocations();
  if (!revocations) return revocations.error();
  const UtcTime now = clock_.Now();
  LookAtClock(*revocations);
  const std::uint64_t number = std::max(NumberOf(sink->state), published_) + 1;
  // The number is durable before it is seen: after a crash in between one is skipped, never used twice.
  auto noted = ledger_.Advance(ledger::Sink::kCrl, {sink->cursor, std::to_string(number)}, true);
  if (!noted) return noted;
  const auto der = signing::BuildCrl(signer_, NotAfter(now, *revocations), now - kBackdate,
                                     now + options_.validity, number);
  if (!der) return der.error();
  if (auto shards = WriteShards(NotAfter(now, *revocations), now, number, *der); !shards) return shards;
  auto replaced = signing::ReplaceFile(options_.file, ToPem("X509 CRL", *der), kReadableByAll);
  if (!replaced) return replaced;
  written_ = now.seconds();
  const ledger::SinkState written{std::max(up_to, sink->cursor), std::to_string(number)};
  // Another CA's list that cannot be made holds up none of the present one's; it is made with the next.
  if (auto former = WriteFormer(NotAfter(now, *revocations), now, number); !former)
    log_.Error("the CRL of a former issuing CA was not written: " + former.error().message);
  if (auto advanced = ledger_.Advance(ledger::Sink::kCrl, written, true); !advanced) return advanced;
  return Forget(*revocations, careful_->Now(now, options_.steady()) - kBackdate);
}

// All that can be made; the first error.
Status CrlWriter::WriteFormer(const std::vector<domain::Revocation>& revocations, UtcTime now,
                              std::uint64_t number) {
  Status first = Done{};
  for (const auto& former : options_.former) {
    const auto der =
        signing::BuildCrl(*former.signer, revocations, now - kBackdate, now + options_.validity, number);
    const Status replaced = der ? signing::ReplaceFile(former.file, ToPem("X509 CRL", *der), kReadableByAll)
                                : Status(der.error());
    if (!replaced && first) first = replaced;
  }
  return first;
}

Status CrlWriter::WriteShards(const std::vector<domain::Revocation>& revocations, UtcTime now,
                              std::uint64_t number, const Bytes& whole) {
  if (options_.shards == 0) return Done{};
  const bool apart = revocations.size() > options_.shard_above;
  std::vector<std::vector<domain::Revocation>> of_shard(options_.shards);
  for (const domain::Revocation& revocation : revocations) {
    if (apart) of_shard[csr_sign::CrlShardOf(revocation.serial, options_.shards)].push_back(revocation);
  }
  for (std::uint32_t shard = 0; shard < options_.shards; ++shard) {
    // A whole CRL tells of every certificate, whatever point it names (RFC 5280 §6.3.3 (b) (2)).
    const auto der =
        apart ? signing::BuildCrl(signer_, of_shard[shard], now - kBackdate, now + options_.validity, number,
                                  csr_sign::CrlShardName(options_.url, shard, options_.shards))
              : Result<Bytes>(whole);
    if (!der) return der.error();
    const std::string file = csr_sign::CrlShardName(options_.file, shard, options_.shards);
    if (auto replaced = signing::ReplaceFile(file, ToPem("X509 CRL", *der), kReadableByAll); !replaced)
      return replaced;
  }
  return Done{};
}

// Nothing is due a day before the first certificate's time is over; so a start waits an hour.
void CrlWriter::LookAtClock(const std::vector<domain::Revocation>& revocations) {
  if (careful_) return;
  UtcTime from = clock_.Now();
  for (const domain::Revocation& revocation : revocations) {
    from = std::min(from, revocation.certificate_not_after + options_.validity - std::chrono::hours(24));
  }
  careful_.emplace(from, options_.steady());
}

// What the CRL just written left out, or less.
Status CrlWriter::Forget(const std::vector<domain::Revocation>& revocations, UtcTime this_update) {
  std::size_t forgotten = 0;
  domain::Changeset changes;
  const auto flush = [&]() -> Status {
    forgotten += changes.revocations_erase.size();
    return changes.empty() ? Done{} : ledger::CommitSound(ledger_, std::exchange(changes, {}));
  };
  for (const domain::Revocation& revocation : revocations) {
    if (!signing::MayBeForgotten(revocation, this_update, options_.validity + kBackdate)) continue;
    changes.revocations_erase.push_back(revocation.serial);
    if (changes.revocations_erase.size() < kForgottenAtOnce) continue;
    if (auto flushed = flush(); !flushed) return flushed;
  }
  auto flushed = flush();
  if (flushed && forgotten > 0)
    log_.Info(std::to_string(forgotten) + " revocations are forgotten: their certificates have ended");
  return flushed;
}

void CrlWriter::Run() {
  const auto sink = ledger_.LoadSink(ledger::Sink::kCrl);
  ledger::Seq seen = sink ? sink->cursor : 0;
  while (Wait(milliseconds(0))) {
    auto entries = ledger_.OutboxAfter(ledger::Sink::kCrl, seen, kEntriesMax, kReadWait);
    if (!entries) {
      SayUnreadable(entries.error());
      Wait(options_.retry);
      continue;
    }
    unreadable_.Forget();
    if (careful_) careful_->Now(clock_.Now(), options_.steady());
    if (entries->empty() && !Old()) continue;
    if (Wait(options_.gather) && !WriteAll(seen)) Wait(options_.retry);
  }
  // What was revoked just before the stop is not left to the next start.
  const auto last = ledger_.OutboxLast(ledger::Sink::kCrl);
  if (last && *last > seen) (void)WriteAll(seen);
}

bool CrlWriter::WriteAll(ledger::Seq& seen) {
  const auto last = ledger_.OutboxLast(ledger::Sink::kCrl);
  const auto written = last ? Write(*last) : Status(last.error());
  if (written) seen = *last;
  if (!written) log_.Error("CRL not written: " + written.error().symbol + ": " + written.error().message);
  return written.ok();
}

// It stays until an operator does something.
void CrlWriter::SayUnreadable(const Error& why) {
  const std::string line = "revocations cannot be read: " + why.symbol + ": " + why.message;
  if (unreadable_.Due(line, SayOnce::Steady::now())) log_.Error(line);
}

}  // namespace registry::app
