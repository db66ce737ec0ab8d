// The jobs of an MNO.
#include <algorithm>
#include <set>

#include "clients/conformance/bench.h"
#include "clients/conformance/certify.h"
#include "schemas/wire/codec.h"

namespace registry::conformance {
namespace {

using nlohmann::json;

bool Succeeded(const Command& report) { return TextIn(report.data, "outcome") == "success"; }

// "success", or "failed: applet_refused".
std::string FateOf(const Command& report) {
  if (report.name == wire::CsrSubmit::kName) return "a CSR";
  const std::string reason = TextIn(report.data, "reason");
  return TextIn(report.data, "outcome") + (reason.empty() ? "" : ": " + reason);
}

// The job's end, held against its action; nullopt: there was none, or it was of another kind.
std::optional<Command> Answered(Bench& bench, const Saying& saying, std::string_view by) {
  const auto report = bench.Ask(saying);
  const std::string action = saying.envelope.type;
  if (!report) {
    bench.desk().Check("J1", false, action + " was not answered with a report of its job");
    return std::nullopt;
  }
  const bool kind = report->name == by;
  const bool device = TextIn(report->data, "device") == bench.device->text();
  bench.desk().Check("J1", kind && device,
                     action + " was answered by " + report->name + ", " + FateOf(*report) +
                         (device ? "" : ", of another device"));
  return kind && device ? report : std::nullopt;
}

Result<SeenCsr> CsrOf(const Command& report) { return ReadCsr(TextIn(report.data, "csr")); }

void AskKey(Bench& bench) {
  const Saying saying = bench.desk().Action(wire::KeyGenerate::kName, bench.JobData());
  bench.key = Answered(bench, saying, wire::CsrSubmit::kName);
  if (!bench.key) return;
  const auto csr = CsrOf(*bench.key);
  bench.desk().Check(
      "J2", csr.ok(),
      csr ? "the CSR is good, and names the job" : csr.error().symbol + ": " + csr.error().message);
}

void AskPayload(Bench& bench) {
  const Saying saying = bench.desk().Action(wire::PayloadPush::kName, bench.PayloadData());
  bench.payload = Answered(bench, saying, wire::DoResult::kName);
}

void AskWipe(Bench& bench) {
  const Saying saying = bench.desk().Action(wire::AppletWipe::kName, bench.JobData());
  bench.wipe = Answered(bench, saying, wire::DoResult::kName);
}

void AskProfile(Bench& bench, std::string_view action) {
  Answered(bench, bench.desk().Action(action, bench.JobData()), wire::DoResult::kName);
}
void AskDisable(Bench& bench) { AskProfile(bench, wire::ProfileDisable::kName); }
void AskEnable(Bench& bench) { AskProfile(bench, wire::ProfileEnable::kName); }
void AskDelete(Bench& bench) { AskProfile(bench, wire::ProfileDelete::kName); }

// ---- the same job again

// The job of `first`, with the next attempt; nullopt and a note when there was none.
std::optional<Command> Again(Bench& bench, std::string_view action, const std::optional<Command>& first,
                             json data) {
  if (!first) {
    bench.desk().Note("J3", Finding::kNotRun, "the job was not answered the first time");
    return std::nullopt;
  }
  if (TrueIn(first->data, "retriable")) {
    bench.desk().Note("J3", Finding::kNotObservable, "the job may be tried anew: it failed, retriable");
    return std::nullopt;
  }
  data["job"] = TextIn(first->data, "job");
  data["attempt"] = 2;
  const auto report = bench.Ask(bench.desk().Action(action, data));
  if (!report) bench.desk().Check("J3", false, "the job was not answered the second time");
  return report;
}

void AskKeyAgain(Bench& bench) {
  const auto report = Again(bench, wire::KeyGenerate::kName, bench.key, bench.JobData());
  if (!report) return;
  const auto first = CsrOf(*bench.key), second = CsrOf(*report);
  const bool same = first && second && first->public_key == second->public_key;
  bench.desk().Check(
      "J3", same, same ? "the CSR came again" : "the second CSR is for another key: the job was done twice");
}

void SameFate(Bench& bench, const std::optional<Command>& first, const std::optional<Command>& second) {
  if (!second) return;
  const std::string was = FateOf(*first), is = FateOf(*second);
  bench.desk().Check("J3", was == is,
                     was == is ? "the same was reported again: " + is : was + " became " + is);
}

void AskPayloadAgain(Bench& bench) {
  json data = bench.PayloadData();
  if (bench.payload) data["version"] = 1;
  SameFate(bench, bench.payload, Again(bench, wire::PayloadPush::kName, bench.payload, data));
}

void AskWipeAgain(Bench& bench) {
  SameFate(bench, bench.wipe, Again(bench, wire::AppletWipe::kName, bench.wipe, bench.JobData()));
}

// Both are there before the first can be done.
void AskTwiceAtOnce(Bench& bench) {
  if (!bench.key) return bench.desk().Note("J3", Finding::kNotRun, "no key.generate was answered");
  const std::size_t from = bench.desk().heard().size();
  const Saying saying = bench.desk().Action(wire::KeyGenerate::kName, bench.JobData());
  const std::string job = saying.envelope.data.at("job");
  bench.desk().Say(saying);
  bench.desk().Say(saying);
  if (!bench.WaitReport(job, from))
    return bench.desk().Note("J3", Finding::kNotRun, "the job was not answered");
  bench.desk().Quiet(bench.options().quiet);
  std::set<Bytes> keys;
  for (std::size_t i = from; i < bench.desk().heard().size(); ++i) {
    const Command& command = bench.desk().heard()[i];
    if (command.name != wire::CsrSubmit::kName || TextIn(command.data, "job") != job) continue;
    if (const auto csr = CsrOf(command)) keys.insert(csr->public_key);
  }
  bench.desk().Check("J3", keys.size() == 1, std::to_string(keys.size()) + " key(s) of one job");
}

void AskNewKey(Bench& bench) {
  if (!bench.key) return bench.desk().Note("J7", Finding::kNotRun, "no key.generate was answered");
  const auto report = bench.Ask(bench.desk().Action(wire::KeyGenerate::kName, bench.JobData()));
  if (!report) return bench.desk().Note("J7", Finding::kNotRun, "the second key.generate was not answered");
  const auto first = CsrOf(*bench.key), second = CsrOf(*report);
  const bool another = first && second && first->public_key != second->public_key;
  bench.new_keys = another;
  bench.desk().Check("J7", another,
                     another ? "the second job made another key" : "the second job brought no other key");
}

// As the registry does when the key is another device's: the job goes on, and is asked for again.
void AskRefusedCsr(Bench& bench) {
  Desk& desk = bench.desk();
  json data = bench.JobData();
  const std::string job = data.at("job");
  desk.SetAnswering([&](const Command& command) -> std::optional<Answer> {
    if (command.name != wire::CsrSubmit::kName || TextIn(command.data, "job") != job) return std::nullopt;
    const Error error = Error::Make(Code::kExists, "key_in_use", "the key was certified before", "/csr");
    return Answer{Answer::Kind::kRejected, wire::EncodeError(error), ""};
  });
  if (!bench.new_keys) return desk.Note("J11", Finding::kNotRun, "no job brought another key yet");
  const auto first = bench.Ask(desk.Action(wire::KeyGenerate::kName, data));
  if (!first) return desk.Note("J11", Finding::kNotRun, "the job was not answered");
  desk.Quiet(bench.options().quiet);  // for the refusal to arrive; some send the next one without being asked
  desk.SetAnswering(nullptr);
  data["attempt"] = 2;
  desk.Say(desk.Action(wire::KeyGenerate::kName, data));
  const auto was = CsrOf(*first);
  const auto another = [&] {
    return std::any_of(desk.heard().begin(), desk.heard().end(), [&](const Command& command) {
      if (command.name != wire::CsrSubmit::kName || TextIn(command.data, "job") != job) return false;
      const auto csr = CsrOf(command);
      return csr && was && csr->public_key != was->public_key;
    });
  };
  const bool came = bench.Wait(another);
  desk.Check("J11", came, came ? "the next CSR is for another key" : "no CSR for another key came");
}

// ---- what is not to be done

void AskUnknownAction(Bench& bench) {
  const auto report = bench.Ask(bench.desk().Action("applet.polish", bench.JobData()));
  const bool good = report && TextIn(report->data, "outcome") == "failed" &&
                    !TrueIn(report->data, "retriable") && TextIn(report->data, "reason") == "action_unknown";
  bench.desk().Check("J4", good, report ? FateOf(*report) : "it was not answered");
}

// As one that has waited at the broker, or whose device was away. Without an answer it was dropped.
void AskLateWipe(Bench& bench) {
  json data = bench.JobData();
  data["deadline"] = ToRfc3339(WallClock() - std::chrono::hours(1));
  const std::string job = data.at("job");
  bench.late_jobs.push_back(job);
  const std::size_t from = bench.desk().heard().size();
  bench.desk().Say(bench.desk().Action(wire::AppletWipe::kName, data));
  bench.desk().Until(bench.Silence(), [&] { return bench.ReportOf(job, from).has_value(); });
  const auto report = bench.ReportOf(job, from);
  const bool done = report && Succeeded(*report);
  bench.desk().Check("J5", !done,
                     done     ? "it was carried out an hour after its deadline"
                     : report ? "it was not carried out: " + FateOf(*report)
                              : "it was dropped");
}

// One waits for nothing in between, so the first may still be under way.
void AskOrder(Bench& bench) {
  Desk& desk = bench.desk();
  const std::size_t from = desk.heard().size();
  const json first = bench.JobData(), later = bench.JobData();
  desk.Say(desk.Action(wire::ProfileDisable::kName, first));
  desk.Say(desk.Action(wire::ProfileEnable::kName, later));
  const auto report = bench.WaitReport(later.at("job"), from);
  if (!report) return desk.Check("J6", false, "the later one, profile.enable, was not answered"), void();
  desk.Quiet(bench.options().quiet);
  bool before = true;
  for (std::size_t i = from; i < desk.heard().size(); ++i) {
    const Command& command = desk.heard()[i];
    if (command.again || TextIn(command.data, "job") != TextIn(first, "job") || !Succeeded(command)) continue;
    before = before && command.at <= report->at;
  }
  desk.Check("J6", before,
             before ? "profile.enable was the last: " + FateOf(*report)
                    : "profile.disable was reported as done after profile.enable");
}

}  // namespace

const std::vector<Case>& JobCases() {
  static const std::vector<Case> cases = {
      {"key", "A device is asked for a key.", {"J1", "J2"}, true, false, AskKey},
      {"key-again", "The same key.generate comes again, attempt 2.", {"J3"}, true, false, AskKeyAgain},
      {"twice-at-once", "A key.generate comes twice at once.", {"J3"}, true, false, AskTwiceAtOnce},
      {"new-key", "A key.generate of another job comes.", {"J7"}, true, false, AskNewKey},
      {"refused-csr",
       "A CSR is refused with key_in_use, and the same key.generate comes again.",
       {"J11"},
       true,
       false,
       AskRefusedCsr},
      {"payload",
       "A payload is to reach the device; none that a device takes.",
       {"J1"},
       true,
       false,
       AskPayload},
      {"payload-again",
       "The same payload.push comes again, attempt 2.",
       {"J3"},
       true,
       false,
       AskPayloadAgain},
      {"unknown-action", "An action comes that no schema knows.", {"J4"}, true, false, AskUnknownAction},
      {"wipe", "An applet is to be wiped.", {"J1"}, true, false, AskWipe},
      {"wipe-again", "The same applet.wipe comes again, attempt 2.", {"J3"}, true, false, AskWipeAgain},
      {"late-wipe", "An applet.wipe comes an hour after its deadline.", {"J5"}, true, false, AskLateWipe},
      {"profile-disable", "A profile is to be disabled.", {"J1"}, true, false, AskDisable},
      {"profile-enable", "A profile is to be enabled.", {"J1"}, true, false, AskEnable},
      {"profile-order", "profile.disable and profile.enable come at once.", {"J6"}, true, false, AskOrder},
      {"profile-delete", "A profile is to be deleted. It is the last case.", {"J1"}, true, false, AskDelete},
  };
  return cases;
}

}  // namespace registry::conformance
