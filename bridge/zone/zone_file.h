// bridge/zone/zone_file.h: the signed zone and its journal in a file, so that a start signs nothing anew and a secondary
// that is current transfers nothing. Derived data: whoever has lost it makes it again from the ledger.
// Content: zone_records.h. First the whole zone as it was some versions ago, then each version as a difference. Every
// version is appended and synced before it is served: nothing that a secondary has seen is lost. What is broken is
// found by the checksums at the next start, and read up to there.
// When the differences outgrow the zone, a thread writes it anew beside the old file and renames it over that; versions
// that come meanwhile go to both.
// Owns: the file's descriptor and that thread. Nobody else may write the file.
// Threads: Stop from any; the rest from the publishing thread (Read before there is one).
// Errors: none to the caller. What cannot be read or written is a line of the log with the reason, and another try after
//   kRewritePause; the zone is served without it.
// Limits: differences up to the zone's own size or kGrowthLeast; kWaitingMax of them while it is written anew.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "bridge/log_line.h"
#include "bridge/zone/zone_records.h"
#include "schemas/base/descriptor.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::zone {

// A version with the differences that led to it, to be written whole.
struct ZoneImage {
  std::vector<BlockPtr> blocks;  // all but the SOA
  BlockPtr soa;
  std::uint32_t serial = 0;
  std::vector<DeltaPtr> versions;  // oldest first; the last ends at `serial`
  bool copied = false;             // StoredZone::copied
};

class ZoneFile {
 public:
  using StopAsked = std::function<bool()>;
  static constexpr std::size_t kGrowthLeast = 16u << 20, kWaitingMax = 64u << 20;
  static constexpr std::chrono::seconds kRewritePause{60};

  // `path` empty: nothing is kept. `growth_least`: octets of differences that are no reason to write the zone anew.
  ZoneFile(std::string path, Name zone, LogLine log, std::size_t growth_least = kGrowthLeast);
  ~ZoneFile() { Stop(); }

  // What was kept, which Append goes on from; nullopt: nothing that can be used, and the log says why unless there is no
  // file, or `stop` said yes: it is asked before each record, and the file stays as it is.
  std::optional<StoredZone> Read(std::size_t journal_octets_max, std::size_t journal_changes_max,
                                 const StopAsked& stop = {});
  void Append(const Delta& delta, bool anew);
  // The same, of another registry's version. One that is too large for a record is not appended: the file is said to be a
  // copy, and stays until the next whole one takes its place.
  void AppendCopied(const Delta& delta, bool anew);
  void MarkCopied();  // what is there already is not said to be the last that was served
  bool RewriteDue();
  void Rewrite(ZoneImage image);
  // What was kept is thrown away: the next version is written whole.
  void Discard();
  // Gives up on what is being written anew. Appending goes on.
  void Stop() { thread_.Stop(); }

 private:
  using Steady = std::chrono::steady_clock;

  bool ReadRecords(int fd, StoredZone& zone, const StopAsked& stop, std::string& why);
  void PutRecord(ZoneRecord kind, View payload);
  void Write(const ZoneImage& image);
  bool WriteImage(int fd, const ZoneImage& image, std::size_t& octets);
  bool TakePlace(Descriptor& fresh, std::size_t octets);
  void Failed(const std::string& what) REQUIRES(mutex_);
  void Drop() REQUIRES(mutex_);

  const std::string path_;
  const Name zone_;
  const LogLine log_;
  const std::size_t growth_least_;
  mutable Mutex mutex_;
  CondVar changed_;
  Descriptor file_ GUARDED_BY(mutex_);  // at its end
  bool writing_anew_ GUARDED_BY(mutex_) = false;
  std::vector<Bytes> waiting_ GUARDED_BY(mutex_);  // records for the new file
  std::size_t waiting_octets_ GUARDED_BY(mutex_) = 0;
  std::size_t octets_ GUARDED_BY(mutex_) = 0, whole_ GUARDED_BY(mutex_) = 0;  // of all, of the content alone
  Steady::time_point next_try_ GUARDED_BY(mutex_);
  OwnThread thread_{mutex_, changed_};
};

}  // namespace registry::zone
