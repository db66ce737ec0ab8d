#include "bridge/ctl/device_commands.h"

#include "bridge/ctl/ledger_source.h"

namespace registry::ctl {
namespace {

constexpr std::size_t kPage = 1000;

std::string HoldName(domain::HoldStatus hold) {
  switch (hold) {
    case domain::HoldStatus::kPendingTransfer:
      return "pendingTransfer";
    case domain::HoldStatus::kClientHold:
      return "clientHold";
    case domain::HoldStatus::kServerHold:
      return "serverHold";
    case domain::HoldStatus::kTransferProhibited:
      return "transferProhibited";
  }
  return "";
}

// A bare id, or the device's unique name, of which it is the first label.
DeviceId ParseDevice(const std::string& text) {
  const auto id = DeviceId::Parse(text.substr(0, text.find('.')));
  if (!id) FailWrong("'" + text + "' is neither a device id nor a device name");
  return *id;
}

Json Summary(const domain::Device& device) {
  return {{"device", device.id.text()},
          {"state", domain::StateName(device.state)},
          {"sponsor", device.sponsor.text()},
          {"claimer", device.claimer ? device.claimer->text() : ""},
          {"endpoint", device.endpoint ? device.endpoint->text() : ""},
          {"updated", Text(device.updated)}};
}

Json Certificate(const domain::IssuedCertificate& certificate) {
  return {{"serial", ToHex(certificate.serial)},
          {"sha256", ToHex(certificate.sha256)},
          {"spki_sha256", ToHex(certificate.spki_sha256)},
          {"not_before", Text(certificate.not_before)},
          {"not_after", Text(certificate.not_after)}};
}

Json Describe(const domain::Device& device, const std::vector<domain::Job>& jobs, bool reveal) {
  Json out = Summary(device);
  out["version"] = device.version;
  out["eid"] = Masked(device.eid.text(), reveal);
  out["iccid"] = Masked(device.iccid.text(), reveal);
  out["attached"] = device.attached;
  out["created"] = Text(device.created);
  out["holds"] = Json::array();
  for (const auto hold : device.holds) out["holds"].push_back(HoldName(hold));
  if (device.certificate) out["certificate"] = Certificate(*device.certificate);
  out["payload"] = {{"composed", device.payload_version}, {"delivered", device.delivered_version}};
  out["zone"] = {{"wanted", device.zone_revision}, {"visible", device.visible_revision}};
  out["trace"] = Json::array();
  for (const auto& step : device.trace) out["trace"].push_back({{"step", step.step}, {"at", Text(step.at)}});
  out["jobs"] = Json::array();
  for (const auto& job : jobs) {
    out["jobs"].push_back(
        {{"kind", domain::JobKindName(job.kind)}, {"attempt", job.attempt}, {"due", Text(job.due)}});
  }
  return out;
}

void Show(const ReadOptions& options, const std::string& text) {
  const DeviceId id = ParseDevice(text);
  const OpenLedger ledger(options);
  const auto device = OrFail(ledger->LoadDevice(id));
  if (!device) Fail("there is no device " + id.text());
  Print(Describe(*device, OrFail(ledger->JobsOf(id)), options.reveal), options.json);
}

void List(const ReadOptions& options) {
  const OpenLedger ledger(options);
  Rows rows(options.json);
  std::optional<DeviceId> after;
  for (;;) {
    const auto page = OrFail(ledger->DevicesAfter(after, kPage));
    if (page.empty()) break;
    Json printed = Json::array();
    for (const auto& device : page) printed.push_back(Summary(device));
    rows.Add(printed);
    after = page.back().id;
  }
  rows.End("no device was ever registered");
}

void History(const ReadOptions& options, const std::string& text) {
  const DeviceId id = ParseDevice(text);
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
  list->callback([options] { List(*options); });
  auto* history = devices->add_subcommand("history", "what happened to one device");
  history->add_option("ID", *device, "device id or name")->required();
  history->callback([options, device] { History(*options, *device); });
  for (auto* command : {show, list, history}) AddReadOptions(*command, *options);
}

}  // namespace registry::ctl
