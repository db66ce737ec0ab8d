// bridge/update/served_watch.h: which version every public server has, learnt by asking each for its SOA (signed, UDP)
//   on a thread of its own, so that one that does not answer holds no change back. Nobody is notified: that is the
//   signing server's.
// Owns: its thread. Asked are those that lack a wanted version, often, and the others now and then.
// A server that is ahead of the signing server serves none of the wanted versions, as far as is known: the signing server
//   was asked before it signed again, or it was set back to an older zone. Which of the two, its serial tells later.
// Left behind: one that has lacked a wanted version for longer than zone::Options::lag_limit. Nothing waits for it until it
//   has the newest; both are said.
// Errors: why a server does not answer is a warning, once a minute, and in `lags`.
// Threads: Start and Stop from the owner's thread; the rest from any.        Spec: RFC 1982 §3.2, RFC 8945 §5.3.
#pragma once

#include "bridge/say_once.h"
#include "bridge/zone/ask_once.h"
#include "bridge/zone/left_behind.h"
#include "bridge/zone/owed_versions.h"
#include "bridge/zone/tsig_keys.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::update {

class ServedWatch {
 public:
  // All outlive it.
  ServedWatch(const zone::Options& options, const zone::TsigKeys& keys, zone::Name zone, const Clock& clock,
              LogLine log);

  void Start();
  void Stop() { thread_.Stop(); }
  void Want(std::uint32_t serial);
  // The signing server's own serial now.
  void Signs(std::uint32_t serial);
  struct Ahead {
    std::string name;
    std::uint32_t serial = 0;
  };
  std::vector<Ahead> ahead() const;
  bool AllServe(std::uint32_t serial) const;  // but for those left behind, and one at least
  // Of one of options.secondaries; none: it has told no serial.
  std::optional<bool> Serves(std::size_t place, std::uint32_t serial) const;
  std::vector<zone::Snapshot::Lag> lags() const;

 private:
  using Steady = std::chrono::steady_clock;
  struct Server {
    std::optional<std::uint32_t> serial;  // heard last
    bool reachable = false;
    Steady::time_point due;
    zone::OwedVersions owed;
    zone::LeftBehind left;
    std::string refusal;
  };
  void Run();
  void Ask(std::size_t place);
  std::optional<std::size_t> NextDue(Steady::time_point now) const;
  Steady::duration Behind(const Server& server, Steady::time_point now) const REQUIRES(mutex_);
  bool Lacks(const Server& server) const REQUIRES(mutex_);
  bool IsAhead(const Server& server) const REQUIRES(mutex_);
  bool Has(const Server& server, std::uint32_t serial) const REQUIRES(mutex_);

  const zone::Options& options_;
  const zone::TsigKeys& keys_;
  const zone::Name zone_;
  const Clock& clock_;
  const LogLine log_;
  SayOnce said_;                     // the thread's own
  std::vector<bool> with_former_;    // the thread's own: asked with its former key
  std::vector<zone::LagTold> told_;  // the thread's own
  mutable Mutex mutex_;
  CondVar wake_;
  std::uint32_t wanted_ GUARDED_BY(mutex_) = 0;
  bool any_wanted_ GUARDED_BY(mutex_) = false;
  std::optional<std::uint32_t> signs_ GUARDED_BY(mutex_);
  std::vector<Server> servers_ GUARDED_BY(mutex_);
  OwnThread thread_{mutex_, wake_};
};

}  // namespace registry::update
