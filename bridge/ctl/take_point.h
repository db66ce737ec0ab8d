// bridge/ctl/take_point.h: one moment of a registry's ledger and intake, for a backup. A running registryd makes it
// (bridge/app/backup_point.h); of a stopped one it is copied, while its lock on the ledger is held.
// Owns: `backup.folder` while it lives, and removes the point at its end.
// Threads: one. Errors (2400): folder_locked (another backup is made); no_reply, when registryd has the ledger and does not
// take the request, or has taken it and writes nothing more (PointWait); backup_failed, with registryd's reason; those of
// bridge/ledger/rocksdb/backup.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "bridge/app/config.h"
#include "bridge/ctl/folder_lock.h"
#include "schemas/base/result.h"

namespace registry::ctl {

// A point takes as long as it takes: where the file system is another one the ledger is copied. So it is waited for as
// long as it grows.
struct PointWait {
  std::chrono::milliseconds taken =
      std::chrono::minutes(1);  // for registryd to take the request; it looks every second
  std::chrono::milliseconds still =
      std::chrono::minutes(10);  // while it makes the point, and the point does not grow
  std::chrono::milliseconds whole = std::chrono::hours(24);
  // Told every `progress_every` how many octets are there.
  std::function<void(std::uint64_t octets)> progress{};
  std::chrono::milliseconds progress_every = std::chrono::seconds(10);
};

class TakenPoint {
 public:
  static Result<TakenPoint> Take(const app::Config& config, const PointWait& wait = {});
  TakenPoint(TakenPoint&& other) noexcept;
  TakenPoint& operator=(TakenPoint&&) = delete;
  ~TakenPoint();

  std::string ledger() const { return folder_ + "/point/ledger"; }
  std::string intake() const { return folder_ + "/point/intake"; }  // may be absent: there was none
  bool was_running() const { return was_running_; }

 private:
  TakenPoint(FolderLock lock, std::string folder) : lock_(std::move(lock)), folder_(std::move(folder)) {}

  FolderLock lock_;
  std::string folder_;
  bool was_running_ = false;
};

}  // namespace registry::ctl
