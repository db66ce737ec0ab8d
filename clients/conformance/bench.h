// clients/conformance/bench.h: what a case works with: the desk, the broker, the device that is asked about, what earlier
// cases have shown; and the questions that most cases ask.
// Owns: nothing. Threads: one.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "clients/conformance/broker.h"
#include "clients/conformance/desk.h"

namespace registry::conformance {

struct CaseOptions {
  std::chrono::milliseconds timeout{60000};  // for what must come
  std::chrono::milliseconds quiet{3000};     // for what must not come, at least
  bool batches = false;                      // the party takes them
  // Whether the ASP lets a device in; nullopt: cannot be said. Not set: nobody can be asked.
  std::function<std::optional<bool>(const std::string& device)> serves = nullptr;
  std::uint64_t seed = 1;  // of the octets of rubbish
};

class Bench {
 public:
  Bench(Desk& desk, Broker& broker, const CaseOptions& options, bool mno)
      : desk_(desk), broker_(broker), options_(options), mno_(mno) {}

  Desk& desk() { return desk_; }
  Broker& broker() { return broker_; }
  const CaseOptions& options() const { return options_; }
  bool mno() const { return mno_; }

  // ---- what earlier cases have shown
  std::optional<DeviceId> device;
  std::string client_id;
  bool repeats = true;                        // a command without a reply came again
  bool new_keys = true;                       // each job brings another key
  std::chrono::milliseconds repeat_after{0};  // that long afterwards; 0: not seen yet
  std::optional<Command> key, payload, wipe;  // the first report of each of these jobs
  std::vector<std::string> late_jobs;         // wipes that must not be reported as done
  std::chrono::milliseconds Silence() const;  // after which a repeat would have come

  // ---- jobs
  nlohmann::json JobData();  // a new job of the device, an hour from now
  nlohmann::json PayloadData();
  // What ends a job: its csr.submit, or its do.result.
  std::optional<Command> ReportOf(const std::string& job, std::size_t from) const;
  std::optional<Command> Ask(const Saying& saying);  // says it, and waits for the report
  std::optional<Command> WaitReport(const std::string& job, std::size_t from);

  // ---- notifications
  Saying News();                                                // that changes nothing: device.activated
  nlohmann::json DeviceData() const;                            // device, name, by
  nlohmann::json TransferData(const std::string& state) const;  // away from this party
  bool WaitAcked(std::uint64_t seq);

  // ---- whichever the party is: something new for it, and the sign that it has dealt with it
  Saying Probe();
  bool Handled(const Saying& saying, std::size_t from);
  bool Wait(const std::function<bool()>& done) { return desk_.Until(options_.timeout, done); }
  // A command that the party has to send. Its first sending is answered by `first`, repeats as always.
  std::optional<Command> Provoke(const Answer& first);
  // Another sending of it, under its id. `other`, if set: a command of the same content under another id.
  std::optional<Command> WaitAgain(const Command& command, std::optional<Command>* other);
  // Every connection of the party is ended and is gone.
  void Cut();

 private:
  Desk& desk_;
  Broker& broker_;
  const CaseOptions& options_;
  const bool mno_;
  std::uint64_t payload_version_ = 0;
};

// What a case is: it asks about its clauses, and says into the desk what it found.
struct Case {
  std::string name, about;
  std::vector<std::string> clauses;
  bool mno = false, asp = false;
  void (*ask)(Bench&) = nullptr;
};

const std::vector<Case>& PartyCases();  // of MNOs and ASPs
const std::vector<Case>& FeedCases();
const std::vector<Case>& JobCases();
const std::vector<Case>& AspCases();

}  // namespace registry::conformance
