#include "bridge/console/describe.h"

#include "workers/domain/job_kinds.h"
#include "workers/domain/standing.h"

namespace registry::console {
namespace {

std::string Shown(const std::string& identifier, bool reveal) {
  constexpr std::size_t kEnd = 4;
  if (reveal || identifier.size() <= kEnd) return identifier;
  return "…" + identifier.substr(identifier.size() - kEnd);
}

Json Statuses(const std::set<domain::DeviceStatus>& statuses) {
  Json names = Json::array();
  for (const auto status : statuses) names.push_back(domain::StatusName(status));
  return names;
}

template <class Parts, class Form>
Json Listed(const Parts& parts, Form form) {
  Json rows = Json::array();
  for (const auto& part : parts) rows.push_back(form(part));
  return rows;
}

Json OfCredential(const domain::Credential& credential) {
  const domain::IssuedCertificate& certificate = credential.certificate;
  return {{"phase", domain::PhaseName(credential.phase)},
          {"since", Time(credential.since)},
          {"profile", credential.profile},
          {"serial", ToHex(certificate.serial)},
          {"sha256", ToHex(certificate.sha256)},
          {"notBefore", Time(certificate.not_before)},
          {"notAfter", Time(certificate.not_after)}};
}

Json OfBinding(const domain::Binding& binding) {
  return {{"asp", binding.asp.text()},
          {"endpoint", binding.endpoint.text()},
          {"phase", domain::PhaseName(binding.phase)},
          {"composed", binding.composed},
          {"delivered", binding.delivered}};
}

// A random id's first 32 bits are where it lies among all ids.
Json ShareOf(const domain::Order& order) {
  if (order.state == domain::OrderState::kDone) return 1.0;
  if (order.selection.kind == domain::GroupKind::kExpiry) return {};
  if (!order.cursor) return 0.0;
  const std::uint64_t place = std::stoul(order.cursor->device.text().substr(0, 8), nullptr, 16);
  return static_cast<double>(place) / 4294967296.0;
}

}  // namespace

Json OfBrief(const domain::DeviceBrief& device) {
  return {{"device", device.id.text()},
          {"state", domain::StateName(device.state)},
          {"statuses", Statuses(device.statuses)},
          {"sponsor", device.sponsor.text()},
          {"claimer", device.claimer ? Json(device.claimer->text()) : Json()},
          {"endpoint", device.endpoint ? Json(device.endpoint->text()) : Json()},
          {"expires", Time(device.expires)}};
}

Json OfDevice(const domain::Device& device, bool reveal) {
  Json out = OfBrief(domain::BriefOf(device));
  out["created"] = Time(device.created);
  out["updated"] = Time(device.updated);
  out["version"] = device.version;
  out["eid"] = Shown(device.eid.text(), reveal);
  out["attached"] = domain::Attached(device);
  out["zone"] = {{"wanted", device.zone.wanted}, {"visible", device.zone.visible}};
  out["profiles"] = Listed(device.profiles, [reveal](const domain::Profile& profile) {
    return Json{{"number", profile.number},
                {"mno", profile.mno.text()},
                {"iccid", Shown(profile.iccid.text(), reveal)},
                {"state", domain::ProfileStateName(profile.state)},
                {"attached", profile.attached}};
  });
  out["credentials"] = Listed(device.credentials, OfCredential);
  out["bindings"] = Listed(device.bindings, OfBinding);
  out["codes"] = Listed(device.codes, [](const domain::AuthorisationCode& code) {
    return Json{{"purpose", domain::PurposeName(code.purpose)},
                {"setBy", code.set_by.text()},
                {"expires", Time(code.expires)},
                {"wrongAttempts", code.attempts}};
  });
  if (device.transfer) out["transfer"] = OfTransfer(*device.transfer);
  out["steps"] = Listed(device.trace, [](const domain::TraceStep& step) {
    return Json{{"step", step.step}, {"at", Time(step.at)}};
  });
  return out;
}

Json OfTransfer(const domain::Transfer& transfer) {
  return {{"transfer", transfer.id.text()},
          {"device", transfer.device.text()},
          {"kind", domain::TransferKindName(transfer.kind)},
          {"from", transfer.from.text()},
          {"to", transfer.to.text()},
          {"state", domain::TransferStateName(transfer.state)},
          {"open", transfer.open()},
          {"requested", Time(transfer.requested)},
          {"decidesAt", Time(transfer.decides_at)}};
}

Json OfOrder(const domain::Order& order) {
  Json selection = Json::object();
  if (order.selection.party) selection["party"] = order.selection.party->text();
  if (order.selection.endpoint) selection["endpoint"] = order.selection.endpoint->text();
  if (order.selection.state) selection["state"] = domain::StateName(*order.selection.state);
  if (order.before) selection["expiresBefore"] = Time(*order.before);
  return {{"order", order.id.text()},
          {"owner", order.owner.text()},
          {"kind", domain::OrderKindName(order.kind)},
          {"state", domain::OrderStateName(order.state)},
          {"dryRun", order.dry_run},
          {"rate", order.rate},
          {"reason", order.reason},
          {"selection", std::move(selection)},
          {"share", ShareOf(order)},
          {"done", order.counts.done},
          {"refused", order.counts.refused},
          {"failed", order.counts.failed},
          {"skipped", order.counts.skipped},
          {"created", Time(order.created)},
          {"updated", Time(order.updated)}};
}

}  // namespace registry::console
