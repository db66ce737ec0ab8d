#include "bridge/ingest/ledger_intake.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <optional>
#include <random>
#include <span>
#include <unordered_map>
#include <utility>

#include "bridge/ingest/intake_seal.h"
#include "bridge/ingest/intake_segment.h"
#include "bridge/say_once.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::ingest {
namespace {

constexpr std::size_t kTogetherRows = 256;  // of one append
constexpr std::size_t kTogetherOctets = std::size_t{4} << 20;
constexpr std::size_t kErasedTogether = 5000;

Error NotKept(const Error& why) {
  return Error::Make(Code::kFailed, "intake_failed", why.symbol + ": " + why.message);
}

Error Full() { return Error::Make(Code::kLimit, "intake_full", "too many commands wait; send again later"); }

std::string RowMarker() {
  std::random_device random;
  std::string marker;
  while (marker.size() < kIntakeMarkerSize) marker += static_cast<char>(random());
  return marker;
}

class LedgerIntake final : public Intake {
 public:
  LedgerIntake(ledger::IntakeTable& table, LedgerIntakeOptions options)
      : table_(table), options_(std::move(options)), marker_(RowMarker()) {
    if (!options_.key.empty()) seal_.emplace(options_.key);
  }
  ~LedgerIntake() override { thread_.Stop(); }

  Status Open(Intake* before);
  std::vector<Record> TakeLeftOver() override {
    const MutexLock lock(mutex_);
    return std::exchange(left_over_, {});
  }
  Result<Ticket> Append(const InboundMessage& message) override;
  Result<std::vector<Record>> TakeOverOf(std::int64_t member) override;
  void Expect(Ticket ticket, std::size_t commands) override;
  void MarkDone(Ticket ticket) override;
  std::uint64_t torn_records() const override { return 0; }  // a row is there whole or not at all
  std::uint64_t damages() const override { return damages_; }
  std::uint64_t undone() const override {
    const MutexLock lock(mutex_);
    return records_.size();
  }
  std::uint64_t unerased() const override {
    const MutexLock lock(mutex_);
    return done_.size();
  }
  Status CopyTo(const std::string&) override {
    return Error::Make(Code::kFailed, "intake_failed", "the intake is in PostgreSQL, whose tools back it up");
  }

 private:
  struct Kept {
    std::string key;
    std::size_t size;
    std::size_t commands = 1;  // not done yet
  };
  struct Waiting {
    ledger::IntakeTable::Row row;
    std::optional<Status> became{};
  };

  Status ReadRows();
  void SayDamages(std::uint64_t rows) const;
  Status TakeOver(Intake& before);
  Result<std::size_t> TakeOverSome(std::span<Record> records, Intake& before);
  void TakeLeft(ledger::IntakeTable::Row row, InboundMessage message) REQUIRES(mutex_);
  std::optional<InboundMessage> Decode(const std::string& octets) const;
  std::string Encode(const InboundMessage& message);
  void AppendSome(MutexLock& lock) NOT_PROVED;  // lets go of its caller's lock in between
  Ticket Note(std::string key, std::size_t size) REQUIRES(mutex_);
  void Run();
  void SayErased(const Status& erased);

