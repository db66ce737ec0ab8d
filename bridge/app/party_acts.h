// bridge/app/party_acts.h: what the operator does to parties, in the hash-chained history. registryctl writes it to
// interface/parties.jsonl, a line each (bridge/ctl/party_history.h): registryd may be stopped, and only it writes to the
// ledger. Each line becomes one entry of no single device, "party act 17: withdrawn asp-a, serials …, by root": once, in
// order, and in the chain from then on. The number is the line's, so a line that is changed or taken away later shows.
// Takes: at the start, and within a second of a new line. Also the parties of a configuration that was read again (Took).
// How far it has got is kept (bridge/ledger/kept_state.h), and the ledger is asked whether it is right (acts_taken.h).
// Owns: one thread from Start to Stop. Ledger, clock and what is kept outlive it. Took: from any thread; it waits for
//   nothing, the thread commits.
// Errors: a file that cannot be read, that is shorter than what was taken or gone, and a ledger that refuses are logged
//   once a minute and tried again. A start logs where it looks, since a file that is not there may be nobody's fault.
//   What Took was given and a ledger refuses until Stop is logged then, each sentence with its own line: the log is all
//   that has it.
// Limits: kLinesAtOnce lines in a commit, kActMax octets of each. kTookMax sentences of Took wait; further ones are not
//   taken, and logged.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "bridge/app/acts_taken.h"
#include "bridge/clock.h"
#include "bridge/ledger/ledger.h"
#include "bridge/log_line.h"
#include "bridge/say_once.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::app {

class PartyActs {
 public:
  static constexpr std::size_t kLinesAtOnce = 500, kActMax = 600, kTookMax = 10'000;

  // `file`: parties.jsonl, which may not be there. `kept`: how far it has got, as acts_taken.h has it.
  PartyActs(std::string file, ledger::KeptState& kept, ledger::Ledger& ledger, const Clock& clock,
            LogLine log)
      : file_(std::move(file)),
        ledger_(ledger),
        clock_(clock),
        log_(std::move(log)),
        in_history_(kept, ledger) {}
  ~PartyActs() { Stop(); }
  void Start();
  void Stop() { thread_.Stop(); }
  // What a running registryd has taken of its configuration, a sentence each.
  void Took(const std::vector<std::string>& changes);

 private:
  void Run();
  void LookAndSay();
  Status Look();
  Status NoFile();
  Status KnowWhatWasTaken();
  Status Take();
  Status CommitTook();
  void SayLost(const std::string& why);
  Status CommitLines(const std::vector<std::string>& acts, std::uint64_t last);
  Status Commit(const std::vector<std::string>& acts);

  const std::string file_;
  ledger::Ledger& ledger_;
  const Clock& clock_;
  const LogLine log_;
  // The thread's own.
  SayOnce said_, said_of_took_;
  ActsTaken in_history_;
  bool known_ = false, placed_ = false;   // taken_ is what the ledger has; octets_ is the place behind it
  std::uint64_t taken_ = 0, octets_ = 0;  // lines, and where the next one begins
  Mutex mutex_;
  std::deque<std::string> took_ GUARDED_BY(mutex_);  // not in the ledger yet
  CondVar wake_;
  OwnThread thread_{mutex_, wake_};
};

}  // namespace registry::app
