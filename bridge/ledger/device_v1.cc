#include "bridge/ledger/device_v1.h"

#include "bridge/ledger/record_fields.h"
#include "workers/domain/device_steps.h"

namespace registry::ledger {
namespace {

// The parts that version 1 kept in the device itself.
struct OnlyParts {
  Iccid iccid;
  PartyId sponsor;
  std::optional<PartyId> claimer;
  std::optional<EndpointName> endpoint;
  Bytes authorisation_hash;
  bool attached = false;
  std::optional<domain::IssuedCertificate> certificate;
  Bytes agreement_key;
  std::uint64_t payload_version = 0, delivered_version = 0;
  std::vector<JobId> ended_jobs;
};

void Read(FieldReader& reader, domain::Device& device, OnlyParts& parts) {
  reader(kVersionTag, device.version);
  reader(2, device.id);
  reader(3, device.state);
  reader(4, device.statuses);
  reader(5, device.eid);
  reader(6, parts.iccid);
  reader(7, parts.sponsor);
  reader(8, parts.claimer);
  reader(9, parts.endpoint);
  reader(10, parts.authorisation_hash);
  reader(11, parts.attached);
  reader(12, parts.certificate);
  reader(13, parts.agreement_key);
  reader(14, parts.payload_version);
  reader(15, parts.delivered_version);
  reader(16, device.zone.wanted);
  reader(17, device.zone.visible);
  reader(18, device.trace);
  reader(19, device.created);
  reader(20, device.updated);
  reader(21, parts.ended_jobs);
}

void Take(OnlyParts parts, domain::Device& device) {
  domain::AddProfile(device, parts.sponsor, parts.iccid);
  if (parts.attached) domain::SeeOnNetwork(device);
  domain::SetAgreementKey(device, std::move(parts.agreement_key));
  if (parts.certificate) {
    const UtcTime since = parts.certificate->not_before;
    domain::GoLive(device, std::move(*parts.certificate), since);
  }
  for (JobId& job : parts.ended_jobs) device.ended_jobs.push_back({std::move(job), parts.sponsor});
  // Nothing else led back to a state before certified with a zone content behind it.
  device.came_back = device.zone.wanted > 0 &&
                     (device.state == domain::State::kRegistered || device.state == domain::State::kAttached);
  // One without the other is a fault, and stays one.
  if (parts.claimer || parts.endpoint || parts.payload_version > 0) {
    domain::Bind(device, parts.claimer.value_or(PartyId()), parts.endpoint.value_or(EndpointName()));
    device.bindings.back().composed = parts.payload_version;
    device.bindings.back().delivered = parts.delivered_version;
  }
  if (parts.authorisation_hash.empty()) return;
  domain::SetCode(device, {domain::CodePurpose::kClaim, wire::Role::kAsp, std::move(parts.authorisation_hash),
                           parts.sponsor, UtcTime{}, 0});
}

}  // namespace

std::optional<domain::Device> DeviceOfVersion1(std::string_view fields) {
  domain::Device device;
  OnlyParts parts;
  FieldReader reader(fields);
  Read(reader, device, parts);
  if (!reader.Finished()) return std::nullopt;
  Take(std::move(parts), device);
  return device;
}

}  // namespace registry::ledger
