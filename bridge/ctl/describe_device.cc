#include "bridge/ctl/describe_device.h"

#include "workers/domain/job_kinds.h"
#include "workers/domain/standing.h"

namespace registry::ctl {
namespace {

template <class Parts, class Describe>
Json Each(const Parts& parts, Describe describe) {
  Json rows = Json::array();
  for (const auto& part : parts) rows.push_back(describe(part));
  return rows;
}

Json Certificate(const domain::IssuedCertificate& certificate) {
  return {{"serial", ToHex(certificate.serial)},
          {"sha256", ToHex(certificate.sha256)},
          {"spki_sha256", ToHex(certificate.spki_sha256)},
          {"not_before", Text(certificate.not_before)},
          {"not_after", Text(certificate.not_after)}};
}

Json Credential(const domain::Credential& credential) {
  return {{"phase", domain::PhaseName(credential.phase)},
          {"since", Text(credential.since)},
          {"profile", credential.profile},
          {"serial", ToHex(credential.certificate.serial)},
          {"not_after", Text(credential.certificate.not_after)}};
}

Json Profile(const domain::Profile& profile, bool reveal) {
  return {{"number", profile.number},
          {"mno", profile.mno.text()},
          {"iccid", Masked(profile.iccid.text(), reveal)},
          {"state", domain::ProfileStateName(profile.state)},
          {"attached", profile.attached},
          {"agreement_key", !profile.agreement_key.empty()}};
}

Json Binding(const domain::Binding& binding) {
  return {{"number", binding.number},
          {"asp", binding.asp.text()},
          {"endpoint", binding.endpoint.text()},
          {"phase", domain::PhaseName(binding.phase)},
          {"composed", binding.composed},
          {"delivered", binding.delivered}};
}

Json Code(const domain::AuthorisationCode& code) {
  return {{"purpose", domain::PurposeName(code.purpose)},
          {"set_by", code.set_by.text()},
          {"expires", Text(code.expires)},
          {"wrong_attempts", code.attempts}};
}

Json Transfer(const domain::Transfer& transfer) {
  return {{"id", transfer.id.text()},
          {"kind", domain::TransferKindName(transfer.kind)},
          {"from", transfer.from.text()},
          {"to", transfer.to.text()},
          {"state", domain::TransferStateName(transfer.state)},
          {"requested", Text(transfer.requested)},
          {"decides_at", Text(transfer.decides_at)}};
}

Json Job(const domain::Job& job) {
  return {{"kind", domain::JobKindName(job.kind)},
          {"attempt", job.unsent ? 0 : job.attempt},
          {"due", Text(job.due)}};
}

Json Step(const domain::TraceStep& step) { return {{"step", step.step}, {"at", Text(step.at)}}; }

void AddParts(const domain::Device& device, bool reveal, Json& out) {
  out["profiles"] =
      Each(device.profiles, [reveal](const domain::Profile& one) { return Profile(one, reveal); });
  out["credentials"] = Each(device.credentials, Credential);
  out["bindings"] = Each(device.bindings, Binding);
  out["codes"] = Each(device.codes, Code);
  if (device.transfer) out["transfer"] = Transfer(*device.transfer);
}

}  // namespace

Json Whose(const domain::DeviceBrief& device) {
  return {{"device", device.id.text()},
          {"state", domain::StateName(device.state)},
          {"sponsor", device.sponsor.text()},
          {"claimer", device.claimer ? device.claimer->text() : ""},
          {"endpoint", device.endpoint ? device.endpoint->text() : ""}};
}

Json Describe(const domain::Device& device, const std::vector<domain::Job>& jobs, bool reveal) {
  Json out = Whose(domain::BriefOf(device));
  out["updated"] = Text(device.updated);
  out["version"] = device.version;
  out["eid"] = Masked(device.eid.text(), reveal);
  out["iccid"] = Masked(domain::IccidOf(device).text(), reveal);
  out["attached"] = domain::Attached(device);
  out["created"] = Text(device.created);
  out["holds"] = Each(device.statuses, domain::StatusName);
  if (const auto* live = domain::LiveCertificate(device)) out["certificate"] = Certificate(*live);
  out["payload"] = {{"composed", domain::PayloadVersion(device)},
                    {"delivered", domain::DeliveredVersion(device)}};
  out["zone"] = {{"wanted", device.zone.wanted}, {"visible", device.zone.visible}};
  AddParts(device, reveal, out);
  out["trace"] = Each(device.trace, Step);
  out["jobs"] = Each(jobs, Job);
  return out;
}

}  // namespace registry::ctl
