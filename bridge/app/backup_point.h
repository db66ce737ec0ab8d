// bridge/app/backup_point.h: a running registry's part of a backup (BACKUP.md): one moment of its ledger and intake, made
// when `registryctl backup` asks for it by a file in a folder that only registryd's user may enter. So nobody can ask from
// afar, and it takes neither a broker nor a signal.
//   request    one line, 32 hex digits; registryctl puts it there whole (rename), and it is removed when it is read
//   point/     the answer: ledger/, intake/ and the file POINT; there whole or not at all, and registryctl's to remove
//   refused    the other answer
//   POINT and refused are JSON: {"request": "<the 32 digits>", "why": "…" (refused only)}
// The intake comes first: what is acknowledged is in the intake's copy, or was in the ledger before the ledger's.
// Owns: one thread, which looks once a second. Start and Stop from the owner's; a point that is being made is finished.
// Errors: a point that cannot be made is said in `refused` and in the log, and leaves nothing behind.
#pragma once

#include <functional>
#include <string>

#include "bridge/log_line.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"
#include "schemas/base/result.h"

namespace registry::app {

class BackupPoint {
 public:
  using Make = std::function<Status(const std::string& folder)>;  // fills a new, private folder

  BackupPoint(std::string folder, Make make, LogLine log)
      : folder_(std::move(folder)), make_(std::move(make)), log_(std::move(log)) {}
  void Start();
  void Stop() { thread_.Stop(); }

 private:
  void Run();
  void Look();
  Status Answer(const std::string& request);

  const std::string folder_;
  const Make make_;
  const LogLine log_;
  Mutex mutex_;
  CondVar wake_;
  OwnThread thread_{mutex_, wake_};
};

}  // namespace registry::app
