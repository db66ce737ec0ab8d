#include "bridge/ctl/rehearsal.h"

#include <map>

#include "bridge/app/config.h"
#include "bridge/app/material.h"
#include "bridge/clock.h"
#include "bridge/ingest/dispatch.h"
#include "workers/domain/job_kinds.h"
#include "workers/orders/kinds.h"

namespace registry::ctl {
namespace {

using domain::Changeset;
using ingest::Decided;

constexpr std::size_t kPageOfOrder = 1000;

Json HoldsOf(const domain::Device& device) {
  Json holds = Json::array();
  for (const auto status : device.statuses) holds.push_back(domain::StatusName(status));
  return holds;
}

Json Changed(const domain::Device& after, const ledger::LedgerReader& ledger) {
  Json out{{"device", after.id.text()}};
  const auto before = OrFail(ledger.LoadDevice(after.id));
  if (before) out["state"] = domain::StateName(before->state);
  out["becomes"] = domain::StateName(after.state);
  if (before) out["holds"] = HoldsOf(*before);
  out["holds_become"] = HoldsOf(after);
  return out;
}

// What MNOs are asked for; an action that waits for room is sent when there is some.
Json Asks(const Changeset& changes) {
  Json rows = Json::array();
  for (const auto& job : changes.jobs_put) {
    if (!job.to || !job.wanted) continue;
    rows.push_back({{"party", job.to->text()}, {"action", domain::JobKindName(job.kind)}});
  }
  return rows;
}

Json CalledOff(const Changeset& changes, const ledger::LedgerReader& ledger) {
  Json names = Json::array();
  for (const auto& id : changes.jobs_erase) {
    const auto job = OrFail(ledger.LoadJob(id));
    if (job && job->to) names.push_back(domain::JobKindName(job->kind));
  }
  return names;
}

Json ShownInDns(const domain::ZoneChange& change) {
  Json out{{"device", change.device.text()}, {"tlsa_records", change.tlsa.size()}, {"text", change.note}};
  if (change.tlsa.empty() && change.note.empty()) out["text"] = "the name goes";
  return out;
}

template <class Parts, class Say>
void AddEach(Json& out, const char* name, const Parts& parts, Say say) {
  if (parts.empty()) return;
  out[name] = Json::array();
  for (const auto& part : parts) out[name].push_back(say(part));
}

void AddSome(Json& out, const char* name, Json rows) {
  if (!rows.empty()) out[name] = std::move(rows);
}

void AddChanges(Json& out, const Changeset& changes, const ledger::LedgerReader& ledger) {
  AddEach(out, "devices", changes.devices, [&](const auto& put) { return Changed(put.device, ledger); });
  AddSome(out, "asks", Asks(changes));
  AddSome(out, "calls_off", CalledOff(changes, ledger));
  AddEach(out, "tells", changes.notifications, [](const auto& told) {
    return Json{{"party", told.to.text()}, {"notification", told.type}};
  });
  AddEach(out, "dns", changes.zone, ShownInDns);
  AddEach(out, "revokes", changes.revocations, [](const auto& revoked) {
    return Json{{"serial", ToHex(revoked.serial)}, {"reason", revoked.reason}};
  });
  AddEach(out, "history", changes.history, [](const auto& entry) { return Json(entry.what); });
}

std::set<PartyId> NamesOf(const app::Config& config) {
  std::set<PartyId> names;
  for (const auto& [party, role] : config.parties) names.insert(party);
  return names;
}

std::string Said(const Error& error) { return error.symbol + ": " + error.message; }

}  // namespace

struct Rehearsal::Loaded {
  explicit Loaded(const AskOptions& from)
      : config(OrFail(app::LoadConfig(from.config))),
        party(PartyOf(from)),
        material(OrFail(app::Material::Load(config))),
        terms{config.parties, material.policy},
        ledger(Source(from)),
        feeds(*ledger),
        limits(config.limits, NamesOf(config)) {}

  static PartyId PartyOf(const AskOptions& from) {
    const auto party = PartyId::Parse(from.party);
    if (!party) FailWrong("'" + from.party + "' is not the name of a party");
    return *party;
  }
  static ReadOptions Source(const AskOptions& from) {
    ReadOptions options;
    options.config = from.config;
    return options;
  }

