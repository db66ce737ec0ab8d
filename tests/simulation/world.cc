#include "tests/simulation/world.h"

#include "bridge/ingest/replies.h"
#include "schemas/wire/queries.h"
#include "tests/support/csr_maker.h"
#include "tests/support/test_registry.h"
#include "workers/domain/compose.h"
#include "workers/domain/job_kinds.h"
#include "workers/domain/standing.h"
#include "workers/lifecycle/code_text.h"

namespace registry::simulation {
namespace {

constexpr const char* kZone = "iotregistry.test";
constexpr std::size_t kCsrs = 48;
constexpr std::size_t kOpenMax = 2;

// One key pair and one certificate for all histories: what they are does not matter.
test::SoftwareSigner& TheSigner() {
  static test::SoftwareSigner signer("Issuing CA");
  return signer;
}

// Each over a key of its own. Every third names a key-agreement key beside it, every sixth that of the request before it.
std::vector<std::string> MakeCsrs() {
  std::vector<std::string> csrs;
  test::Key agreement;
  for (std::size_t i = 0; i < kCsrs; ++i) {
    test::CsrOptions options;
    if (i % 3 == 1) agreement = options.agreement = test::NewEcKey();
    if (i % 6 == 2) options.agreement = agreement;
    csrs.push_back(ToBase64(test::MakeCsr(options)));
  }
  return csrs;
}
const std::vector<std::string>& Csrs() {
  static const std::vector<std::string> csrs = MakeCsrs();
  return csrs;
}

csr_sign::Issuer MakeIssuer(const domain::Signer& signer) {
  domain::Policy policy;
  policy.zone = kZone;
  policy.certificate.validity = kValidity;
  auto issuer = csr_sign::Issuer::Create(policy, signer);
  REG_CHECK(issuer.ok());
  return std::move(*issuer);
}

std::map<PartyId, wire::Role> Parties() {
  std::map<PartyId, wire::Role> parties{{*PartyId::Parse(kOperator), wire::Role::kOperator}};
  for (const char* mno : kMnos) parties.emplace(*PartyId::Parse(mno), wire::Role::kMno);
  for (const char* asp : kAsps) parties.emplace(*PartyId::Parse(asp), wire::Role::kAsp);
  return parties;
}

std::string Short(const std::string& id) { return id.substr(0, 8); }

// "registry/v1/to/{party}/…"
std::string PartyOf(const std::string& topic) {
  constexpr std::string_view kTo = "registry/v1/to/";
  const std::string rest = topic.substr(kTo.size());
  return rest.substr(0, rest.find('/'));
}

}  // namespace

namespace {

// There are no lanes here: what a decision puts off behind its commit is run until nothing is left.
template <class Outcome, class Start>
Outcome RunToEnd(Start start) {
  std::deque<std::function<void()>> put_off;
  std::optional<Outcome> outcome;
  start([&](std::function<void()> next) { put_off.push_back(std::move(next)); },
        [&](const Outcome& end) { outcome = end; });
  while (!put_off.empty()) {
    const auto next = std::move(put_off.front());
    put_off.pop_front();
    next();
  }
  REG_CHECK(outcome.has_value());
  return *outcome;
}

}  // namespace

void MeddledLedger::CommitLater(domain::Changeset changes, WhenDone done) {
  ++commits;
  if (fail_next > 0) {
    --fail_next;
    return done(Error::Make(Code::kFailed, ledger::kLedgerFailed, "the disk is full, for once"));
  }
  if (stale_next > 0 && !changes.devices.empty()) {
    --stale_next;
    return done(Error::Make(Code::kFailed, ledger::kStale, "somebody else was first, for once"));
  }
  if (mutation_) mutation_(changes);
  WrappedLedger::CommitLater(std::move(changes), std::move(done));
}

World::World(MeddledLedger::Mutation mutation)
    : signer_(TheSigner()),
      memory_(ledger::OpenMemoryLedger()),
      meddled_(*memory_, std::move(mutation)),
      issuer_(MakeIssuer(signer_)) {
  services_.parties = Parties();
  services_.issuer = &issuer_;
  services_.signer = &signer_;
  services_.kept_per_hour = std::uint64_t{1} << 40;
  services_.random = [this](std::uint8_t* out, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(random_.Roll());
  };
  services_.aside = [this](const PartyId& party, const domain::OutgoingMessage& reply) {
    aside_ = reply.payload;
    CheckRead(party, reply.payload);
  };
  // The one MNO has work in plenty open, the other hardly any.
  services_.policy.retry.own[*PartyId::Parse(kMnos[1])].open_max = kOpenMax;
  services_.policy.zone = kZone;
  services_.policy.certificate.validity = kValidity;
  services_.policy.authorisation.key = Bytes(lifecycle::kCodeKeySize, 9);
  auto& payload = services_.policy.payload;
  payload.bootstrap.registry_profile = "iot-registry-1";
  payload.bootstrap.root_certificate = payload.bootstrap.issuing_certificate = signer_.certificate();
  payload.bootstrap.resolver = {"127.0.0.1", 853, "resolver.test", signer_.certificate(), Bytes(32, 7)};
  payload.bootstrap.trust_anchors = {". IN DS 1 13 2 " + std::string(64, 'A')};
  Restart();
}

const std::string& World::csr(std::size_t number) const { return Csrs()[number]; }
std::size_t World::csrs() { return kCsrs; }

void World::Restart() {
  executor_ = std::make_unique<ingest::Executor>(services_, meddled_, clock, *this, [] {});
  own_ = std::make_unique<ingest::OwnDecisions>(meddled_, clock, *this, *executor_);
  orders_ = std::make_unique<ingest::OrderDecisions>(meddled_, *this, *executor_);
  retention_ = std::make_unique<ledger::Retention>(meddled_, kEventDays);
  // A primary that starts tells what its secondaries show once more.
  to_tell_.clear();
  for (const auto& [device, content] : served) to_tell_.push_back(content);
}

// What the disk refuses is tried again with the next step of this kind.
void World::Forget() {
  const auto before = ledger().LoadMarksKept()->forgotten;
  (void)retention_->Tick(clock.now, CarefulClock::Steady(clock.latest - SteppedClock().latest));
  const auto forgotten = ledger().LoadMarksKept()->forgotten - before;
  if (forgotten > 0) Note("forgotten: " + std::to_string(forgotten));
}

// Of the faults that steps order the registry complains; everything else it calls an error is one.
void World::Log(int level, const std::string& line) {
  const bool ordered = line.find(ledger::kLedgerFailed) != std::string::npos;
  if (level >= 3 && !ordered) Fault("the registry says: " + line);
}

Answer World::Ask(const std::string& party, const std::string& command, const nlohmann::json& data) {
  const nlohmann::json envelope = {{"specversion", "1.0"},
                                   {"id", "sim-" + std::to_string(next_id_++)},
                                   {"source", party},
                                   {"type", "registry.v1." + command},
                                   {"time", ToRfc3339(clock.now)},  // no clock is more than a day apart
                                   {"data", data}};
  return Say({"registry/v1/from/" + party + "/" + command, envelope.dump(), {}, {}});
}

// As bridge/ingest/pipeline.cc: Handle, and what it hands to the lanes or to those that leave no mark.
Answer World::Say(const ingest::InboundMessage& message) {
  auto request = ingest::Parse(message);
  if (!request) {
    domain::Changeset changes;
    changes.dead_letters.push_back({clock.now, message.topic, message.payload, request.error().symbol});
    REG_CHECK(memory_->Commit(std::move(changes)).ok());
    Note("dead letter");
    return {"dead_letter", false, request.error().symbol, {}, {}};
  }
  if (!request->id) return Refuse(*request);
  return request->reads() ? Read(*request) : Execute(*request, message);
}

Answer World::Refuse(const ingest::Request& request) {
  domain::Changeset changes;
  changes.messages.push_back(ingest::Rejected(request, *request.refusal, executor_->Now()));
  REG_CHECK(memory_->Commit(std::move(changes)).ok());
  Answer answer{"unmarked", false, request.refusal->symbol, {}, {}};
  Relay(&answer);
  Note(request.topic.party.text() + " " + request.topic.command + ": refused " + answer.symbol);
  return answer;
}

ingest::Verdict World::Answered(const ingest::Request& request) {
  return RunToEnd<ingest::Verdict>([&](auto resume, auto end) { executor_->Answer(request, {resume, end}); });
}

// A query is answered beside the outbox, once, and nothing is written.
Answer World::Read(const ingest::Request& request) {
  aside_.clear();
  const std::size_t commits = meddled_.commits;
  const ingest::Verdict verdict = Answered(request);
  if (aside_.empty()) Fault("read: " + request.topic.command + " is not answered");
  if (meddled_.commits != commits) Fault("read: " + request.topic.command + " writes");
  if (verdict.outcome == "accepted") ++reads[request.topic.command];
  Note(request.topic.party.text() + " " + request.topic.command + ": " + verdict.outcome +
       (verdict.symbol.empty() ? "" : " " + verdict.symbol));
  return {verdict.outcome, verdict.outcome == "accepted", verdict.symbol, aside_, {}};
}

Answer World::Execute(const ingest::Request& request, const ingest::InboundMessage& message) {
  // Whoever said it again, and why: its reply is the one that was given then.
  const bool again = memory_->FindEvent(request.topic.party, *request.id)->has_value();
  repeating = repeating || again;
  const ingest::Verdict verdict = Answered(request);
  Answer answer{verdict.outcome, false, verdict.symbol, {}, {}};
  Relay(&answer);
  if (again) repeating = false;
  if (verdict.failed()) left_over_.push_back(message);
  const bool said = !answer.payload.empty();
  if (said == verdict.failed()) Fault(verdict.outcome + (said ? ", and answered" : ", and not answered"));
  const std::string party = request.topic.party.text();
  Note(party + " " + request.topic.command + ": " + verdict.outcome +
       (answer.symbol.empty() ? "" : " " + answer.symbol));
  sent.push_back({message, party, request.topic.command, nlohmann::json::parse(message.payload),
                  answer.payload, verdict.outcome});
  return answer;
}

void World::SayLeftOver() {
  for (std::size_t left = left_over_.size(); left > 0; --left) {
    const ingest::InboundMessage message = std::move(left_over_.front());
    left_over_.pop_front();
    Say(message);
  }
}

void World::SettleDue() {
  for (const domain::Job& job : own_->Due()) {
    Note("due: " + std::string(domain::JobKindName(job.kind)) + " of " + Short(job.device().text()) +
         ", attempt " + std::to_string(job.attempt));
    (void)RunToEnd<bool>([&](auto resume, auto end) { own_->SettleDue(job, resume, end); });
  }
  Relay(nullptr);
}

// As bridge/ingest/renewals.cc: a round through the index.
void World::LookForRenewals() {
  const auto page = own_->EndingSoon(std::nullopt, ~std::size_t{0});
  if (!page) return;
  for (const DeviceId& device : page->due) {
    Note("ends soon: " + Short(device.text()));
    (void)RunToEnd<lifecycle::RenewalStanding>(
        [&](auto resume, auto end) { own_->SettleRenewal(device, resume, end); });
  }
  Relay(nullptr);
}

// As bridge/ingest/order_runner.cc: what is not kept, or has moved, is looked at again another time.
void World::CarryOrdersOn(std::size_t most) {
  const auto open = orders_->Open();
  REG_CHECK(open.ok());
  for (domain::Order order : *open) {
    if (order.state != domain::OrderState::kRunning) continue;
    const auto page = orders_->Next(order, order.cursor);
    REG_CHECK(page.ok());
    if (page->empty()) orders_->SettleEnd(order);
    for (std::size_t i = 0; i < std::min(most, page->size()); ++i) {
      const auto& at = (*page)[i];
      if (orders_->SettleItem(order, at) != ingest::OrderDecisions::Settled::kDecided) break;
      Note("order of " + order.owner.text() + ": " + Short(at.device.text()));
      order.cursor = at;
    }
  }
  Relay(nullptr);
}

void World::ServeZone(std::size_t most) {
  auto entries = meddled_.OutboxAfter(ledger::Sink::kZone, zone_read_, most, std::chrono::milliseconds(0));
  REG_CHECK(entries.ok());
  for (const ledger::OutboxEntry& entry : *entries) {
    const auto& change = std::get<domain::ZoneChange>(entry.item);
    served[change.device.text()] = change;
    seen.push_back(change);
    to_tell_.push_back(change);
    zone_read_ = entry.seq;
    Note("served: " + Short(change.device.text()) + " revision " + std::to_string(change.revision) +
         (change.tlsa.empty() ? " without TLSA" : ""));
  }
}

void World::TellZone() {
  while (!to_tell_.empty()) {
    if (!TellVisible(to_tell_.front())) return;
    to_tell_.pop_front();
  }
  REG_CHECK(memory_->Advance(ledger::Sink::kZone, {zone_read_, ""}, false).ok());
}

bool World::TellVisible(const domain::ZoneChange& change) {
  Note("visible: " + Short(change.device.text()) + " revision " + std::to_string(change.revision));
  const bool good = RunToEnd<bool>([&](auto resume, auto end) { own_->SettleVisible(change, resume, end); });
  Relay(nullptr);
  return good;
}

// Everything new in the outbox goes to whom it is for; `answer` takes the reply.
void World::Relay(Answer* answer) {
  auto entries =
      meddled_.OutboxAfter(ledger::Sink::kMqtt, relayed_, ~std::size_t{0}, std::chrono::milliseconds(0));
  REG_CHECK(entries.ok());
  for (const ledger::OutboxEntry& entry : *entries) {
    relayed_ = entry.seq;
    if (const auto* item = std::get_if<ledger::FeedItem>(&entry.item)) {
      Hear(*item);
      Deliver(domain::Render(item->notification, item->seq), nullptr);
    } else {
      auto message = std::get<domain::OutgoingMessage>(entry.item);
      for (const Known& one : known) {
        if (message.payload.find(one.code) != std::string::npos)
          Fault("an authorisation code is kept in clear");
      }
      lifecycle::FillInCode(services_.policy.authorisation.key, message);
      Deliver(message, answer);
    }
  }
  REG_CHECK(memory_->Advance(ledger::Sink::kMqtt, {relayed_, ""}, false).ok());
}

void World::Hear(const ledger::FeedItem& item) {
  ledger::Seq& last = heard[item.notification.to.text()];
  if (item.seq != last + 1) {
    Fault("feed: " + item.notification.to.text() + " hears " + std::to_string(item.seq) + " after " +
          std::to_string(last));
  }
  last = item.seq;
}

void World::Deliver(const domain::OutgoingMessage& message, Answer* answer) {
  const std::string party = PartyOf(message.topic);
  const auto envelope = nlohmann::json::parse(message.payload);
  CheckPrivacy(message);
  CheckAudience(party, envelope);
  Learn(party, envelope);
  const std::string type = envelope.at("type");
  const bool accepted = type.ends_with(".accepted");
  // "transfer.rejected" is no reply.
  const bool reply = !type.starts_with("registry.v1.event.") && (accepted || type.ends_with(".rejected"));
  if (answer == nullptr || !reply) return;
  answer->accepted = accepted;
  answer->data = envelope.at("data");
  answer->payload = message.payload;
  if (!accepted) answer->symbol = answer->data.value("symbol", "");
}

void World::Learn(const std::string& party, const nlohmann::json& envelope) {
  const std::string type = envelope.at("type");
  const nlohmann::json& data = envelope.at("data");
  constexpr std::string_view kDo = "registry.v1.do.";
  if (type.starts_with(kDo) && !type.ends_with("ed")) {
    const std::string action = type.substr(kDo.size());
    told.push_back({data.at("job"), data.at("device"), party, action});
    Note("to " + party + ": " + action + " " + Short(data.at("device")));
  } else if (type == "registry.v1.csr.submit.accepted") {
    issued.insert(*FromHex(data.at("serial").get<std::string>()));
  } else if (type == "registry.v1.esim.register.accepted") {
    const std::string device = data.at("device");
    const auto same = [&](const Known& one) { return one.device == device; };
    if (std::none_of(known.begin(), known.end(), same) && data.contains("authorisationCode")) {
      known.push_back({device, party, data.at("authorisationCode")});
    }
  } else if (type == "registry.v1.authorisation.set.accepted" && data.at("purpose") == "claim") {
    for (Known& one : known) {
      if (one.device == data.at("device")) one.code = data.at("authorisationCode");
    }
  } else if (type.starts_with("registry.v1.event.")) {
    Note("to " + party + ": " + type.substr(12) + " " + Short(data.value("device", data.value("order", ""))));
  }
}

// Who hears of a device: its sponsor, its claimer, and in replies the operator.
void World::CheckAudience(const std::string& party, const nlohmann::json& envelope) {
  const nlohmann::json& data = envelope.at("data");
  const std::string type = envelope.at("type");
  const bool event = type.starts_with("registry.v1.event.");
  if (!data.contains("device") || (!event && type.ends_with(".rejected"))) return;
  const std::string id = data.at("device");
  auto device = meddled_.LoadDevice(*DeviceId::Parse(id));
  REG_CHECK(device.ok());
  if (!*device) return Fault(type + " names a device that is none: " + id);
  const auto& transfer = (*device)->transfer;
  const bool of_transfer = type.find("transfer.") != std::string::npos && transfer &&
                           (transfer->from.text() == party || transfer->to.text() == party);
  const bool own = domain::Sponsor(**device).text() == party || of_transfer ||
                   domain::HasShare(**device, *PartyId::Parse(party));
  const bool reply = type.ends_with(".accepted");
  if (repeating) return;  // the same octets as when the device was its own
  // Who has just let it go hears that it has.
  const auto& bindings = (*device)->bindings;
  const bool had = std::any_of(bindings.begin(), bindings.end(),
                               [&](const domain::Binding& one) { return one.asp.text() == party; });
  if (had && type.find("device.release") != std::string::npos) return;
  if (!own && !(reply && party == kOperator)) Fault("audience: " + party + " hears " + type + " of " + id);
}

// Neither EID nor ICCID is ever said (schemas/ids/ids.h).
void World::CheckPrivacy(const domain::OutgoingMessage& message) {
  for (std::size_t i = 1; i <= kEsims; ++i) {
    const bool said = message.payload.find(test::EidOf(i)) != std::string::npos ||
                      message.payload.find(test::IccidOf(i)) != std::string::npos;
    if (said) Fault("privacy: an EID or ICCID stands in a message to " + PartyOf(message.topic));
  }
}

// A party reads of its own devices, the operator of all; EID and ICCID go to the sponsor alone.
void World::CheckRead(const PartyId& party, const std::string& payload) {
  const auto devices = meddled_.DevicesAfter(std::nullopt, ~std::size_t{0});
  std::set<std::string> own_esims;
  for (const domain::Device& device : *devices) {
    if (domain::Sponsor(device) == party)
      own_esims.insert({device.eid.text(), domain::IccidOf(device).text()});
    for (const domain::Profile& profile : device.profiles) {
      if (profile.mno == party) own_esims.insert(profile.iccid.text());
    }
    const bool lists_transfers = payload.find(R"("transfers":)") != std::string::npos && device.transfer &&
                                 (device.transfer->from == party || device.transfer->to == party);
    const bool own = domain::Sponsor(device) == party || domain::HasShare(device, party) || lists_transfers ||
                     party.text() == kOperator;
    const bool says = payload.find(R"("device":")" + device.id.text()) != std::string::npos;
    if (says && !own) Fault("audience: " + party.text() + " reads of " + device.id.text());
  }
  for (std::size_t i = 1; i <= kEsims; ++i) {
    for (const std::string& esim : {test::EidOf(i), test::IccidOf(i)}) {
      const bool says = payload.find(esim) != std::string::npos;
      if (says && !own_esims.contains(esim)) Fault("privacy: " + party.text() + " reads an EID or ICCID");
    }
  }
}

}  // namespace registry::simulation
