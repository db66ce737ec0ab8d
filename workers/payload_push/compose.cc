#include "workers/domain/compose.h"

#include "workers/payload_push/cms.h"
#include "workers/payload_push/payload_push.h"

namespace registry::payload_push {
namespace {

using domain::Changeset;
using domain::Context;
using domain::Device;
using domain::EndpointRecord;

Error Unready(std::string_view why) { return Error::Make(Code::kFailed, "payload_failed", why); }

Status CheckReady(const Device& device, const EndpointRecord& endpoint) {
  if (!device.certificate) return Unready("the device has no certificate");
  if (device.agreement_key.empty()) return Unready("the device has no key-agreement key");
  if (device.claimer != endpoint.asp || device.endpoint != endpoint.endpoint.name) {
    return Unready("the device is not claimed for this endpoint");
  }
  return Done{};
}

wire::RegistryPayload Content(const Device& device, const EndpointRecord& endpoint, const Profile& profile,
                              const Context& context) {
  wire::RegistryPayload payload;
  payload.version = device.payload_version;
  payload.issued = context.now;
  payload.expires = context.now + profile.validity;
  payload.bootstrap = BootstrapOf(profile, device.id);
  payload.certificate = device.certificate->der;
  payload.asp = endpoint.asp;
  payload.endpoint = endpoint.endpoint;
  return payload;
}

// In the order to be written: the client certificate (02) last, since the pilot takes its presence for "provisioned".
std::vector<wire::Container> Containers(const Device& device, const EndpointRecord& endpoint,
                                        const Profile& profile) {
  std::vector<wire::Container> containers = {{0x06, profile.bootstrap.root_certificate},
                                             {0x07, profile.bootstrap.issuing_certificate}};
  const bool by_certificate = !endpoint.endpoint.trust.certificate.empty();
  if (by_certificate) containers.push_back({0x03, endpoint.endpoint.trust.certificate});
  containers.push_back({0x08, endpoint.legacy_json});
  containers.push_back({0x09, endpoint.legacy_json_signature});
  if (by_certificate) containers.push_back({0x0a, endpoint.legacy_cert_signature});
  containers.push_back({0x02, device.certificate->der});
  return containers;
}

void Push(const Device& device, wire::PayloadPush action, const Profile& profile, const Context& context,
          Changeset& changes) {
  domain::Job job;
  job.id = domain::NewJobId(context);
  job.device = device.id;
  job.kind = domain::JobKind::kPayloadPush;
  job.created = context.now;
  job.due = context.now + profile.first_retry;
  job.subject = device.payload_version;
  action.job = job.id;
  action.device = device.id;
  action.deadline = job.due;
  action.version = device.payload_version;
  job.body = wire::Encode(action).dump();
  job.traceparent = context.traceparent;
  changes.messages.push_back(
      domain::Action(device.sponsor, domain::JobKindName(job.kind), job.body, context));
  changes.jobs_put.push_back(std::move(job));
}

}  // namespace

wire::Bootstrap BootstrapOf(const Profile& profile, const DeviceId& device) {
  wire::Bootstrap bootstrap = profile.bootstrap;
  bootstrap.device_name = DeviceName(device, profile.zone);
  return bootstrap;
}

Status Compose(Device& device, const EndpointRecord& endpoint, const Profile& profile, const Context& context,
               const domain::Signer& signer, Changeset& changes) {
  if (auto ready = CheckReady(device, endpoint); !ready) return ready;
  ++device.payload_version;
  const std::string content = wire::Encode(Content(device, endpoint, profile, context)).dump();
  const auto sealed = Encrypt(AsBytes(content), device.agreement_key);
  if (!sealed) return sealed.error();
  wire::PayloadPush action;
  auto cms = SignContent(*sealed, signer, context.now);
  if (!cms) return cms.error();
  action.cms = std::move(*cms);
  action.containers = Containers(device, endpoint, profile);
  Push(device, std::move(action), profile, context, changes);
  domain::Mark(device, "payload.push", context.now);
  return Done{};
}

}  // namespace registry::payload_push