  domain::Origin OriginOf(const ingest::CommandRow& row) {
    auto origin = ingest::Dispatcher::Identify(terms, row, party, *EventId::Parse("dry-run"));
    if (!origin) Fail("it would be refused: " + Said(origin.error()));
    return std::move(*origin);
  }
  Decided Decide(const ingest::CommandRow& row, const ingest::Asked& asked) {
    const domain::Origin origin = OriginOf(row);
    return Case(origin, [&](domain::Case& at) {
      return row.decide(asked, at, {material.issuer.get(), register_guard, feeds, limits});
    });
  }
  Decided Case(const domain::Origin& origin,
               const std::function<Result<domain::Reply>(domain::Case&)>& decide) {
    const domain::Context context{SystemClock().Now(), ingest::FillFromOpenSsl};
    domain::Case at{origin, *ledger, context, terms.policy, *material.signer};
    auto reply = decide(at);
    return {std::move(reply), std::move(at.changes)};
  }
  Decided DecideNamed(std::string_view command, const nlohmann::json& data) {
    const auto* const row = ingest::FindCommand(command);
    if (row == nullptr) FailWrong("'" + std::string(command) + "' is not a command of schemas/README.md");
    const auto asked = row->decode(data);
    if (!asked) return {asked.error()};
    return Decide(*row, *asked);
  }
  // As an item of the order (workers/orders/items.h); no outcome: it would be skipped.
  std::optional<Status> DecideItem(const domain::Order& order, const DeviceId& id) {
    const auto device = OrFail(ledger->LoadDevice(id));
    if (!device || orders::PassesOver(order.kind, *device)) return std::nullopt;
    const auto command = orders::CommandOf(order, id);
    const domain::Origin origin{party, terms.parties.at(party), order.cause};
    const auto decided = command
                             ? Decide(*ingest::FindCommand(orders::CommandName(order.kind)), *command)
                             : Case(origin, [&](domain::Case& at) { return lifecycle::Reprovision(id, at); });
    return decided.reply ? Status(Done{}) : Status(decided.reply.error());
  }

  const app::Config config;
  const PartyId party;
  const app::Material material;
  const ingest::Terms terms;
  const OpenLedger ledger;
  ingest::RegisterGuard register_guard;
  ingest::Feeds feeds;
  ingest::Limits limits;
};

Rehearsal::Rehearsal(const AskOptions& from) : loaded_(std::make_unique<Loaded>(from)) {}
Rehearsal::~Rehearsal() = default;

Json Rehearsal::Decide(std::string_view command, const Json& data) const {
  auto decided = loaded_->DecideNamed(command, data);
  if (!decided.reply) Fail("it would be refused: " + Said(decided.reply.error()));
  Json out{{"dry_run", true}, {"command", command}, {"reply", *decided.reply}};
  AddChanges(out, decided.changes, *loaded_->ledger);
  return out;
}

Json Rehearsal::DecideEach(const Json& data) const {
  const auto started = loaded_->DecideNamed(wire::OrderStart::kName, data);
  if (!started.reply) Fail("it would be refused: " + Said(started.reply.error()));
  const domain::Order& order = started.changes.orders.front().order;
  domain::OrderCounts counts;
  std::map<std::string, std::uint64_t> symbols;
  std::optional<domain::DevicePosition> after;
  for (;;) {
    const auto page = OrFail(loaded_->ledger->DevicesIn(order.selection, after, order.before, kPageOfOrder));
    if (page.empty()) break;
    for (const auto& brief : page) {
      const auto outcome = loaded_->DecideItem(order, brief.id);
      const bool failed = outcome && !*outcome && outcome->error().code == Code::kFailed;
      counts.Add(!outcome   ? domain::ItemOutcome::kSkipped
                 : *outcome ? domain::ItemOutcome::kDone
                 : failed   ? domain::ItemOutcome::kFailed
                            : domain::ItemOutcome::kRefused);
      if (outcome && !*outcome) ++symbols[outcome->error().symbol];
    }
    after = domain::PositionIn(order.selection.kind, page.back());
  }
  return {{"dry_run", true},         {"kind", domain::OrderKindName(order.kind)},
          {"done", counts.done},     {"refused", counts.refused},
          {"failed", counts.failed}, {"skipped", counts.skipped},
          {"symbols", symbols}};
}

}  // namespace registry::ctl
