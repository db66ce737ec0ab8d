#include "bridge/zone/zone_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unordered_set>

#include "bridge/signing/file_write.h"

namespace registry::zone {
namespace {

constexpr mode_t kOwnerOnly = 0600;  // names of devices, which the zone does not list to anybody

// Reads ahead: records are small beside what one call can bring.
class FileReader {
 public:
  explicit FileReader(int fd) : fd_(fd) {}
  // False at the end of the file, or when it cannot be read.
  bool Take(std::size_t size, Bytes& into) {
    while (held_.size() - at_ < size) {
      held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(at_));
      at_ = 0;
      const std::size_t before = held_.size(), more = std::max(size - before, kAhead);
      held_.resize(before + more);
      const ssize_t got = read(fd_, held_.data() + before, more);
      held_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(0, got)));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
    }
    const auto first = held_.begin() + static_cast<std::ptrdiff_t>(at_);
    into.assign(first, first + static_cast<std::ptrdiff_t>(size));
    at_ += size;
    return true;
  }
  bool AtEnd() const { return at_ == held_.size(); }  // after a Take that has failed

 private:
  static constexpr std::size_t kAhead = 1u << 20;
  int fd_;
  Bytes held_;
  std::size_t at_ = 0;
};

// The content before its versions, out of what it is after them.
std::vector<BlockPtr> ContentBefore(const ZoneImage& image) {
  if (image.versions.empty()) return image.blocks;
  const Delta way = Condense(image.versions);
  std::unordered_set<const Block*> added;
  for (const BlockPtr& block : way.added) added.insert(block.get());
  std::vector<BlockPtr> before = way.removed;
  before.reserve(before.size() + image.blocks.size());
  for (const BlockPtr& block : image.blocks) {
    if (!added.contains(block.get())) before.push_back(block);
  }
  return before;
}

}  // namespace

ZoneFile::ZoneFile(std::string path, Name zone, LogLine log, std::size_t growth_least)
    : path_(std::move(path)), zone_(std::move(zone)), log_(std::move(log)), growth_least_(growth_least) {}

std::optional<StoredZone> ZoneFile::Read(std::size_t journal_octets_max, std::size_t journal_changes_max,
                                         const StopAsked& stop) {
  if (path_.empty()) return std::nullopt;
  Descriptor file(open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (file.fd() < 0 && errno == ENOENT) return std::nullopt;
  std::string why = file.fd() < 0 ? std::strerror(errno) : "";
  StoredZone zone(journal_octets_max, journal_changes_max);
  if (file.fd() < 0 || !ReadRecords(file.fd(), zone, stop, why)) {
    if (stop && stop()) return std::nullopt;
    log_.Warning("zone: everything is signed anew, " + path_ + " cannot be used: " + why);
    return std::nullopt;
  }
  const MutexLock lock(mutex_);
  if (zone.torn) {
    log_.Warning("zone: " + path_ + " ends in a version that is not whole, it is used up to serial " +
                 std::to_string(zone.serial));
  }
  if (ftruncate(file.fd(), static_cast<off_t>(octets_)) != 0 ||
      lseek(file.fd(), static_cast<off_t>(octets_), SEEK_SET) < 0) {
    Failed("gone on with");
    Drop();
  } else {
    file_ = std::move(file);
  }
  return zone;
}

// Up to the first record that is not whole. False when that is in the content, or what is there is of another zone.
bool ZoneFile::ReadRecords(int fd, StoredZone& zone, const StopAsked& stop, std::string& why) {
  FileReader file(fd);
  Bytes head, payload;
  std::size_t octets = 0, whole = 0;
  while (file.Take(kZoneRecordHead, head)) {
    if (stop && stop()) return false;
    const auto size = PayloadSize(head);
    bool good = size && file.Take(*size, payload) && ChecksumHolds(head, payload);
    const ZoneRecord kind = KindOf(head);
    const bool start = octets == 0;
    if (good && start && (kind != ZoneRecord::kStart || !ReadStart(payload, zone_, zone))) {
      why = "it is of another zone or format";
      return false;
    }
    if (good && !start && whole == 0) {
      good = kind == ZoneRecord::kBlocks ? ReadBlocks(payload, zone)
                                         : kind == ZoneRecord::kEnd && ReadEnd(payload, zone);
    } else if (good && !start) {
      good = kind == ZoneRecord::kCopied ? ReadCopied(payload, zone)
                                         : kind == ZoneRecord::kVersion && ReadVersion(payload, zone);
    }
    zone.torn = !good;
    if (!good) break;
    octets += kZoneRecordHead + *size;
    if (kind == ZoneRecord::kEnd) whole = octets;
  }
  why = "a record is not whole";
  zone.torn = zone.torn || !file.AtEnd();
  const MutexLock lock(mutex_);
  octets_ = octets;
  whole_ = whole;
  return whole != 0;
}

void ZoneFile::Failed(const std::string& what) {
  log_.Error("zone: " + path_ + " cannot be " + what + ": " + std::strerror(errno) +
             "; a start signs anew what it lacks");
  next_try_ = Steady::now() + kRewritePause;
}

void ZoneFile::Append(const Delta& delta, bool anew) {
  if (!path_.empty()) PutRecord(ZoneRecord::kVersion, VersionPayload(delta, anew));
}

void ZoneFile::AppendCopied(const Delta& delta, bool anew) {
  if (path_.empty()) return;
  if (VersionSize(delta) <= kZoneRecordMax)
    return PutRecord(ZoneRecord::kCopied, VersionPayload(delta, anew));
  MarkCopied();
  const MutexLock lock(mutex_);
  file_ = Descriptor();
  waiting_octets_ = kWaitingMax + 1;  // one that is being written lacks it
}

void ZoneFile::MarkCopied() {
  if (!path_.empty()) PutRecord(ZoneRecord::kCopied, {});
}

void ZoneFile::PutRecord(ZoneRecord kind, View payload) {
  const MutexLock lock(mutex_);
  if (file_.fd() < 0 && !writing_anew_) return;
  const Bytes record = payload.size() > kZoneRecordMax ? Bytes() : Framed(kind, payload);
  if (record.empty()) {  // as large as the zone itself: the next whole one holds it
    Drop();
    waiting_octets_ = kWaitingMax + 1;
  }
  // RFC 1982 §3.2: a start that did not know of a serial that was served would go back to one before.
  if (file_.fd() >= 0 && (!signing::WriteAll(file_.fd(), AsText(record)) || fdatasync(file_.fd()) != 0)) {
    Failed("written");
    Drop();
  }
  octets_ += record.size();
  if (!writing_anew_) return;
  waiting_octets_ += record.size();
  if (waiting_octets_ <= kWaitingMax) waiting_.push_back(record);
}

bool ZoneFile::RewriteDue() {
  if (path_.empty()) return false;
  const MutexLock lock(mutex_);
  if (writing_anew_ || Steady::now() < next_try_) return false;
  return file_.fd() < 0 || octets_ - whole_ > std::max(whole_, growth_least_);
}

// One that lacks a version would bring an earlier one back.
void ZoneFile::Drop() {
  file_ = Descriptor();
  if (unlink(path_.c_str()) == 0) (void)signing::SyncFolderOf(path_);
}

void ZoneFile::Discard() {
  if (path_.empty()) return;
  thread_.Stop();
  const MutexLock lock(mutex_);
  Drop();
  next_try_ = {};
}

void ZoneFile::Rewrite(ZoneImage image) {
  thread_.Stop();  // has ended
  {
    const MutexLock lock(mutex_);
    writing_anew_ = true;
    waiting_.clear();
    waiting_octets_ = 0;
  }
  const auto shared = std::make_shared<const ZoneImage>(std::move(image));
  thread_.Start("zone-file", [this, shared] { Write(*shared); });
}

void ZoneFile::Write(const ZoneImage& image) {
  const std::string beside = path_ + ".new";
  (void)unlink(beside.c_str());
  Descriptor fresh(open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kOwnerOnly));
  std::size_t whole = 0;
  bool done = fresh.fd() >= 0 && WriteImage(fresh.fd(), image, whole);
  // Without this a power cut could leave the new name without its content, and the old content is gone.
  done = done && fdatasync(fresh.fd()) == 0;
  done = done && TakePlace(fresh, whole);
  const MutexLock lock(mutex_);
  if (!done && !thread_.stopping()) {
    next_try_ = Steady::now() + kRewritePause;
    if (waiting_octets_ <= kWaitingMax) Failed("written anew");
  }
  if (!done) (void)unlink(beside.c_str());
  writing_anew_ = false;
  waiting_.clear();
}

