// bridge/zone/parent_watch.h: whether every configured server of the parent has the DS that a roll-over waits for.
// Asks only while one is awaited: each server in turn, then rests `every`. All must have it in one round, since a resolver
// may ask any of them. What one lacks, or why it does not answer, is a line in the log when it changes.
// Owns: its thread ("zone-parent"), which is there when there are servers to ask.
// Threads: Start and Stop from one thread; the rest from any.
#pragma once

#include <map>
#include <optional>

#include "bridge/log_line.h"
#include "bridge/zone/ds_query.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::zone {

class ParentWatch {
 public:
  ParentWatch(std::vector<ParentAddress> servers, Name zone, std::chrono::milliseconds every, LogLine log)
      : servers_(std::move(servers)), zone_(std::move(zone)), every_(every), log_(std::move(log)) {}
  ~ParentWatch() { Stop(); }
  ParentWatch(const ParentWatch&) = delete;
  ParentWatch& operator=(const ParentWatch&) = delete;

  void Start();
  void Stop() { thread_.Stop(); }
  // RDATA of which each server must have one, and none of the algorithm `gone`; empty: nothing is awaited.
  void Await(std::vector<Bytes> any_of, std::optional<std::uint8_t> gone = std::nullopt);
  // The longest TTL, seconds, once every server has what is awaited now; nullopt before.
  std::optional<std::uint32_t> Seen() const;

 private:
  void Run();
  struct Awaited {
    std::vector<Bytes> any_of;
    std::optional<std::uint8_t> gone;
    bool operator==(const Awaited&) const = default;
  };
  void Round(const Awaited& awaited);
  void Say(const ParentAddress& server, const std::string& line);

  const std::vector<ParentAddress> servers_;
  const Name zone_;
  const std::chrono::milliseconds every_;
  const LogLine log_;
  std::map<std::string, std::string> said_;  // the thread's own
  mutable Mutex mutex_;
  CondVar changed_;
  Awaited awaited_ GUARDED_BY(mutex_);
  std::optional<std::uint32_t> seen_ GUARDED_BY(mutex_);
  OwnThread thread_{mutex_, changed_};
};

}  // namespace registry::zone
