#include "bridge/ctl/device_commands.h"

#include <cctype>
#include <iostream>

#include "bridge/app/config.h"
#include "bridge/clock.h"
#include "bridge/ctl/describe_device.h"
#include "bridge/ctl/device_argument.h"
#include "workers/lifecycle/explain.h"
#include "workers/lifecycle/reads.h"
#include "workers/lifecycle/renewal_told.h"

namespace registry::ctl {
namespace {

constexpr std::size_t kPage = 1000;

domain::Policy PolicyIn(const app::Config& config) {
  domain::Policy policy;
  policy.retry = config.retry;
  policy.renewal = config.renewal;
  policy.certificate.validity = config.pki.validity();
  return policy;
}

// How often who is asked, as registryd knows it; without a configuration, its defaults.
domain::Policy PolicyOf(const ReadOptions& options) {
  return options.config.empty() ? domain::Policy() : PolicyIn(OrFail(app::LoadConfig(options.config)));
}

// When certificates are renewed. Of a configuration with faults only where the ledger is was read: devices are shown all the
// same, without their times, and why is said.
std::optional<domain::Policy> RenewalsOf(const ReadOptions& options) {
  if (options.config.empty()) return domain::Policy();
  const auto config = app::LoadConfig(options.config);
  if (config) return PolicyIn(*config);
  std::cerr << "registryctl: no device's renews_at is known: " << config.error().message << '\n';
  return std::nullopt;
}

// From when on it is asked for another key; empty where it is not, or where that is not known.
std::string RenewsAt(const domain::Device& device, const std::optional<domain::Policy>& policy) {
  const auto at = policy ? lifecycle::RenewsAt(device, policy->certificate, policy->renewal) : std::nullopt;
  return Text(at.value_or(UtcTime{}));
}

Json Summary(const domain::Device& device, const std::optional<domain::Policy>& policy) {
  Json out = Whose(domain::BriefOf(device));
  out["renews_at"] = RenewsAt(device, policy);
  out["updated"] = Text(device.updated);
  return out;
}

void Show(const ReadOptions& options, const std::string& text) {
  const DeviceId id = DeviceArgument(text);
  const OpenLedger ledger(options);
  const auto policy = RenewalsOf(options);
  const auto device = OrFail(ledger->LoadDevice(id));
  if (!device) Fail("there is no device " + id.text());
  Json out = Describe(*device, OrFail(ledger->JobsOf(id)), options.reveal);
  out["renews_at"] = RenewsAt(*device, policy);
  Print(out, options.json);
}

// Which devices a list names; everything is text as it came.
struct Wanted {
  std::string state, party, endpoint, expires_before;
};

// The index says when a certificate ends, and only the device since when it is valid.
Json Brief(const domain::DeviceBrief& brief, const ledger::LedgerReader& ledger,
           const std::optional<domain::Policy>& policy) {
  Json out = Whose(brief);
  out["expires"] = Text(brief.expires);
  const bool certified = brief.expires != UtcTime{};
  const auto device = certified ? OrFail(ledger.LoadDevice(brief.id)) : std::nullopt;
  out["renews_at"] = device ? RenewsAt(*device, policy) : "";
  return out;
}

template <class Value>
std::optional<Value> Parsed(const std::string& text, std::optional<Value> (*parse)(std::string_view),
                            const char* what) {
  if (text.empty()) return std::nullopt;
  auto value = parse(text);
  if (!value) FailWrong("'" + text + "' is not " + what);
  return value;
}

// From the index: the narrowest group, and of its devices those that fit the rest.
void ListSome(const ReadOptions& options, const Wanted& wanted) {
  const auto state = Parsed(wanted.state, domain::StateOf, "a state");
  const auto party = Parsed(wanted.party, PartyId::Parse, "the name of a party");
  const auto endpoint = Parsed(wanted.endpoint, EndpointName::Parse, "the name of an endpoint");
  const auto before = Parsed(wanted.expires_before, FromRfc3339, "a time such as 2027-01-31T00:00:00Z");
  if (party && state == domain::State::kDeleted)
    FailWrong("a deleted device is no party's any more: --state deleted goes without --party");
  const auto group = before  ? domain::DeviceGroup::ByExpiry(party)
                     : state ? domain::DeviceGroup::In(*state, party)
                             : domain::DeviceGroup::Of(party);
  const OpenLedger ledger(options);
  const auto policy = RenewalsOf(options);
  Rows rows(options.json);
  std::optional<domain::DevicePosition> after;
  for (;;) {
    const auto page = OrFail(ledger->DevicesIn(group, after, before, kPage));
    if (page.empty()) break;
    Json printed = Json::array();
    for (const auto& device : page) {
      if ((!state || device.state == *state) && (!endpoint || device.endpoint == endpoint))
        printed.push_back(Brief(device, *ledger, policy));
    }
    rows.Add(printed);
    after = domain::PositionIn(group.kind, page.back());
  }
  rows.EndOf(wanted.party, options, "there is no such device");
}

void List(const ReadOptions& options, const Wanted& wanted) {
  if (!(wanted.state + wanted.party + wanted.endpoint + wanted.expires_before).empty())
    return ListSome(options, wanted);
  const OpenLedger ledger(options);
  const auto policy = RenewalsOf(options);
  Rows rows(options.json);
  std::optional<DeviceId> after;
  for (;;) {
    const auto page = OrFail(ledger->DevicesAfter(after, kPage));
    if (page.empty()) break;
    Json printed = Json::array();
    for (const auto& device : page) printed.push_back(Summary(device, policy));
    rows.Add(printed);
    after = page.back().id;
  }
  rows.End("no device was ever registered");
}

// What device.trace tells a party.
void Explain(const ReadOptions& options, const std::string& text) {
  const DeviceId id = DeviceArgument(text);
  const OpenLedger ledger(options);
  const auto policy = PolicyOf(options);
  const auto device = OrFail(ledger->LoadDevice(id));
  if (!device) Fail("there is no device " + id.text());
  const auto waits = lifecycle::WaitsOf(OrFail(ledger->JobsOf(id)), policy);
  Json out{{"device", id.text()},
           {"state", domain::StateName(device->state)},
           {"says", lifecycle::Explain(*device, waits, SystemClock().Now())}};
  out["steps"] = Json::array();
  for (const auto& step : device->trace) out["steps"].push_back({{"at", Text(step.at)}, {"step", step.step}});
  Print(out, options.json);
}

// Both never leave this program: they are read, looked up and not printed.
struct EsimWanted {
  std::string eid, iccid;
};

// "-": from standard input, where neither the list of processes nor a shell's history sees it.
std::string Identifier(const std::string& text) {
  std::string line = text;
  if (text == "-") std::getline(std::cin, line);
  while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back())) != 0) line.pop_back();
  return line;
}