  ledger::IntakeTable& table_;
  const LedgerIntakeOptions options_;
  const std::string marker_;
  std::optional<IntakeSeal> seal_;  // set in the beginning
  std::atomic<std::uint64_t> damages_{0};
  mutable Mutex mutex_;
  CondVar changed_, appended_;
  std::vector<Record> left_over_ GUARDED_BY(mutex_);
  std::unordered_map<Ticket, Kept> records_ GUARDED_BY(mutex_);  // not done yet
  std::size_t undone_bytes_ GUARDED_BY(mutex_) = 0;              // with what is being appended
  Ticket last_ticket_ GUARDED_BY(mutex_) = 0;
  std::deque<Waiting*> waiting_ GUARDED_BY(mutex_);  // to be appended; each is its caller's
  bool appending_ GUARDED_BY(mutex_) = false;
  std::vector<std::string> done_ GUARDED_BY(mutex_);  // to be erased
  SayOnce said_;                                      // the thread's
  OwnThread thread_{mutex_, changed_};
};

Status LedgerIntake::Open(Intake* before) {
  if (auto read = ReadRows(); !read) return read;
  if (before != nullptr) {
    if (auto taken = TakeOver(*before); !taken) return taken;
  }
  thread_.Start("intake", [this] { Run(); });
  return Done{};
}

Status LedgerIntake::ReadRows() {
  const MutexLock lock(mutex_);
  const auto read = table_.Visit([this](ledger::IntakeTable::Row row) REQUIRES(mutex_) {
    auto message = Decode(row.octets);
    if (message) {
      TakeLeft(std::move(row), std::move(*message));
    } else {
      ++damages_;
    }
  });
  if (!read) return NotKept(read.error());
  SayDamages(damages_);
  return Done{};
}

void LedgerIntake::SayDamages(std::uint64_t rows) const {
  if (rows == 0) return;
  options_.log.Error(std::to_string(rows) +
                     " rows of table intake are not what was written, or sealed by another key; the commands "
                     "in them are lost, and the rows stay");
}

// Of before the start: all of it is there, and bytes_max holds for what comes next.
void LedgerIntake::TakeLeft(ledger::IntakeTable::Row row, InboundMessage message) {
  const std::size_t size = row.octets.size();
  undone_bytes_ += size;
  left_over_.push_back({Note(std::move(row.key), size), std::move(message)});
}

// A start takes everything over or fails, so as many go together as in one append of a registry that is busy.
Status LedgerIntake::TakeOver(Intake& before) {
  damages_ += before.damages();
  auto records = before.TakeLeftOver();
  for (std::span<Record> left(records); !left.empty();) {
    const auto taken = TakeOverSome(left, before);
    if (!taken) return taken.error();
    left = left.subspan(*taken);
  }
  if (!records.empty())
    options_.log.Info(std::to_string(records.size()) +
                      " messages of the folder are in the ledger's intake now");
  return Done{};
}

// Each is in the table before the folder lets it go; a crash in between makes a command come twice, which its identity makes
// harmless.
Result<std::size_t> LedgerIntake::TakeOverSome(std::span<Record> records, Intake& before) {
  std::vector<ledger::IntakeTable::Row> rows;
  for (std::size_t octets = 0;
       rows.size() < std::min(records.size(), kTogetherRows) && octets < kTogetherOctets;) {
    rows.push_back({table_.NewKey(), Encode(records[rows.size()].message)});
    octets += rows.back().octets.size();
  }
  if (const Status appended = table_.Append(rows); !appended) return NotKept(appended.error());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    before.MarkDone(records[i].ticket);
    const MutexLock lock(mutex_);
    TakeLeft(std::move(rows[i]), std::move(records[i].message));
  }
  return rows.size();
}

std::string LedgerIntake::Encode(const InboundMessage& message) {
  std::string octets = EncodeIntakeHeader(marker_, seal_.has_value());
  if (!seal_) return octets + EncodeIntakeRecord(marker_, message);
  const InboundMessage sealed{message.topic,          seal_->Seal(message.payload),
                              message.response_topic, message.correlation_data,
                              message.mode,           message.id_property};
  return octets + EncodeIntakeRecord(marker_, sealed);
}

std::optional<InboundMessage> LedgerIntake::Decode(const std::string& octets) const {
  IntakeSegment segment = DecodeIntakeSegment(octets);
  if (segment.messages.size() != 1 || segment.torn || !segment.damaged.empty()) return std::nullopt;
  InboundMessage message = std::move(segment.messages.front());
  if (!segment.sealed || !IntakeSeal::IsSealed(message.payload)) return message;
  auto payload = seal_ ? seal_->Open(message.payload) : std::nullopt;
  if (!payload) return std::nullopt;
  message.payload = std::move(*payload);
  return message;
}

