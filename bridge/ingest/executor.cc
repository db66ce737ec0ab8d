#include "bridge/ingest/executor.h"

#include <openssl/rand.h>

#include <algorithm>

#include "bridge/ingest/replies.h"
#include "schemas/wire/codec.h"

namespace registry::ingest {
namespace {

using std::chrono::microseconds;

constexpr int kDecisionsMax = 8;  // fresh views after a stale one, before the sender is told to come back
constexpr int kBusySeconds = 1;
constexpr int kFailedSeconds = 30;  // what fails on the registry's side mostly waits for its operator

void FillFromOpenSsl(std::uint8_t* out, std::size_t size) {
  REG_CHECK(RAND_bytes(out, static_cast<int>(size)) == 1);
}

bool IsStale(const Error& error) { return error.symbol == ledger::kStale; }
bool IsKnown(const Error& error) { return error.symbol == ledger::kEventKnown; }
bool IsLedgerFailure(const Error& error) { return error.symbol == ledger::kLedgerFailed; }
// schemas/ERRORS.md: 2400 and 2502 mean that the same id may work later, so it must not be marked as used.
bool MeansLater(const Error& error) { return error.code == Code::kFailed || error.code == Code::kLimit; }

using Steps = std::vector<std::pair<std::string, microseconds>>;

// What this write adds to the traces of its devices, each step with the time since the one before it.
Steps StepsOf(const domain::Changeset& changes) {
  Steps steps;
  for (const auto& put : changes.devices) {
    const auto& trace = put.device.trace;
    for (std::size_t i = trace.size(); i-- > 1 && trace[i].at == put.device.updated;) {
      steps.emplace_back(trace[i].step, trace[i].at - trace[i - 1].at);
    }
  }
  return steps;
}

// What parties are told of a device that got stuck, for the operator's log: once, though MNO and ASP both hear it.
std::vector<std::string> FailuresOf(const domain::Changeset& changes) {
  std::vector<std::string> lines;
  for (const auto& notification : changes.notifications) {
    if (notification.type != "device.failed") continue;
    const auto data = nlohmann::json::parse(notification.data, nullptr, false);
    auto failed = wire::Decode<wire::DeviceFailed>(data);
    if (!failed) continue;
    std::string line =
        "device.failed: " + failed->device.text() + " " + failed->error.step + " " + failed->error.symbol;
    if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace

domain::Context Executor::Now() const { return {clock_.Now(), FillFromOpenSsl}; }

Verdict Executor::Answer(const Request& request) {
  auto mark = ledger_.FindEvent(request.topic.party, *request.id);
  if (!mark) return PutOff(request, mark.error());
  if (*mark) return AnswerKnown(request, **mark);
  return Execute(request);
}

Verdict Executor::AnswerKnown(const Request& request, const domain::EventMark& mark) {
  const auto difference = FirstDifference(mark.digests, request.digests);
  if (!difference) return Say(Again(request, mark.reply), {"duplicate", ""}, request.topic.command);
  // Error::field is a pointer into the data member; what differs outside of it is named by the message alone.
  constexpr std::string_view kInData = "data/";
  const bool in_data = difference->starts_with(kInData);
  const std::string field = in_data ? wire::MemberPointer(difference->substr(kInData.size())) : std::string();
  const Error conflict = Error::Make(
      Code::kExists, "event_conflict",
      "this id was used before with another content of " + (in_data ? "data" + field : *difference), field);
  return Say(Rejected(request, conflict, Now()), {"conflict", conflict.symbol}, request.topic.command);
}

Verdict Executor::Execute(const Request& request) {
  for (int attempt = 0; attempt < kDecisionsMax; ++attempt) {
    domain::Context context = Now();
    context.traceparent = request.traceparent;
    auto decision = Decide(request, context);
    if (!decision && MeansLater(decision.error())) return PutOff(request, decision.error());

    domain::Changeset changes;
    Verdict verdict{"accepted", ""};
    domain::OutgoingMessage reply;
    if (decision) {
      changes = std::move(decision->changes);
      reply = Accepted(request, std::move(decision->reply), context);
    } else {
      verdict = {"rejected", decision.error().symbol};
      reply = Rejected(request, decision.error(), context);
    }
    changes.mark = domain::EventMark{request.topic.party, *request.id, context.now, request.digests, reply};
    // The reply goes first: what it says is the cause of everything after it.
    changes.messages.insert(changes.messages.begin(), std::move(reply));
    const Status committed = Commit(std::move(changes));
    if (committed) return verdict;
    if (IsKnown(committed.error())) return Answer(request);
    if (!IsStale(committed.error())) return Failed(request.topic.command, committed.error());
  }
  Error busy = Error::Make(Code::kFailed, "busy",
                           "the device changes too fast; send the command again with the same id");
  busy.retry_after_seconds = kBusySeconds;
  return Refuse(request, busy);
}

Result<domain::Decision> Executor::Decide(const Request& request, const domain::Context& context) {
  auto origin = dispatcher_.Identify(request.topic.party, request.topic.command, *request.id);
  // Who may not send a command learns nothing about what was wrong inside it.
  if (!wire::RolesOf(request.topic.command).empty() && !origin) return origin.error();
  if (request.refusal) return *request.refusal;
  if (!origin) return origin.error();
  return dispatcher_.Decide(*request.command, *origin, context);
}

// Nothing was decided. What exactly fails inside the registry is its operator's business, not the sender's.
Verdict Executor::PutOff(const Request& request, const Error& error) {
  if (IsLedgerFailure(error)) return Failed(request.topic.command, error);
  if (error.code == Code::kLimit) return Refuse(request, error);
  observer_.Log(3, request.topic.command + " not decided: " + error.symbol + ": " + error.message);
  Error later =
      Error::Make(Code::kFailed, "registry_failed",
                  "the registry cannot do this at the moment; send the command again with the same id");
  later.retry_after_seconds = kFailedSeconds;
  return Refuse(request, later);
}

Verdict Executor::Refuse(const Request& request, const Error& error) {
  return Say(Rejected(request, error, Now()), {"rejected", error.symbol}, request.topic.command);
}

Verdict Executor::Say(domain::OutgoingMessage reply, Verdict verdict, const std::string& command) {
  domain::Changeset changes;
  changes.messages.push_back(std::move(reply));
  const Status committed = Commit(std::move(changes));
  return committed ? std::move(verdict) : Failed(command, committed.error());
}

Verdict Executor::Failed(const std::string& command, const Error& error) {
  observer_.Log(3, command + " not answered, tried again: " + error.symbol + ": " + error.message);
  return {"failed", error.symbol};
}

Status Executor::Commit(domain::Changeset changes) {
  const Steps steps = StepsOf(changes);
  const std::vector<std::string> failures = FailuresOf(changes);
  auto committed = ledger_.Commit(std::move(changes));
  if (!committed) return committed;
  for (const std::string& failure : failures) observer_.Log(2, failure);
  for (const auto& [step, latency] : steps) observer_.StepDone(step, latency);
  return committed;
}

bool Executor::Settle(const std::function<Result<domain::Changeset>(const domain::Context&)>& decide,
                      const std::string& what) {
  for (int attempt = 0; attempt < kDecisionsMax; ++attempt) {
    auto changes = decide(Now());
    if (!changes) {
      observer_.Log(3, what + ": " + changes.error().symbol + ": " + changes.error().message);
      return !IsLedgerFailure(changes.error());
    }
    if (changes->empty()) return true;
    const Status committed = Commit(std::move(*changes));
    if (committed) return true;
    if (IsStale(committed.error())) continue;
    observer_.Log(3, what + ": " + committed.error().symbol + ": " + committed.error().message);
    return false;
  }
  observer_.Log(2, what + ": the device changes too fast; tried again later");
  return false;
}

}  // namespace registry::ingest
