#include "clients/conformance/run.h"

#include <algorithm>
#include <map>

#include "clients/conformance/clauses.h"
#include "schemas/wire/codec.h"
#include "schemas/wire/topics.h"

namespace registry::conformance {

using nlohmann::json;

namespace {

constexpr std::chrono::seconds kBrokerWithin{10};
constexpr const char* kCode = "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF-GGGG";  // any will do

double SecondsSince(std::chrono::steady_clock::time_point begun) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

// Which must not have failed for a case to say anything: "payload" stands behind all that Bench::Probe asks.
const char* NeedOf(const Case& one, bool mno) {
  static const std::vector<std::string> free = {"connect", "notification", "payload", "digits"};
  if (std::find(free.begin(), free.end(), one.name) != free.end())
    return one.name == "digits" ? "notification" : nullptr;
  if (one.name == "refused-csr") return "rejected";
  const auto& feed = FeedCases();
  const bool of_feed =
      std::any_of(feed.begin(), feed.end(), [&](const Case& other) { return other.name == one.name; });
  if (of_feed || !mno) return "digits";
  const auto& party = PartyCases();
  const bool probes =
      std::any_of(party.begin(), party.end(), [&](const Case& other) { return other.name == one.name; });
  return probes ? "payload" : nullptr;
}

class Run {
 public:
  Run(const RunOptions& options, const LabFiles& files, Broker& broker, Link& link, const PartyId& party)
      : options_(options),
        broker_(broker),
        mno_(options.role == "mno"),
        desk_(link, party, options.role, files.bootstrap, files.zone),
        bench_(desk_, broker, options.cases, mno_) {}

  ConformanceRun Go() {
    run_.role = options_.role;
    run_.party = options_.party;
    run_.begun = WallClock();
    run_.seed = options_.cases.seed;
    const auto begun = std::chrono::steady_clock::now();
    desk_.StopWhen([this] { return options_.interrupted != nullptr && *options_.interrupted; });
    if (Meet()) AskAll();
    run_.seconds = SecondsSince(begun);
    return std::move(run_);
  }

 private:
  bool Stopped() {
    if (options_.interrupted != nullptr && *options_.interrupted) run_.trouble = "interrupted";
    if (!broker_.running()) run_.trouble = "the broker has ended";
    return !run_.trouble.empty();
  }
  void Say(const std::string& line) const {
    if (options_.say) options_.say(line);
  }

  // The party connects; an MNO shows a device, an ASP is told of one.
  bool Meet() {
    CaseRun& meeting = BeginCase({"meet",
                                  "The party connects, and an MNO registers an eSIM and attaches its device.",
                                  {},
                                  true,
                                  true,
                                  nullptr});
    meeting.clauses = {"P1"};
    if (mno_) meeting.clauses.push_back("J9");
    const auto begun = std::chrono::steady_clock::now();
    const auto there = [this] { return Stopped() || !broker_.Connections(options_.party).empty(); };
    const bool connected = WaitSlowly(there) && !Stopped();
    if (!connected && run_.trouble.empty()) run_.trouble = options_.party + " did not connect";
    if (!connected) return false;
    desk_.Check("P1", true, "it connected with its certificate");
    const auto device = mno_ ? Attached() : DeviceId::Parse(NewUuid());
    bench_.client_id = broker_.Connections(options_.party).back().client_id;
    bench_.device = device;
    if (mno_ && !device && run_.trouble.empty()) {
      desk_.Check("J9", false, "no device was registered and reported as attached");
      run_.trouble = "without a device nothing can be asked";
    }
    if (mno_ && device) desk_.Check("J9", true, "the device was reported as attached");
    if (!mno_ && options_.claim) options_.claim(bench_.device->text());
    if (!mno_)
      Say("to have its devices asked about: claim " + bench_.device->text() + " with the code " + kCode);
    desk_.Quiet(std::chrono::milliseconds(200));
    EndCase(meeting, begun);
    return bench_.device.has_value();
  }

  // The log is read for it, which costs more than a message.
  bool WaitSlowly(const std::function<bool()>& done) {
    const auto until = std::chrono::steady_clock::now() + options_.wait;
    while (!done()) {
      if (std::chrono::steady_clock::now() >= until) return false;
      desk_.Quiet(std::chrono::milliseconds(100));
    }
    return true;
  }

  std::optional<DeviceId> Attached() {
    std::optional<std::string> device;
    const auto attached = [&] {
      const auto command = desk_.First(wire::DeviceAttach::kName, 0);
      if (command) device = TextIn(command->data, "device");
      return Stopped() || device;
    };
    desk_.Until(options_.wait, attached);
    return DeviceId::Parse(device.value_or(""));
  }

  CaseRun& BeginCase(const Case& one) {
    CaseRun begun;
    begun.name = one.name;
    begun.about = one.about;
    begun.clauses = one.clauses;
    run_.cases.push_back(std::move(begun));
    desk_.Begin(run_.cases.back());
    return run_.cases.back();
  }

  void EndCase(CaseRun& one, std::chrono::steady_clock::time_point begun) {
    one.seconds = SecondsSince(begun);
    if (one.checks.empty()) return;
    Say(std::string(NameOf(one.outcome())) + "  " + one.name);
    for (const Check& check : one.checks) {
      if (check.finding == Finding::kFailed) Say("        " + check.clause + ": " + check.what);
    }
  }

  bool Failed(const std::string& name) const {
    return std::any_of(run_.cases.begin(), run_.cases.end(), [&](const CaseRun& one) {
      return one.name == name && (one.outcome() == Finding::kFailed || one.outcome() == Finding::kNotRun);
    });
  }

