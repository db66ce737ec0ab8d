#include "tests/simulation/steps.h"

#include "tests/simulation/transfer_steps.h"
#include "tests/support/sealed.h"
#include "tests/support/test_registry.h"
#include "workers/domain/job_kinds.h"
#include "workers/domain/lifecycle.h"
#include "workers/domain/standing.h"
#include "workers/lifecycle/code_text.h"

namespace registry::simulation {
namespace {

using nlohmann::json;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::size_t kLatest = 3;       // devices or jobs that most steps are about
constexpr std::size_t kRemembered = 40;  // commands that may come again

std::string AnyMno(Dice& dice) { return kMnos[dice.Below(std::size(kMnos))]; }
std::string AnyAsp(Dice& dice) { return kAsps[dice.Below(std::size(kAsps))]; }
std::string Anybody(Dice& dice) {
  const std::size_t which = dice.Below(5);
  return which == 0 ? kOperator : which < 3 ? AnyMno(dice) : AnyAsp(dice);
}

template <class T>
const T* Recent(const std::vector<T>& all, std::size_t latest, Dice& dice) {
  if (all.empty()) return nullptr;
  // Mostly one of the latest, now and then one from long ago.
  const std::size_t among = dice.Chance(75) ? std::min(latest, all.size()) : all.size();
  return &all[all.size() - 1 - dice.Below(among)];
}

Known Device(World& world, Dice& dice) {
  const Known* known = Recent(world.known, kEsims, dice);
  if (known != nullptr) return *known;
  return {"00000000-0000-4000-8000-000000000000", "mno-a", "no code"};  // nobody's
}

// The device's own MNO, or now and then the other one.
std::string Sponsor(World& world, const Known& known, Dice& dice) {
  const auto device = world.ledger().LoadDevice(*DeviceId::Parse(known.device));
  if (!dice.Chance(92)) return AnyMno(dice);
  return *device ? domain::Sponsor(**device).text() : known.mno;
}

// Who may manage the device: its claimer, or whoever tries.
std::string Manager(World& world, const Known& known, Dice& dice) {
  if (dice.Chance(20)) return kOperator;
  const auto device = world.ledger().LoadDevice(*DeviceId::Parse(known.device));
  const bool claimed = *device && domain::Claimer(**device) && dice.Chance(90);
  return claimed ? domain::Claimer(**device)->text() : AnyAsp(dice);
}

void Register(World& world, Dice& dice) {
  const std::size_t eid = 1 + dice.Below(kEsims);
  const std::size_t iccid = dice.Chance(90) ? eid : 1 + dice.Below(kEsims);
  world.Ask(AnyMno(dice), "esim.register", {{"eid", test::EidOf(eid)}, {"iccid", test::IccidOf(iccid)}});
}

void Attach(World& world, Dice& dice) {
  const Known device = Device(world, dice);
  world.Ask(Sponsor(world, device, dice), "device.attach", {{"device", device.device}});
}

json JobOf(World& world, const Known& device, Dice& dice) {
  std::vector<Told> own;
  for (const Told& told : world.told) {
    if (told.device == device.device && told.action == "key.generate") own.push_back(told);
  }
  if (own.empty() || dice.Chance(8)) own = world.told;  // another's, or of another kind
  if (own.empty()) return nullptr;
  return dice.Chance(85) ? own.back().job : dice.Pick(own).job;
}

void SubmitCsr(World& world, Dice& dice) {
  const Known device = Device(world, dice);
  json data = {{"device", device.device}, {"csr", world.csr(dice.Below(World::csrs()))}};
  const json job = JobOf(world, device, dice);
  if (!job.is_null() && dice.Chance(85)) data["job"] = job;
  world.Ask(Sponsor(world, device, dice), "csr.submit", data);
}

void PublishEndpoint(World& world, Dice& dice) {
  const std::string asp = AnyAsp(dice);
  const std::string host = dice.Chance(95) ? "mqtt." + asp + ".test" : "localhost";
  const std::string port = std::to_string(8883 + dice.Below(3));
  world.Ask(asp, "endpoint.publish",
            {{"endpoint",
              {{"name", dice.Chance(80) ? "main" : "other"},
               {"fqdn", host},
               {"url", "tls://" + host + ":" + port},
               {"port", std::stoi(port)},
               {"protocol", "tls"},
               {"trust", {{"kind", "tlsa"}, {"tlsaOwner", "_" + port + "._tcp." + host}}}}}});
}

void Claim(World& world, Dice& dice) {
  const Known device = Device(world, dice);
  const std::string code = dice.Chance(92) ? device.code : std::string(32, '0');
  world.Ask(AnyAsp(dice), "device.claim",
            {{"device", device.device},
             {"authorisationCode", code},
             {"endpoint", dice.Chance(92) ? "main" : "other"}});
}

void Manage(World& world, Dice& dice, const char* command) {
  const Known device = Device(world, dice);
  world.Ask(Manager(world, device, dice), command, {{"device", device.device}, {"reason", "history"}});
}
void Deactivate(World& world, Dice& dice) {
  if (dice.Chance(75)) return Manage(world, dice, "device.deactivate");
  const Known device = Device(world, dice);
  world.Ask(Manager(world, device, dice), "device.deactivate",
            {{"device", device.device}, {"reason", "lost"}, {"disconnect", true}});
}
void Disconnect(World& world, Dice& dice) { Manage(world, dice, "device.disconnect"); }
void Reconnect(World& world, Dice& dice) { Manage(world, dice, "device.reconnect"); }
void Release(World& world, Dice& dice) { Manage(world, dice, "device.release"); }
void Restore(World& world, Dice& dice) { Manage(world, dice, "device.restore"); }
// Each role has its own hold.
void Hold(World& world, Dice& dice, const char* command) {
  const Known device = Device(world, dice);
  const std::string party = dice.Chance(40) ? Sponsor(world, device, dice) : Manager(world, device, dice);
  world.Ask(party, command, {{"device", device.device}});
}
void Suspend(World& world, Dice& dice) { Hold(world, dice, "device.suspend"); }
void Resume(World& world, Dice& dice) { Hold(world, dice, "device.resume"); }
void Detach(World& world, Dice& dice) {
  const Known device = Device(world, dice);
  world.Ask(Sponsor(world, device, dice), "device.detach", {{"device", device.device}});
}
void Move(World& world, Dice& dice) {
  const Known device = Device(world, dice);
  world.Ask(Manager(world, device, dice), "device.move",
            {{"device", device.device}, {"endpoint", dice.Chance(60) ? "other" : "main"}});
}
void Reactivate(World& world, Dice& dice) { Manage(world, dice, "device.reactivate"); }
void Delete(World& world, Dice& dice) { Manage(world, dice, "device.delete"); }

void Rekey(World& world, Dice& dice) {
  const Known device = Device(world, dice);
  const std::string party = dice.Chance(40) ? Sponsor(world, device, dice) : Manager(world, device, dice);
  world.Ask(party, "device.rekey",
            {{"device", device.device}, {"reason", dice.Chance(30) ? "keyCompromise" : "history"}});
}
void LookForRenewals(World& world, Dice&) { world.LookForRenewals(); }

// Of a job just told, of an old one (late), of another device's (wrong), by another MNO (foreign).
void Report(World& world, Dice& dice, const char* command, json data) {
  const Told* told = Recent(world.told, kLatest, dice);
  if (told == nullptr) return;
  data["job"] = told->job;
  data["device"] = dice.Chance(95) ? told->device : Device(world, dice).device;
  world.Ask(dice.Chance(95) ? told->mno : AnyMno(dice), command, data);
}

void Progress(World& world, Dice& dice) {
  static const std::vector<std::string> stages = {"queued", "submitted", "delivered", "waiting_device",
                                                  "retry"};
  Report(world, dice, "do.progress", {{"progress", 1 + dice.Below(6)}, {"stage", dice.Pick(stages)}});
}
void Succeed(World& world, Dice& dice) { Report(world, dice, "do.result", {{"outcome", "success"}}); }
void Fail(World& world, Dice& dice) {
  Report(
      world, dice, "do.result",
      {{"outcome", "failed"}, {"stage", "radio"}, {"reason", "no_signal"}, {"retriable", dice.Chance(60)}});
}
void NotKnown(World& world, Dice& dice) { Report(world, dice, "do.result", {{"outcome", "unknown"}}); }

void Replay(World& world, Dice& dice) {
  world.repeating = true;  // who let a device go is told once more what it was told
  world.Ask(Anybody(dice), "feed.replay", {{"fromSeq", 1 + dice.Below(5)}});
  world.repeating = false;
}
void Acknowledge(World& world, Dice& dice) {
  const std::string party = Anybody(dice);
  const ledger::Seq last = world.heard[party];
  world.Ask(party, "feed.ack", {{"seq", dice.Chance(90) ? dice.Below(last + 1) : last + 3}});
}

void ReadDevice(World& world, Dice& dice) {
  const Known device = Device(world, dice);
  const std::string party = dice.Chance(60) ? device.mno : Anybody(dice);
  world.Ask(party, dice.Chance(50) ? "device.get" : "device.trace", {{"device", device.device}});
}
void ListDevices(World& world, Dice& dice) {
  json data = json::object();
  if (dice.Chance(40)) data["state"] = dice.Chance(50) ? "active" : "deactivated";
  world.Ask(Anybody(dice), "device.list", data);
}

void StartOrder(World& world, Dice& dice) {
  json selection = json::object();
  if (dice.Chance(40)) selection["state"] = dice.Chance(50) ? "active" : "registered";
  const std::string party = Anybody(dice);
  if (selection.empty() && dice.Chance(30) && party != kOperator) selection["endpoint"] = "main";
  world.Ask(party, "order.start",
            {{"kind", "deactivate"}, {"selection", selection}, {"dryRun", dice.Chance(50)}});
}
// The same once more: the same answer, unless it was "later".
void SayAgain(World& world, const Sent first) {
  const auto mark = world.ledger().FindEvent(*PartyId::Parse(first.party),
                                             *EventId::Parse(first.envelope.at("id").get<std::string>()));
  const Answer again = world.Say(first.message);
  const auto time = ingest::Parse(first.message)->time;
  if (!*mark && time && ledger::MayBeForgotten(*time, *world.ledger().LoadMarksKept()) &&
      again.outcome == "accepted")
    return world.Fault("repeat: executed, and it may have been executed before");
  if (!*mark || again.outcome == "failed") return;
  // What was put off may have been contradicted before it came again.
  const bool same = !ingest::FirstDifference((*mark)->digests, ingest::Parse(first.message)->digests);
  if (again.outcome != (same ? "duplicate" : "conflict")) return world.Fault("repeat: " + again.outcome);
  domain::OutgoingMessage told = (*mark)->reply;
  lifecycle::FillInCode(world.services().policy.authorisation.key, told);
  if (same && again.payload != told.payload) world.Fault("repeat: another answer than the first time");
}

// Somebody's order, its owner's or somebody else's to touch.
void TouchOrder(World& world, Dice& dice) {
  const auto orders = world.ledger().OrdersOf(std::nullopt);
  if (orders->empty()) return;
  static const std::vector<std::string> commands = {"order.pause",  "order.pause",  "order.resume",
                                                    "order.resume", "order.cancel", "order.get",
                                                    "order.report"};
  const domain::Order& order = (*orders)[dice.Below(orders->size())];
  world.Ask(dice.Chance(80) ? order.owner.text() : Anybody(dice), dice.Pick(commands),
            {{"order", order.id.text()}});
  if (dice.Chance(30) && !world.sent.empty()) SayAgain(world, world.sent.back());
}
// Mostly one that nobody is bound to.
void WithdrawEndpoint(World& world, Dice& dice) {
  world.Ask(AnyAsp(dice), "endpoint.withdraw", {{"name", dice.Chance(80) ? "other" : "main"}});
  if (dice.Chance(30) && !world.sent.empty()) SayAgain(world, world.sent.back());
}
void SetWifi(World& world, Dice& dice) {
  const Known device = Device(world, dice);
  json data{{"device", device.device}};
  if (dice.Chance(80)) data["wifi"] = {{"ssid", "plant"}, {"sealedPassphrase", test::kSealedPassphrase}};
  world.Ask(Manager(world, device, dice), "wifi.set", data);
  if (dice.Chance(30) && !world.sent.empty()) SayAgain(world, world.sent.back());
}
// What takes no argument.
void ReadOwn(World& world, Dice& dice) {
  static const std::vector<std::string> commands = {"endpoint.list", "order.list", "quota.get"};
  world.Ask(AnyAsp(dice), dice.Pick(commands), json::object());
}
void AnswerAndMaybeAgain(World& world, Dice& dice) {
  AnswerTransfer(world, dice);
  if (dice.Chance(40) && !world.sent.empty()) SayAgain(world, world.sent.back());
}
// The last command once more: what is rare has no luck of its own to be repeated.
void RepeatTheLast(World& world, Dice&) {
  if (!world.sent.empty()) SayAgain(world, world.sent.back());
}
void CarryOrdersOn(World& world, Dice& dice) { world.CarryOrdersOn(1 + dice.Below(3)); }

void Repeat(World& world, Dice& dice) {
  if (const Sent* found = Recent(world.sent, kRemembered, dice)) SayAgain(world, *found);
}

// The same id with other content.
void Contradict(World& world, Dice& dice) {
  const Sent* found = Recent(world.sent, kRemembered, dice);
  if (found == nullptr) return;
  const Sent first = *found;
  json envelope = first.envelope;
  envelope["time"] = "2026-09-21T00:00:0" + std::to_string(1 + dice.Below(9)) + "Z";
  const auto mark = world.ledger().FindEvent(*PartyId::Parse(first.party),
                                             *EventId::Parse(envelope.at("id").get<std::string>()));
  ingest::InboundMessage message = first.message;
  message.payload = envelope.dump();
  const bool known = *mark && ingest::FirstDifference((*mark)->digests, ingest::Parse(message)->digests);
  const std::size_t before = world.known.size();
  const Answer answer = world.Say(message);
  if (known && answer.accepted) world.Fault("contradiction: accepted");
  if (known && world.known.size() != before) world.Fault("contradiction: executed");
  // It is no command of its own: what may be repeated is the first one.
  if (!world.sent.empty() && answer.outcome == "conflict") world.sent.pop_back();
}

void Nonsense(World& world, Dice& dice) {
  static const std::vector<ingest::InboundMessage> all = {
      {"registry/v1/from/mno-a/csr.submit", "{", {}, {}},
      {"registry/v1/from/nobody/device.attach",
       R"({"specversion":"1.0","id":"x","source":"nobody"})",
       {},
       {}},
      {"registry/v1/elsewhere", "{}", {}, {}},
      {"registry/v1/from/asp-a/device.claim", "[]", "registry/v1/to/mno-a/elsewhere", {}},
  };
  if (dice.Chance(60)) {
    world.Say(dice.Pick(all));
  } else {  // of another role, or of no schema
    const Known device = Device(world, dice);
    world.Ask(dice.Chance(50) ? AnyAsp(dice) : AnyMno(dice),
              dice.Chance(50) ? "device.attach" : "device.delete",
              {{"device", device.device}, {"more", dice.Chance(50)}});
  }
}

// The path most devices take, so that histories come as far as the interesting states: whatever the device's state asks for.
void GoOn(World& world, Dice& dice) {
  const Known known = Device(world, dice);
  const auto device = world.ledger().LoadDevice(*DeviceId::Parse(known.device));
  if (!*device) return Register(world, dice);
  if (domain::OnHold(**device) && dice.Chance(50)) {
    world.Ask(kOperator, "device.resume", {{"device", known.device}});
    return;
  }
  if (!domain::Claimer(**device) && dice.Chance(50)) return Claim(world, dice);
  for (const domain::Job& job : *world.ledger().JobsOf((*device)->id)) {
    if (job.kind == domain::JobKind::kZoneVisible) {
      world.ServeZone(100);
      return world.TellZone();
    }
    if (job.unsent) return world.SettleDue();
    if (job.kind == domain::JobKind::kCredentialStep) {
      if (job.due > world.clock.now) world.clock.Move(job.due - world.clock.now);
      return world.SettleDue();
    }
    if (job.kind == domain::JobKind::kTransferDecide) return AnswerTransfer(world, dice);
    if (!job.to) continue;
    const std::string mno = job.to->text();
    json data = {{"job", job.id.text()}, {"device", known.device}};
    if (job.kind == domain::JobKind::kKeyGenerate) {
      data["csr"] = world.csr(dice.Below(World::csrs()));
      world.Ask(mno, "csr.submit", data);
      return;
    }
    data["outcome"] = "success";
    world.Ask(mno, "do.result", data);
    return;
  }
  world.Ask(known.mno, "device.attach", {{"device", known.device}});
}

void Wait(World& world, Dice& dice) { world.clock.Move(seconds(1 + dice.Below(180))); }
void WaitLong(World& world, Dice& dice) { world.clock.Move(minutes(10 + dice.Below(60 * 30))); }
void SetClockBack(World& world, Dice& dice) {
  world.clock.Move(dice.Chance(50) ? -seconds(1 + dice.Below(120)) : -hours(1 + dice.Below(48)));
}
void Tick(World& world, Dice&) { world.SettleDue(); }
void Forget(World& world, Dice&) { world.Forget(); }

void ServeSome(World& world, Dice& dice) { world.ServeZone(1 + dice.Below(2)); }
void TellServed(World& world, Dice&) { world.TellZone(); }
void ServeAndTell(World& world, Dice&) {
  world.ServeZone(100);
  world.TellZone();
}
// Of something every secondary showed once: the registry was told of it before, or will be of a later one.
void TellLate(World& world, Dice& dice) {
  if (!world.seen.empty()) world.TellVisible(world.seen[dice.Below(world.seen.size())]);
}

void Restart(World& world, Dice&) {
  world.Restart();
  world.SayLeftOver();
}
// Killed after the commit and before the intake knew: the next start says the last command once more.
void Crash(World& world, Dice&) {
  if (world.sent.empty()) return;
  const ingest::InboundMessage last = world.sent.back().message;
  world.Restart();
  world.Say(last);
}
void FailDisk(World& world, Dice& dice) { world.meddled().fail_next = static_cast<int>(1 + dice.Below(2)); }
void ComeTooLate(World& world, Dice& dice) {
  world.meddled().stale_next = static_cast<int>(1 + dice.Below(10));
}
void SayAgain(World& world, Dice&) { world.SayLeftOver(); }

}  // namespace

const std::vector<StepKind>& Steps() {
  static const std::vector<StepKind> steps = {
      {"go on", 24, GoOn},
      {"esim.register", 6, Register},
      {"device.attach", 6, Attach},
      {"csr.submit", 7, SubmitCsr},
      {"endpoint.publish", 5, PublishEndpoint},
      {"device.claim", 6, Claim},
      {"device.deactivate", 4, Deactivate},
      {"device.reactivate", 5, Reactivate},
      {"device.delete", 2, Delete},
      {"device.rekey", 4, Rekey},
      {"renewals looked for", 6, LookForRenewals},
      {"device.restore", 2, Restore},
      {"device.suspend", 3, Suspend},
      {"device.resume", 5, Resume},
      {"device.detach", 3, Detach},
      {"device.disconnect", 5, Disconnect},
      {"device.reconnect", 6, Reconnect},
      {"device.move", 3, Move},
      {"device.release", 1, Release},
      {"do.progress", 4, Progress},
      {"do.result success", 6, Succeed},
      {"do.result failed", 4, Fail},
      {"do.result unknown", 3, NotKnown},
      {"authorisation.set", 6, SetCode},
      {"transfer requested", 6, RequestTransfer},
      {"transfer answered", 6, AnswerAndMaybeAgain},
      {"transfers listed", 1, ListTransfers},
      {"profile added", 1, AddProfile},
      {"feed.replay", 1, Replay},
      {"feed.ack", 2, Acknowledge},
      {"device read", 2, ReadDevice},
      {"devices listed", 2, ListDevices},
      {"endpoint.withdraw", 2, WithdrawEndpoint},
      {"wifi.set", 3, SetWifi},
      {"own lists read", 2, ReadOwn},
      {"the last one again", 6, RepeatTheLast},
      {"order started", 3, StartOrder},
      {"order touched", 6, TouchOrder},
      {"orders go on", 4, CarryOrdersOn},
      {"repeat", 6, Repeat},
      {"contradict", 3, Contradict},
      {"nonsense", 1, Nonsense},
      {"wait", 8, Wait},
      {"wait long", 3, WaitLong},
      {"clock back", 2, SetClockBack},
      {"tick", 12, Tick},
      {"forget", 4, Forget},
      {"zone served", 6, ServeSome},
      {"zone told", 4, TellServed},
      {"zone seen", 5, ServeAndTell},
      {"zone told late", 2, TellLate},
      {"restart", 2, Restart},
      {"crash", 2, Crash},
      {"disk fails", 1, FailDisk},
      {"too late", 2, ComeTooLate},
      {"left over", 3, SayAgain},
  };
  return steps;
}

namespace {

// A device whose certificate is to be replaced is asked as long as it lives, whoever is silent.
bool WaitsForEver(const domain::Device& device, domain::JobKind kind) {
  if (domain::Live(device) == nullptr) return false;
  return kind == domain::JobKind::kKeyGenerate || kind == domain::JobKind::kCredentialStep ||
         (kind == domain::JobKind::kPayloadPush && domain::NextCredential(device) != nullptr);
}

bool AnythingWaits(const World& world) {
  const auto devices = world.ledger().DevicesAfter(std::nullopt, ~std::size_t{0});
  return std::any_of(devices->begin(), devices->end(), [&](const domain::Device& device) {
    const auto jobs = world.ledger().JobsOf(device.id);
    return std::any_of(jobs->begin(), jobs->end(),
                       [&](const domain::Job& job) { return !WaitsForEver(device, job.kind); });
  });
}

// What waits for a device that is away waits until it is back. Another profile serves when the one that did is deleted, so
// this is not done with once.
void BringBack(World& world) {
  for (const domain::Device& device : *world.ledger().DevicesAfter(std::nullopt, ~std::size_t{0})) {
    if (domain::IsAway(device) && device.state != domain::State::kDeleted)
      world.Ask(domain::Sponsor(device).text(), "device.attach", {{"device", device.id.text()}});
  }
}

}  // namespace

void LetEverythingEnd(World& world) {
  world.meddled().fail_next = world.meddled().stale_next = 0;
  world.SayLeftOver();
  constexpr int kRoundsMax = 40;
  for (int round = 0; round < kRoundsMax; ++round) {
    BringBack(world);
    world.ServeZone(~std::size_t{0});
    world.TellZone();
    world.clock.Move(hours(25));
    world.SettleDue();
    if (!AnythingWaits(world)) return;
  }
  world.Fault("end: something waits for ever");
}

}  // namespace registry::simulation