bool ZoneFile::WriteImage(int fd, const ZoneImage& image, std::size_t& octets) {
  const bool old = !image.versions.empty();
  const std::uint32_t serial = old ? image.versions.front()->from : image.serial;
  const Block& soa = old ? *image.versions.front()->soa_from : *image.soa;
  const auto put = [&](ZoneRecord kind, View payload) {
    const Bytes record = Framed(kind, payload);
    octets += record.size();
    return !thread_.stopping() && signing::WriteAll(fd, AsText(record));
  };
  if (!put(ZoneRecord::kStart, StartPayload(zone_, serial, soa))) return false;
  const std::vector<BlockPtr> blocks = ContentBefore(image);
  Bytes payload;
  for (const BlockPtr& block : blocks) {
    PutBlock(payload, *block);
    if (payload.size() < kBlocksRecordSize) continue;
    if (!put(ZoneRecord::kBlocks, payload)) return false;
    payload.clear();
  }
  if (!payload.empty() && !put(ZoneRecord::kBlocks, payload)) return false;
  payload.clear();
  PutU32(payload, static_cast<std::uint32_t>(blocks.size()));
  if (!put(ZoneRecord::kEnd, payload)) return false;
  std::size_t versions = 0;
  std::swap(octets, versions);  // `octets` is to be that of the content alone
  const ZoneRecord kind = image.copied ? ZoneRecord::kCopied : ZoneRecord::kVersion;
  for (const DeltaPtr& version : image.versions) {
    if (!put(kind, VersionPayload(*version, false))) return false;
  }
  if (image.copied && image.versions.empty() && !put(kind, {})) return false;
  std::swap(octets, versions);
  return true;
}

// What came meanwhile is put behind, and no version can come before it has the old one's name.
bool ZoneFile::TakePlace(Descriptor& fresh, std::size_t whole) {
  const MutexLock lock(mutex_);
  if (thread_.stopping() || waiting_octets_ > kWaitingMax) return false;
  for (const Bytes& record : waiting_) {
    if (!signing::WriteAll(fresh.fd(), AsText(record))) return false;
  }
  if (!waiting_.empty() && fdatasync(fresh.fd()) != 0) return false;
  const off_t end = lseek(fresh.fd(), 0, SEEK_CUR);
  if (end < 0 || rename((path_ + ".new").c_str(), path_.c_str()) != 0) return false;
  if (!signing::SyncFolderOf(
          path_)) {  // after a power cut the old one could be back, which lacks what comes now
    Drop();
    return false;
  }
  file_ = std::move(fresh);
  octets_ = static_cast<std::size_t>(end);
  whole_ = whole;
  return true;
}

}  // namespace registry::zone