// All of them or none: what is noted and not handed out would never be decided.
Result<std::vector<Intake::Record>> LedgerIntake::TakeOverOf(std::int64_t member) {
  struct Found {
    ledger::IntakeTable::Row row;
    InboundMessage message;
  };
  std::vector<Found> found;
  std::uint64_t damages = 0;
  const auto read = table_.VisitOf(member, [&](ledger::IntakeTable::Row row) {
    if (auto message = Decode(row.octets)) {
      found.push_back({std::move(row), std::move(*message)});
    } else {
      ++damages;
    }
  });
  if (!read) return NotKept(read.error());
  damages_ += damages;
  SayDamages(damages);
  const MutexLock lock(mutex_);
  std::vector<Record> taken;
  for (Found& one : found) {
    const std::size_t size = one.row.octets.size();
    undone_bytes_ += size;
    taken.push_back({Note(std::move(one.row.key), size), std::move(one.message)});
  }
  return taken;
}

Result<Intake::Ticket> LedgerIntake::Append(const InboundMessage& message) {
  Waiting own{{table_.NewKey(), Encode(message)}};
  const std::size_t size = own.row.octets.size();
  MutexLock lock(mutex_);
  if (undone_bytes_ + size > options_.bytes_max) return Full();
  if (done_.size() >= LedgerIntakeOptions::kErasedLaterMax) return Full();
  undone_bytes_ += size;
  waiting_.push_back(&own);
  while (!own.became) {
    if (appending_) {
      appended_.Wait(lock);
    } else {
      AppendSome(lock);
    }
  }
  if (*own.became) return Note(std::move(own.row.key), size);
  undone_bytes_ -= size;
  return NotKept(own.became->error());
}

void LedgerIntake::AppendSome(MutexLock& lock) {
  std::vector<Waiting*> taken;
  std::vector<ledger::IntakeTable::Row> rows;
  for (std::size_t octets = 0;
       !waiting_.empty() && rows.size() < kTogetherRows && octets < kTogetherOctets;) {
    taken.push_back(waiting_.front());
    rows.push_back(taken.back()->row);
    octets += rows.back().octets.size();
    waiting_.pop_front();
  }
  appending_ = true;
  lock.Unlock();
  const Status appended = table_.Append(rows);
  lock.Lock();
  appending_ = false;
  for (Waiting* const one : taken) one->became = appended;
  appended_.NotifyAll();
}

Intake::Ticket LedgerIntake::Note(std::string key, std::size_t size) {
  const Ticket ticket = ++last_ticket_;
  records_.emplace(ticket, Kept{std::move(key), size});
  return ticket;
}

void LedgerIntake::Expect(Ticket ticket, std::size_t commands) {
  const MutexLock lock(mutex_);
  const auto record = records_.find(ticket);
  if (record != records_.end()) record->second.commands = commands;
}

void LedgerIntake::MarkDone(Ticket ticket) {
  const MutexLock lock(mutex_);
  const auto record = records_.find(ticket);
  if (record == records_.end() || --record->second.commands > 0) return;
  undone_bytes_ -= record->second.size;
  done_.push_back(std::move(record->second.key));
  records_.erase(record);
}

// What cannot be erased now is so a little later, or its commands come again at the next start.
void LedgerIntake::Run() {
  MutexLock lock(mutex_);
  for (bool last = false; !last;) {
    last = !thread_.Rest(lock, options_.erase_every);
    while (!done_.empty()) {
      const auto count = static_cast<std::ptrdiff_t>(std::min(done_.size(), kErasedTogether));
      const std::vector<std::string> some(done_.begin(), done_.begin() + count);
      lock.Unlock();
      const Status erased = table_.Erase(some);
      SayErased(erased);
      lock.Lock();
      if (!erased) break;
      done_.erase(done_.begin(), done_.begin() + count);
    }
  }
}

// It is tried ten times a second.
void LedgerIntake::SayErased(const Status& erased) {
  if (erased) return said_.Forget();
  const std::string& why = erased.error().message;
  if (said_.Due(why, SayOnce::Steady::now()))
    options_.log.Warning(why + "; tried again, " + std::to_string(unerased()) + " rows wait");
}

}  // namespace

Result<std::unique_ptr<Intake>> OpenLedgerIntake(ledger::IntakeTable& table,
                                                 const LedgerIntakeOptions& options, Intake* before) {
  auto intake = std::make_unique<LedgerIntake>(table, options);
  if (auto opened = intake->Open(before); !opened) return opened.error();
  return std::unique_ptr<Intake>(std::move(intake));
}

}  // namespace registry::ingest
