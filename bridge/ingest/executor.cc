#include "bridge/ingest/executor.h"

#include <algorithm>

#include "bridge/ingest/replies.h"
#include "bridge/ledger/retention.h"
#include "bridge/ledger/sound.h"
#include "schemas/base/check.h"
#include "schemas/wire/codec.h"
#include "workers/domain/compose.h"
#include "workers/lifecycle/renewal_told.h"

namespace registry::ingest {
namespace {

using std::chrono::microseconds;

constexpr int kDecisionsMax = 8;  // fresh views after a stale one, before the sender is told to come back
constexpr int kBusySeconds = 1;
constexpr std::chrono::seconds kSpacePause{1};
constexpr int kFailedSeconds = 30;  // what fails on the registry's side mostly waits for its operator

bool IsStale(const Error& error) { return error.symbol == ledger::kStale; }
bool IsKnown(const Error& error) { return error.symbol == ledger::kEventKnown; }
bool IsUnsound(const Error& error) { return error.symbol == ledger::kUnsound; }
bool IsLedgerFailure(const Error& error) { return error.symbol == ledger::kLedgerFailed; }
// schemas/ERRORS.md: 2400 and 2502 mean that the same id may work later, so it must not be marked as used.
bool MeansLater(const Error& error) { return error.code == Code::kFailed || error.code == Code::kLimit; }

// Held in memory, where another node's commit arrives a moment later than its notification may have reached the party. Of
// everything else a command is decided by, the ledger reads what holds now, or refuses the commit (kStale).
bool GoesByFeeds(const Request& request) {
  return request.row != nullptr &&
         (request.row->name == wire::FeedReplay::kName || request.row->name == wire::FeedAck::kName);
}

// What exactly fails inside the registry is its operator's business, not the sender's.
Error RegistryFailed() {
  Error later =
      Error::Make(Code::kFailed, "registry_failed",
                  "the registry cannot do this at the moment; send the command again with the same id");
  later.retry_after_seconds = kFailedSeconds;
  return later;
}

Error Busy() {
  Error busy = Error::Make(Code::kFailed, "busy",
                           "the device changes too fast; send the command again with the same id");
  busy.retry_after_seconds = kBusySeconds;
  return busy;
}

using Steps = std::vector<std::pair<std::string, microseconds>>;

// What this write adds to the traces of its devices, each step with the time since the one before it, and without what it
// says behind a colon: names of steps are few.
Steps StepsOf(const domain::Changeset& changes) {
  Steps steps;
  for (const auto& put : changes.devices) {
    const auto& trace = put.device.trace;
    for (std::size_t i = trace.size(); i-- > 1 && trace[i].at == put.device.updated;) {
      // A clock set back in between makes no step take less than no time.
      steps.emplace_back(trace[i].step.substr(0, trace[i].step.find(':')),
                         std::max(trace[i].at - trace[i - 1].at, microseconds(0)));
    }
  }
  return steps;
}

// Kind and outcome of what became of transfers. Both parties hear of it; it is counted where the gaining one does.
using Transfers = std::vector<std::pair<std::string, std::string>>;
Transfers TransfersOf(const domain::Changeset& changes) {
  static constexpr std::string_view kPrefix = "transfer.";
  const auto of_transfer = [](const domain::Notification& told) { return told.type.starts_with(kPrefix); };
  Transfers transfers;
  // Every write comes here, and hardly any moves a transfer.
  const auto first = std::find_if(changes.notifications.begin(), changes.notifications.end(), of_transfer);
  if (first == changes.notifications.end()) return transfers;
  for (const auto& [device, expected] : changes.devices) {
    if (!device.transfer) continue;
    for (auto told = first; told != changes.notifications.end(); ++told) {
      if (told->to != device.transfer->to || !of_transfer(*told)) continue;
      transfers.emplace_back(domain::TransferKindName(device.transfer->kind),
                             told->type.substr(kPrefix.size()));
    }
  }
  return transfers;
}

// What parties are told of a device that got stuck, for the operator's log: once, though MNO and ASP both hear it.
std::vector<std::string> FailuresOf(const domain::Changeset& changes) {
  std::vector<std::string> lines;
  for (const auto& notification : changes.notifications) {
    if (notification.type != wire::DeviceFailed::kName) continue;
    const auto data = nlohmann::json::parse(notification.data, nullptr, false);
    auto failed = wire::Decode<wire::DeviceFailed>(data);
    if (!failed) continue;
    std::string line = notification.type + ": " + failed->device.text() + " " + failed->error.step + " " +
                       failed->error.symbol;
    if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(std::move(line));
  }
  return lines;
}

// Of a digest's name. Another command has another type, which is where the envelope says it.
std::string EnvelopePointer(const std::string& part) {
  constexpr std::string_view kInData = "data/";
  if (part.starts_with(kInData)) return "/data" + wire::MemberPointer(part.substr(kInData.size()));
  return part == "command" ? "/type" : wire::MemberPointer(part);
}

}  // namespace

std::set<PartyId> Executor::PartiesOf(const std::map<PartyId, wire::Role>& parties) {
  std::set<PartyId> names;
  for (const auto& [party, role] : parties) names.insert(party);
  return names;
}

void Executor::Change(const PartyTerms& terms) {
  limits_.Change(terms.limits, PartiesOf(terms.parties));
  terms_.Change(terms);
}

std::optional<Error> Executor::Charge(const PartyId& party, LimitClass which) {
  const UtcTime now = clock_.Now();
  // A code that is right writes, and one that is wrong too: a count.
  auto over = which == LimitClass::kAuthorise ? limits_.Take(party, LimitClass::kWrite, now) : std::nullopt;
  if (!over) over = limits_.Take(party, which, now);
  const bool known = terms()->parties.contains(party);
  if (over) observer_.Limited(known ? party.text() : "unknown", over->limit);
  return over;
}

domain::Context Executor::Now() const { return {clock_.Now(), services_.random}; }

void Executor::Answer(const Request& request, AnswerWay way) {
  if (request.reads()) return way.end(AnswerRead(request));
  auto mark = ledger_.FindEvent(request.topic.party, *request.id);
  if (!mark) return PutOff(request, mark.error(), std::move(way));
  if (*mark) return AnswerKnown(request, **mark, std::move(way));
  AnswerUnknown(request, std::move(way));
}

// Which days are kept is asked behind the mark: a mark goes only after the ledger has said that its day does.
void Executor::AnswerUnknown(const Request& request, AnswerWay way) {
  const auto kept = ledger_.LoadMarksKept();
  if (!kept) return PutOff(request, kept.error(), std::move(way));
  if (!request.time || !ledger::MayBeForgotten(*request.time, *kept))
    return Execute(request, *kept, std::move(way));
  Refuse(request,
         Error::Make(Code::kPolicy, "event_expired",
                     "whether a command of this time was decided is not known any more; find out "
                     "what holds, and send what is still wanted with a new id and time",
                     "/time"),
         std::move(way));
}

// No mark, no entry in the outbox, no commit: the reply goes aside, and a repeat is executed again. Whoever asks may have
// been told by another node of what it asks about.
Verdict Executor::AnswerRead(const Request& request) {
  const auto& [party, command] = request.topic;
  const Status seen = ledger_.CatchUp();
  if (!seen) return {"failed", seen.error().symbol};  // it is tried again, here or by another node
  const domain::Context context = Now();
  const auto terms = terms_.Now();
  const auto origin = Identify(request, *terms);
  auto told = origin ? Decide(request, *terms, origin, context).reply : Result<domain::Reply>(origin.error());
  if (told) {
    services_.aside(party, Accepted(request, std::move(*told), context));
    return {"accepted", ""};
  }
  Error why = told.error();
  if (why.code == Code::kFailed) {
    observer_.Log(Level::kError, command + " not answered: " + why.symbol + ": " + why.message);
    why = RegistryFailed();
  }
  services_.aside(party, Rejected(request, why, context));
  return {"rejected", why.symbol};
}

void Executor::AnswerKnown(const Request& request, const domain::EventMark& mark, AnswerWay way) {
  auto stored = mark.digests;
  // Ledgers hold it from when it counted as content.
  std::erase_if(stored, [](const auto& part) { return part.first == "subject"; });
  const auto difference = FirstDifference(stored, request.digests);
  if (!difference)
    return Say(Again(request, mark.reply), {"duplicate", ""}, request.topic.command, std::move(way));
  const std::string field = EnvelopePointer(*difference);
  const Error conflict =
      Error::Make(Code::kExists, "event_conflict", "this id was used before with another " + field, field);
  Say(Rejected(request, conflict, Now()), {"conflict", conflict.symbol}, request.topic.command,
      std::move(way));
}

// What was said already is answered all the same: that keeps nothing.
std::optional<Error> Executor::OverAllowance(const Request& request) {
  const auto wait = allowance_.Wait(request.topic.party, clock_.Now());
  if (wait == std::chrono::seconds(0)) return std::nullopt;
  Error over = Error::Make(Code::kLimit, "ledger_share_used",
                           "this party made the registry keep as much as one party may in an hour; send the "
                           "command again with the same id");
  over.retry_after_seconds = static_cast<int>(wait.count());
  return over;
}

std::chrono::seconds Executor::Wait(const PartyId& party) {
  return services_.space_low() ? kSpacePause : allowance_.Wait(party, clock_.Now());
}

struct Executor::Execution {
  const Request& request;
  const ledger::MarksKept kept;
  const AnswerWay way;
  const std::shared_ptr<const Terms> terms;
  const Result<domain::Origin> origin;
  int attempts = 0;
};

void Executor::Execute(const Request& request, const ledger::MarksKept& kept, AnswerWay way) {
  if (const auto over = OverAllowance(request)) return Refuse(request, *over, std::move(way));
  auto terms = terms_.Now();
  auto origin = Identify(request, *terms);
  // Who may not send a command learns nothing about what was wrong inside it. Nor is its id used up: who is a party, and
  // of which role, is the operator's configuration, and the sender repeats the id when that has changed.
  if (request.row != nullptr && !origin) return Refuse(request, origin.error(), std::move(way));
  if (GoesByFeeds(request)) {
    if (const auto seen = ledger_.CatchUp(); !seen) return PutOff(request, seen.error(), std::move(way));
  }
  Attempt(std::make_shared<Execution>(
      Execution{request, kept, std::move(way), std::move(terms), std::move(origin)}));
}

void Executor::Attempt(const std::shared_ptr<Execution>& it) {
  const Request& request = it->request;
  if (it->attempts++ == kDecisionsMax) return Refuse(request, Busy(), it->way);
  domain::Context context = Now();
  context.traceparent = request.traceparent;
  auto [told, changes] = Decide(request, *it->terms, it->origin, context);
  if (!told && MeansLater(told.error())) return PutOff(request, told.error(), it->way);

  const Verdict verdict = told ? Verdict{"accepted", ""} : Verdict{"rejected", told.error().symbol};
  domain::OutgoingMessage reply =
      told ? Accepted(request, std::move(*told), context) : Rejected(request, told.error(), context);
  const UtcTime marked = ledger::TimeOfMark(context.now, request.time, it->kept);
  changes.mark = domain::EventMark{request.topic.party, *request.id, marked, request.digests, reply};
  // The reply goes first: what it says is the cause of everything after it.
  changes.messages.insert(changes.messages.begin(), std::move(reply));
  const std::size_t kept = KeptOctets(changes);
  CommitThen(std::move(changes), it->way.resume,
             [this, it, verdict, kept, now = context.now](const Status& committed) {
               if (!committed) return NotKept(it, committed.error());
               allowance_.Use(it->request.topic.party, kept, now);
               it->way.end(verdict);
             });
}

void Executor::NotKept(const std::shared_ptr<Execution>& it, const Error& why) {
  if (IsStale(why)) return Attempt(it);
  if (IsKnown(why)) return Answer(it->request, it->way);
  // Decided again it would be the same: the operator finds it in the log, the sender may come again.
  if (IsUnsound(why)) return PutOff(it->request, why, it->way);
  it->way.end(Failed(it->request.topic.command, why));
}

// What there is no row of was refused when it was parsed.
Result<domain::Origin> Executor::Identify(const Request& request, const Terms& terms) const {
  if (request.row == nullptr) return *request.refusal;
  return Dispatcher::Identify(terms, *request.row, request.topic.party, *request.id);
}

Decided Executor::Decide(const Request& request, const Terms& terms, const Result<domain::Origin>& origin,
                         const domain::Context& context) const {
  if (request.refusal) return {*request.refusal};
  return dispatcher_.Decide(terms, *request.row, *request.asked, *origin, context);
}

// Nothing was decided. What exactly fails inside the registry is its operator's business, not the sender's.
void Executor::PutOff(const Request& request, const Error& error, AnswerWay way) {
  if (IsLedgerFailure(error)) return way.end(Failed(request.topic.command, error));
  if (error.code == Code::kLimit) return Refuse(request, error, std::move(way));
  observer_.Log(Level::kError,
                request.topic.command + " not decided: " + error.symbol + ": " + error.message);
  Refuse(request, RegistryFailed(), std::move(way));
}

void Executor::Refuse(const Request& request, const Error& error, AnswerWay way) {
  Say(Rejected(request, error, Now()), {"rejected", error.symbol}, request.topic.command, std::move(way));
}

void Executor::Say(domain::OutgoingMessage reply, Verdict verdict, const std::string& command,
                   AnswerWay way) {
  domain::Changeset changes;
  changes.messages.push_back(std::move(reply));
  CommitThen(std::move(changes), way.resume,
             [this, verdict = std::move(verdict), command, end = way.end](const Status& committed) {
               end(committed ? verdict : Failed(command, committed.error()));
             });
}

Verdict Executor::Failed(const std::string& command, const Error& error) {
  SayLedger(command + " not answered, tried again", error);
  return {"failed", error.symbol};
}

// A ledger that fails fails every command that is under way, for one cause.
void Executor::SayLedger(const std::string& what, const Error& error) {
  const std::string cause = error.symbol + ": " + error.message;
  const std::string line = what + ": " + cause;
  {
    const MutexLock lock(said_mutex_);
    if (!said_.Due(IsLedgerFailure(error) ? cause : line, SayOnce::Steady::now())) return;
  }
  observer_.Log(Level::kError, line);
}

// What is to be said when a changeset is committed.
struct Executor::Aftermath {
  Steps steps;
  std::vector<std::string> failures;
  Transfers transfers;
  std::vector<std::string_view> renewals;
  bool job_ended, order_moved;
};

Executor::Aftermath Executor::AftermathOf(const domain::Changeset& changes) {
  return {StepsOf(changes),
          FailuresOf(changes),
          TransfersOf(changes),
          lifecycle::RenewalsOf(changes),
          !changes.jobs_erase.empty(),
          !changes.orders.empty() && changes.mark.has_value()};
}

void Executor::Tell(const Aftermath& aftermath) {
  if (aftermath.job_ended) job_ended_();
  if (aftermath.order_moved) order_moved_();
  for (const std::string& failure : aftermath.failures) observer_.Log(Level::kWarning, failure);
  for (const auto& [kind, outcome] : aftermath.transfers) observer_.TransferMoved(kind, outcome);
  for (const auto outcome : aftermath.renewals) observer_.RenewalMoved(std::string(outcome));
  for (const auto& [step, latency] : aftermath.steps) observer_.StepDone(step, latency);
}

Status Executor::Commit(domain::Changeset changes) {
  const Aftermath aftermath = AftermathOf(changes);
  auto committed = ledger::CommitSound(ledger_, std::move(changes));
  if (committed) Tell(aftermath);
  return committed;
}

void Executor::CommitThen(domain::Changeset changes, const Resume& resume,
                          std::function<void(const Status&)> then) {
  auto behind = [this, aftermath = AftermathOf(changes), then = std::move(then)](const Status& committed) {
    if (committed) Tell(aftermath);
    then(committed);
  };
  ledger::CommitSoundLater(
      ledger_, std::move(changes), [resume, behind = std::move(behind)](Status committed) mutable {
        resume([behind = std::move(behind), committed = std::move(committed)] { behind(committed); });
      });
}

struct Executor::Settling {
  const Deciding decide;
  const std::string what;
  const Resume resume;
  const std::function<void(bool)> end;
  int attempts = 0;
};

void Executor::Settle(Deciding decide, std::string what, Resume resume, std::function<void(bool)> end) {
  Attempt(std::make_shared<Settling>(
      Settling{std::move(decide), std::move(what), std::move(resume), std::move(end)}));
}

void Executor::Attempt(const std::shared_ptr<Settling>& it) {
  if (it->attempts++ == kDecisionsMax) {
    observer_.Log(Level::kWarning, it->what + ": the device changes too fast; tried again later");
    return it->end(false);
  }
  const domain::Origin own = domain::OwnOrigin();
  const domain::Context context = Now();
  const auto terms = terms_.Now();
  domain::Case at{own, ledger_, context, terms->policy, *services_.signer};
  if (const Status decided = it->decide(at); !decided) {
    SayLedger(it->what, decided.error());
    return it->end(!IsLedgerFailure(decided.error()));
  }
  if (at.changes.empty()) return it->end(true);
  CommitThen(std::move(at.changes), it->resume, [this, it](const Status& committed) {
    if (!committed && IsStale(committed.error())) return Attempt(it);
    if (!committed) SayLedger(it->what, committed.error());
    it->end(committed.ok());
  });
}

Result<domain::Decision> Executor::DecideFor(const PartyId& party, std::string_view name,
                                             const wire::Command& command, const EventId& cause,
                                             const domain::Context& context) const {
  const CommandRow* row = FindCommand(name);
  REG_CHECK(row != nullptr);
  const auto terms = terms_.Now();
  const auto origin = Dispatcher::Identify(*terms, *row, party, cause);
  if (!origin) return origin.error();
  auto [reply, changes] = dispatcher_.Decide(*terms, *row, command, *origin, context);
  if (!reply) return reply.error();
  return domain::Decision{std::move(changes), std::move(*reply)};
}

Result<domain::Decision> Executor::DecideFor(
    const PartyId& party, const std::function<Result<domain::Reply>(domain::Case&)>& decide,
    const EventId& cause, const domain::Context& context) const {
  const auto terms = terms_.Now();
  const auto known = terms->parties.find(party);
  if (known == terms->parties.end())
    return Error::Make(Code::kNotAuthorised, "party_unknown", "this registry does not know the party");
  const domain::Origin origin{party, known->second, cause};
  domain::Case at{origin, ledger_, context, terms->policy, *services_.signer};
  auto reply = decide(at);
  if (!reply) return reply.error();
  return domain::Decision{std::move(at.changes), std::move(*reply)};
}

Status Executor::SettleFor(const PartyId& party, const std::function<Status(domain::Case&)>& decide) {
  const domain::Origin own = domain::OwnOrigin();
  Status committed = Done{};
  for (int attempt = 0; attempt < kDecisionsMax; ++attempt) {
    const domain::Context context = Now();
    const auto terms = terms_.Now();
    domain::Case at{own, ledger_, context, terms->policy, *services_.signer};
    if (const Status decided = decide(at); !decided) return decided;
    if (at.changes.empty()) return Done{};
    const std::size_t kept = KeptOctets(at.changes);
    committed = Commit(std::move(at.changes));
    if (committed) allowance_.Use(party, kept, context.now);
    if (committed || !IsStale(committed.error())) return committed;
  }
  return committed;
}

}  // namespace registry::ingest