domain::UniqueValue ValueOf(const EsimWanted& wanted) {
  if (wanted.eid.empty() == wanted.iccid.empty()) FailWrong("name the eSIM with --eid or with --iccid");
  if (!wanted.eid.empty()) {
    const auto eid = Eid::Parse(Identifier(wanted.eid));
    if (!eid) FailWrong("that is no EID: 32 digits, of which the last two are check digits (SGP.29)");
    return {domain::UniqueKind::kEid, AsBytes(eid->text())};
  }
  const auto iccid = Iccid::Parse(Identifier(wanted.iccid));
  if (!iccid) FailWrong("that is no ICCID: 19 or 20 digits, of which the last is a check digit (E.118)");
  return {domain::UniqueKind::kIccid, AsBytes(iccid->text())};
}

void Find(const ReadOptions& options, const EsimWanted& wanted) {
  const auto value = ValueOf(wanted);
  const OpenLedger ledger(options);
  const auto policy = RenewalsOf(options);
  const auto id = OrFail(ledger->FindUnique(value));
  const auto device = id ? OrFail(ledger->LoadDevice(*id)) : std::nullopt;
  if (!device) Fail("no device has this eSIM");
  Print(Summary(*device, policy), options.json);
}

void History(const ReadOptions& options, const std::string& text) {
  const DeviceId id = DeviceArgument(text);
  const OpenLedger ledger(options);
  Json rows = Json::array();
  const auto records = OrFail(ledger->HistoryOf(id));
  if (records.empty()) Fail("there is no history of device " + id.text());
  for (const auto& record : records) {
    rows.push_back({{"seq", record.seq},
                    {"at", Text(record.entry.at)},
                    {"actor", record.entry.actor.text()},
                    {"what", record.entry.what},
                    {"cause", record.entry.cause ? record.entry.cause->text() : ""}});
  }
  Print(rows, options.json);
}

}  // namespace

void AddDeviceCommands(CLI::App& app) {
  // CLI11 keeps references; what they refer to lives as long as the commands' callbacks.
  const auto options = std::make_shared<ReadOptions>();
  const auto device = std::make_shared<std::string>();
  auto* devices = app.add_subcommand("device", "devices of the registry")->require_subcommand(1);
  auto* show = devices->add_subcommand("show", "everything known about one device");
  show->add_option("ID", *device, "device id or name")->required();
  show->add_flag("--reveal", options->reveal, "print EID and ICCID in full");
  show->callback([options, device] { Show(*options, *device); });
  auto* list = devices->add_subcommand("list", "one line per device, deleted ones included");
  const auto wanted = std::make_shared<Wanted>();
  list->add_option("--state", wanted->state, "only devices in this state");
  list->add_option("--party", wanted->party,
                   "only what this party sponsors or has claimed, but for deleted ones");
  list->add_option("--endpoint", wanted->endpoint, "only devices bound to an endpoint of this name");
  list->add_option("--expires-before", wanted->expires_before,
                   "only devices whose certificate ends before this time, the first to end first");
  list->callback([options, wanted] { List(*options, *wanted); });
  auto* find = devices->add_subcommand("find", "the device of an eSIM");
  const auto esim = std::make_shared<EsimWanted>();
  find->add_option("--eid", esim->eid, "its EID, or - to read it from standard input");
  find->add_option("--iccid", esim->iccid, "the ICCID of one of its profiles, or - as above");
  find->callback([options, esim] { Find(*options, *esim); });
  auto* explain =
      devices->add_subcommand("explain", "what is waited for, from whom, and when it is given up");
  explain->add_option("ID", *device, "device id or name")->required();
  explain->callback([options, device] { Explain(*options, *device); });
  auto* history = devices->add_subcommand("history", "what happened to one device");
  history->add_option("ID", *device, "device id or name")->required();
  history->callback([options, device] { History(*options, *device); });
  for (auto* command : {show, list, find, explain, history}) AddReadOptions(*command, *options);
}

}  // namespace registry::ctl