  bool Wanted(const std::string& name) const {
    return options_.only.empty() ||
           std::find(options_.only.begin(), options_.only.end(), name) != options_.only.end();
  }

  void AskAll() {
    const auto cases = CasesOf(options_.role);
    run_.cases.reserve(cases.size() + 2);  // the desk holds on to the last
    for (const Case& one : cases) {
      if (!Wanted(one.name)) continue;
      if (Stopped()) return;
      const auto begun = std::chrono::steady_clock::now();
      CaseRun& asked = BeginCase(one);
      const char* need = NeedOf(one, mno_);
      if (need != nullptr && Failed(need)) {
        for (const std::string& clause : one.clauses)
          desk_.Note(clause, Finding::kNotRun,
                     std::string("it says nothing as long as the case ") + need + " fails");
      } else {
        one.ask(bench_);
      }
      if (Stopped()) asked.checks.clear();  // what did not come may have been on its way
      EndCase(asked, begun);
    }
    if (!Stopped()) AskEveryCommand();
  }

  // What was held against every command, and what may come late.
  void AskEveryCommand() {
    const auto begun = std::chrono::steady_clock::now();
    CaseRun& all = BeginCase({"every-command",
                              "What the party has said in the whole run.",
                              {"P4", "P5", "P6", "P16"},
                              true,
                              true,
                              nullptr});
    const std::string count = std::to_string(desk_.commands_of_standing()) + " commands were as they must be";
    for (const char* clause : {"P4", "P5", "P6"}) {
      if (!FoundWrong(clause) && desk_.commands_of_standing() > 0)
        desk_.Note(clause, Finding::kPassed, count);
    }
    if (!desk_.used_response_topic()) {
      desk_.Note("P16", Finding::kNotObservable, "it sets no Response Topic");
    } else if (!FoundWrong("P16")) {
      desk_.Note("P16", Finding::kPassed, "each lies in its own space");
    }
    if (mno_) AskReports(all);
    EndCase(all, begun);
  }

  bool FoundWrong(const std::string& clause) const {
    return std::any_of(run_.cases.begin(), run_.cases.end(), [&](const CaseRun& one) {
      return std::any_of(one.checks.begin(), one.checks.end(), [&](const Check& check) {
        return check.clause == clause && check.finding == Finding::kFailed;
      });
    });
  }

  void AskReports(CaseRun& all) {
    all.clauses.insert(all.clauses.end(), {"J5", "J8"});
    for (const std::string& job : bench_.late_jobs) {
      const auto report = bench_.ReportOf(job, 0);
      if (report && TextIn(report->data, "outcome") == "success")
        desk_.Check("J5", false, "a wipe was reported as done, and its deadline was long over");
    }
    std::map<std::string, std::uint64_t> progress;
    bool grows = true;
    for (const Command& command : desk_.heard()) {
      if (command.name != wire::DoProgress::kName || command.again) continue;
      const auto said = NumberIn(command.data, "progress");
      std::uint64_t& highest = progress[TextIn(command.data, "job")];
      grows = grows && said >= highest;
      highest = std::max(highest, said);
    }
    if (progress.empty()) {
      desk_.Note("J8", Finding::kNotObservable, "it reports no progress");
    } else {
      desk_.Check("J8", grows, std::to_string(progress.size()) + " jobs with progress");
    }
  }

  const RunOptions& options_;
  Broker& broker_;
  const bool mno_;
  ConformanceRun run_;
  Desk desk_;
  Bench bench_;
};

}  // namespace

// What wipes or deletes comes last; what stands behind others comes first.
std::vector<Case> CasesOf(const std::string& role) {
  std::vector<Case> cases;
  const auto add = [&](const std::vector<Case>& some) {
    for (const Case& one : some) {
      if (role == "mno" ? one.mno : one.asp) cases.push_back(one);
    }
  };
  add(FeedCases());
  add(JobCases());
  add(PartyCases());
  add(AspCases());
  for (const char* last : {"refused-csr", "profile-delete"})
    std::stable_partition(cases.begin(), cases.end(), [&](const Case& one) { return one.name != last; });
  const auto is_first = [](const Case& one) { return one.name == "connect"; };
  std::stable_partition(cases.begin(), cases.end(), is_first);
  return cases;
}

Result<ConformanceRun> RunConformance(const RunOptions& options) {
  const auto party = PartyId::Parse(options.party);
  if (!party) return Error::Make(Code::kValueSyntax, "party_name", "not a party's name: " + options.party);
  const auto files = ReadLabFiles(options.lab_file, options.party, options.role);
  if (!files) return files.error();
  auto broker = Broker::Start(*files, options.port);
  if (!broker) return broker.error();
  auto link = Link::Open({(*broker)->own_port(), files->ca_file, files->certificate_file, files->key_file,
                          "registry-conformance-" + NewUuid()},
                         std::string(wire::kFromAll), kBrokerWithin);
  if (!link) return link.error();
  const std::uint16_t port = (*broker)->relay().port();
  if (options.say) {
    options.say("connect " + options.party + " to 127.0.0.1 port " + std::to_string(port));
    options.say("  CA           " + files->ca_file);
    options.say("  certificate  " + files->party_certificate_file);
    options.say("  key          " + files->party_key_file);
  }
  if (options.listening) options.listening(port);
  Run run(options, *files, **broker, **link, *party);
  return run.Go();
}

}  // namespace registry::conformance
