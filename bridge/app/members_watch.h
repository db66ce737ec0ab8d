// bridge/app/members_watch.h: the active node's look after the nodes that decide beside it (NODES.md). It takes
// members, and looks at them again and again. Of one that is gone it takes over what that one had not decided, and has
// the broker's session of it heard out (bridge/mqtt/heir.h). The former active one's session is inherited like a
// member's.
// A crash in between loses nothing: a member's row goes last, and which sessions there are is kept beside the ledger
// (bridge/ledger/kept_state.h) under "sessions-left", by client identifier.
// Owns: one thread (`members`) from Start to Stop. What the ways lead to outlives it.
// Threads: Start and Stop from one, the rest from any; Told must not wait.
// Errors: none are returned; they are said in the log, and what failed is tried again.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "bridge/app/members_judge.h"
#include "bridge/ledger/kept_state.h"
#include "bridge/log_line.h"
#include "bridge/say_once.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::app {

class MembersWatch {
 public:
  struct Ways {
    std::function<Status()> admit;
    std::function<Result<std::vector<ledger::MemberSeen>>()> look;
    std::function<Status(std::int64_t member)> end;
    std::function<Result<std::size_t>(std::int64_t member)> take_over;  // how many messages
    std::function<Status(std::int64_t member)> forget;
    // Neither waits. Each look says again to spare one that lives, and to inherit until Told.
    std::function<void(const std::string&client_id)> inherit, spare;
  };
  struct Options {
    std::string client_id, self;      // of the registry, and this node's name
    std::vector<std::string> before;  // client identifiers from when the registry was one node's
    std::chrono::milliseconds patience{6000}, every{1000};
    LogLine log{};
  };
  MembersWatch(Options options, Ways ways, ledger::KeptState& kept);
  ~MembersWatch() { Stop(); }
  void Start();
  void Stop() { thread_.Stop(); }
  void Told(const std::string& client_id);  // that session was heard out, and has ended

 private:
  using Time = MembersJudge::Time;

  void Run();
  bool Begin();
  void Step(Time now);
  bool TakeOver(const ledger::MemberSeen& gone);
  void NoteLiving(const std::set<std::string>& names);
  bool Note(const std::string& client_id);
  void TakeTold();
  void Inherit(Time now);
  bool KeepLeft();
  bool Said(const Status& status, const std::string& what);
  std::string IdOf(const std::string& node) const { return options_.client_id + "@" + node; }

  const Options options_;
  const Ways ways_;
  ledger::KeptState& kept_;
  // Of the thread.
  MembersJudge judge_;
  SayOnce complaints_;
  bool admitted_ = false, first_look_ = true;
  std::set<std::string> left_;              // sessions at the broker, with this one's own
  std::map<std::string, Time> not_before_;  // whose node may be about to come back
  std::set<std::string> alive_;             // client identifiers
  std::set<std::int64_t> taken_over_;
  Mutex mutex_;
  CondVar changed_;
  std::set<std::string> told_ GUARDED_BY(mutex_);
  OwnThread thread_{mutex_, changed_};
};

}  // namespace registry::app
