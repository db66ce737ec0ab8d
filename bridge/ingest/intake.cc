#include "bridge/ingest/intake.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <unordered_map>

#include "bridge/ingest/intake_seal.h"
#include "bridge/ingest/intake_segment.h"
#include "bridge/ledger/private_folder.h"
#include "schemas/base/descriptor.h"
#include "schemas/base/mutex.h"

namespace registry::ingest {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kPrefix = "intake-";
constexpr std::string_view kDamaged = ".damaged";
constexpr std::size_t kCopied = std::size_t{1} << 20;  // octets at a time

Error Failed(const std::string& doing) {
  return Error::Make(Code::kFailed, "intake_failed", doing + ": " + std::strerror(errno));
}

bool WriteWhole(int fd, std::string_view data) {
  while (!data.empty()) {
    const ssize_t written = ::write(fd, data.data(), data.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    data.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// The number in "intake-<number><ending>".
std::optional<std::uint64_t> NumberOf(std::string_view name, std::string_view ending) {
  if (!name.starts_with(kPrefix) || !name.ends_with(ending)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  name.remove_suffix(std::min(ending.size(), name.size()));
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == name.data() + name.size();
  return whole ? std::optional(number) : std::nullopt;
}

struct Segments {
  std::set<std::uint64_t> numbers;
  std::uint64_t last_damaged = 0;  // no number is used again while a damaged file has it
};
Segments SegmentsIn(const std::string& folder) {
  Segments segments;
  std::error_code ignored;
  for (const auto& file : fs::directory_iterator(folder, ignored)) {
    const std::string name = file.path().filename();
    if (const auto number = NumberOf(name, "")) segments.numbers.insert(*number);
    if (const auto number = NumberOf(name, kDamaged)) {
      segments.last_damaged = std::max(segments.last_damaged, *number);
    }
  }
  return segments;
}

std::string NewMarker() {
  std::random_device random;
  std::string marker;
  while (marker.size() < kIntakeMarkerSize) marker += static_cast<char>(random());
  return marker;
}

class SegmentedIntake final : public Intake {
 public:
  explicit SegmentedIntake(IntakeOptions options) : options_(std::move(options)), marker_(NewMarker()) {
    if (!options_.key.empty()) seal_.emplace(options_.key);
  }

  Status OpenFolder();
  std::vector<Record> TakeLeftOver() override;
  Result<Ticket> Append(const InboundMessage& message) override;
  void Expect(Ticket ticket, std::size_t commands) override;
  void MarkDone(Ticket ticket) override;
  std::uint64_t torn_records() const override { return torn_records_; }
  std::uint64_t damages() const override { return damages_; }
  Status CopyTo(const std::string& to) override;
  std::uint64_t undone() const override {
    const MutexLock lock(mutex_);
    return records_.size();
  }

 private:
  struct Where {
    std::uint64_t segment;
    std::size_t size;
    std::size_t commands = 1;  // not done yet
  };

  std::string PathOf(std::uint64_t segment) const {
    return options_.folder + "/" + std::string(kPrefix) + std::to_string(segment);
  }
  Status LockFolder();
  Status ReadSegment(std::uint64_t number) REQUIRES(mutex_);
  void Unseal(IntakeSegment& segment) const;
  Status StartSegment() REQUIRES(mutex_);
  std::string EncodeRecord(const InboundMessage& message);
  Status AppendOctets(std::string_view record) REQUIRES(mutex_);
  Ticket Note(std::size_t size) REQUIRES(mutex_);
  void DropIfDone(std::uint64_t segment) REQUIRES(mutex_);
  Result<std::map<std::uint64_t, Descriptor>> OpenUndone();
  void SayDamage(std::uint64_t segment, const IntakeSegment& read) REQUIRES(mutex_);
  void Remove(std::uint64_t segment) REQUIRES(mutex_);

  const IntakeOptions options_;
  const std::string marker_;
  std::optional<IntakeSeal> seal_;  // set in the beginning
  Descriptor lock_file_;
  mutable Mutex mutex_;
  std::vector<Record> left_over_ GUARDED_BY(mutex_);
  std::uint64_t torn_records_ = 0;  // as the next, known once it is open
  std::uint64_t damages_ = 0;
  std::set<std::uint64_t> damaged_ GUARDED_BY(mutex_);                 // segments
  std::unordered_map<Ticket, Where> records_ GUARDED_BY(mutex_);       // not done yet
  std::map<std::uint64_t, std::size_t> undone_in_ GUARDED_BY(mutex_);  // records per segment
  std::size_t undone_bytes_ GUARDED_BY(mutex_) = 0;
  Ticket last_ticket_ GUARDED_BY(mutex_) = 0;
  Descriptor segment_file_ GUARDED_BY(mutex_);
  std::uint64_t segment_ GUARDED_BY(mutex_) = 0;
  std::size_t segment_size_ GUARDED_BY(mutex_) = 0;
};

Status SegmentedIntake::OpenFolder() {
  std::error_code failed;
  if (fs::create_directories(options_.folder, failed)) {
    fs::permissions(options_.folder, fs::perms::owner_all, failed);  // commands hold private identifiers
  }
  if (failed) return Error::Make(Code::kFailed, "intake_failed", options_.folder + ": " + failed.message());
  if (auto locked = LockFolder(); !locked) return locked;
  if (auto kept = ledger::KeepPrivate(options_.folder); !kept) return kept;
  const Segments segments = SegmentsIn(options_.folder);
  const MutexLock lock(mutex_);
  for (const std::uint64_t number : segments.numbers) {
    segment_ = number;
    if (auto read = ReadSegment(number); !read) return read;
  }
  segment_ = std::max(segment_, segments.last_damaged);
  return StartSegment();
}

// Two processes taking tickets in one folder would delete each other's segments.
Status SegmentedIntake::LockFolder() {
  lock_file_ = Descriptor(::open((options_.folder + "/LOCK").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock_file_.fd() < 0) return Failed("opening the lock of " + options_.folder);
  if (::flock(lock_file_.fd(), LOCK_EX | LOCK_NB) != 0) return Failed("locking " + options_.folder);
  return Done{};
}

Status SegmentedIntake::ReadSegment(std::uint64_t number) {
  std::ifstream file(PathOf(number), std::ios::binary);
  if (!file) return Failed("reading " + PathOf(number));
  const std::string octets{std::istreambuf_iterator<char>(file), {}};
  IntakeSegment segment = DecodeIntakeSegment(octets);
  if (segment.sealed) Unseal(segment);
  if (segment.torn) ++torn_records_;
  if (!segment.damaged.empty()) SayDamage(number, segment);
  for (auto& message : segment.messages) {
    const std::size_t size = message.topic.size() + message.payload.size();
    left_over_.push_back({Note(size), std::move(message)});
  }
  if (segment.messages.empty()) Remove(number);
  return Done{};
}

// What cannot be opened was lost, as what cannot be read; where in the file it stood is not known here.
void SegmentedIntake::Unseal(IntakeSegment& segment) const {
  std::vector<InboundMessage> opened;
  for (InboundMessage& message : segment.messages) {
    if (IntakeSeal::IsSealed(message.payload)) {
      auto payload = seal_ ? seal_->Open(message.payload) : std::nullopt;
      if (!payload) {
        segment.damaged.push_back(kIntakeHeaderSize);
        continue;
      }
      message.payload = std::move(*payload);
    }
    opened.push_back(std::move(message));
  }
  segment.messages = std::move(opened);
}

void SegmentedIntake::SayDamage(std::uint64_t segment, const IntakeSegment& read) {
  constexpr std::size_t kNamed = 5;
  damaged_.insert(segment);
  damages_ += read.damaged.size();
  std::string offsets;
  for (std::size_t i = 0; i < std::min(read.damaged.size(), kNamed); ++i) {
    offsets += (i == 0 ? " " : ", ") + std::to_string(read.damaged[i]);
  }
  if (read.damaged.size() > kNamed) offsets += ", ...";
  options_.log.Error(
      PathOf(segment) + " is damaged from octet" + offsets + " on: " + std::to_string(read.messages.size()) +
      " commands in it could be read and are processed, at least one was lost; the file is kept as " +
      PathOf(segment) + std::string(kDamaged));
}

// A damaged segment goes aside; whoever looks at it may find what could not be read.
void SegmentedIntake::Remove(std::uint64_t segment) {
  const std::string path = PathOf(segment);
  if (damaged_.erase(segment) == 0) {
    ::unlink(path.c_str());
  } else if (::rename(path.c_str(), (path + std::string(kDamaged)).c_str()) != 0) {
    options_.log.Error(Failed("keeping " + path + " aside").message);
  }
}

Status SegmentedIntake::StartSegment() {
  const std::uint64_t number = segment_ + 1;
  Descriptor file(::open(PathOf(number).c_str(), O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.fd() < 0) return Failed("creating " + PathOf(number));
  const std::string header = EncodeIntakeHeader(marker_, seal_.has_value());
  if (!WriteWhole(file.fd(), header)) {
    const Error failed = Failed("writing " + PathOf(number));
    ::unlink(PathOf(number).c_str());
    return failed;
  }
  segment_file_ = std::move(file);
  const std::uint64_t before = std::exchange(segment_, number);
  segment_size_ = header.size();
  DropIfDone(before);
  return Done{};
}

std::vector<Intake::Record> SegmentedIntake::TakeLeftOver() {
  const MutexLock lock(mutex_);
  return std::exchange(left_over_, {});
}

// A segment that is no longer written to keeps its octets, and a descriptor keeps the segment. So the copying needs no lock.
Result<std::map<std::uint64_t, Descriptor>> SegmentedIntake::OpenUndone() {
  const MutexLock lock(mutex_);
  if (segment_size_ > kIntakeHeaderSize) {
    if (auto started = StartSegment(); !started) return started.error();
  }
  std::map<std::uint64_t, Descriptor> segments;
  for (const auto& [number, undone] : undone_in_) {
    if (undone == 0) continue;
    Descriptor file(::open(PathOf(number).c_str(), O_RDONLY | O_CLOEXEC));
    if (file.fd() < 0) return Failed("reading " + PathOf(number));
    segments.emplace(number, std::move(file));
  }
  return segments;
}

Status SegmentedIntake::CopyTo(const std::string& to) {
  const auto segments = OpenUndone();
  if (!segments) return segments.error();
  if (auto made = ledger::MakePrivateFolder(to); !made) return made;
  for (const auto& [number, file] : *segments) {
    const std::string path = to + "/" + std::string(kPrefix) + std::to_string(number);
    const Descriptor copy(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (copy.fd() < 0) return Failed("creating " + path);
    std::string octets(kCopied, '\0');
    for (ssize_t got = 0; (got = ::read(file.fd(), octets.data(), octets.size())) != 0;) {
      if (got < 0) return Failed("reading " + PathOf(number));
      const std::string_view part(octets.data(), static_cast<std::size_t>(got));
      if (!WriteWhole(copy.fd(), part)) return Failed("writing " + path);
    }
  }
  return Done{};
}

std::string SegmentedIntake::EncodeRecord(const InboundMessage& message) {
  if (!seal_) return EncodeIntakeRecord(marker_, message);
  InboundMessage sealed{message.topic,          seal_->Seal(message.payload),
                        message.response_topic, message.correlation_data,
                        message.mode,           message.id_property};
  return EncodeIntakeRecord(marker_, sealed);
}

Result<Intake::Ticket> SegmentedIntake::Append(const InboundMessage& message) {
  const std::string record = EncodeRecord(message);
  const MutexLock lock(mutex_);
  if (undone_bytes_ + record.size() > options_.bytes_max) {
    return Error::Make(Code::kLimit, "intake_full", "too many commands wait; send again later");
  }
  if (segment_size_ >= options_.segment_bytes) {
    if (auto started = StartSegment(); !started) return started.error();
  }
  if (auto written = AppendOctets(record); !written) return written.error();
  return Note(record.size());
}

Status SegmentedIntake::AppendOctets(std::string_view record) {
  if (WriteWhole(segment_file_.fd(), record)) {
    segment_size_ += record.size();
    return Done{};
  }
  const Error failed = Failed("writing " + PathOf(segment_));
  // Half a record would hide everything appended behind it; cut it off, or leave the segment for good.
  const bool cut = ::ftruncate(segment_file_.fd(), static_cast<off_t>(segment_size_)) == 0;
  if (!cut) segment_size_ = options_.segment_bytes;
  return failed;
}

Intake::Ticket SegmentedIntake::Note(std::size_t size) {
  const Ticket ticket = ++last_ticket_;
  records_.emplace(ticket, Where{segment_, size});
  ++undone_in_[segment_];
  undone_bytes_ += size;
  return ticket;
}

void SegmentedIntake::Expect(Ticket ticket, std::size_t commands) {
  const MutexLock lock(mutex_);
  const auto record = records_.find(ticket);
  if (record != records_.end()) record->second.commands = commands;
}

void SegmentedIntake::MarkDone(Ticket ticket) {
  const MutexLock lock(mutex_);
  const auto record = records_.find(ticket);
  if (record == records_.end() || --record->second.commands > 0) return;
  const Where where = record->second;
  records_.erase(record);
  undone_bytes_ -= where.size;
  if (--undone_in_[where.segment] == 0) DropIfDone(where.segment);
}

// Space comes back by whole segments: nothing inside a file is ever removed, so one record that waits keeps its segment,
// and the order in which records are done does not matter. A segment goes when it is no longer written to (StartSegment
// looks at the one before) and its last record is done, whichever comes later. A crash before the unlink only makes the
// next start do commands again, which their identity makes harmless; the other way round would lose them.
void SegmentedIntake::DropIfDone(std::uint64_t segment) {
  const auto undone = undone_in_.find(segment);
  if (undone != undone_in_.end() && undone->second > 0) return;
  undone_in_.erase(segment);
  if (segment == segment_) {
    // The one being written starts over: with nothing waiting, a restart finds nothing to do again.
    const bool cut = segment_size_ > kIntakeHeaderSize &&
                     ::ftruncate(segment_file_.fd(), static_cast<off_t>(kIntakeHeaderSize)) == 0;
    if (cut) segment_size_ = kIntakeHeaderSize;
    return;
  }
  Remove(segment);
}

}  // namespace

Result<std::unique_ptr<Intake>> Intake::Open(const IntakeOptions& options) {
  auto intake = std::make_unique<SegmentedIntake>(options);
  if (auto opened = intake->OpenFolder(); !opened) return opened.error();
  return std::unique_ptr<Intake>(std::move(intake));
}

}  // namespace registry::ingest
