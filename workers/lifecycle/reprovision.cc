// A device's payload made anew: for its endpoint as it is now, or because of what its ASP has sealed for it.
#include "schemas/base/bytes.h"
#include "workers/crypto/enveloped.h"
#include "workers/domain/device_steps.h"
#include "workers/domain/lifecycle.h"
#include "workers/domain/standing.h"
#include "workers/lifecycle/access.h"
#include "workers/lifecycle/lifecycle.h"
#include "workers/lifecycle/work.h"

namespace registry::lifecycle {
namespace {

using domain::Device;

// On hold nothing is pushed. A payload that was counted and never delivered is owed to the device from then on.
Status ProvideAnew(Device& device, Case& at) {
  if (domain::OnHold(device)) {
    domain::ComposeNext(device);
    domain::NoteStep(device, "payload kept back", at.context.now);
    return Done{};
  }
  const domain::Binding& binding = *domain::LiveBinding(device);
  const auto endpoint = at.view.LoadEndpoint(binding.asp, binding.endpoint);
  if (!endpoint) return endpoint.error();
  if (!*endpoint) return Error::Make(Code::kNotFound, "endpoint_unknown", "the endpoint is gone", "/device");
  return PushPayload(device, **endpoint, at);
}

// The payload of an approved transfer is a step of it, and another would take its place: then the transfer would wait for
// what nobody sends any more.
bool IsTransferring(const Device& device) {
  return device.transfer && device.transfer->state == domain::TransferState::kApproved;
}

constexpr std::string_view kTransferring = "its payload belongs to the transfer that goes on";

// What no device could open is of use to nobody, and would only be known when the payload is there. For whom it is sealed
// cannot be seen.
Status CheckSealed(const wire::Wifi& wifi) {
  const auto der = FromBase64(wifi.sealed_passphrase);
  if (der && crypto::IsEnveloped(*der)) return Done{};
  return Error::Make(
      Code::kValueSyntax, "passphrase_not_sealed",
      "must be base64 of DER, of one CMS ContentInfo of type EnvelopedData or AuthEnvelopedData",
      "/wifi/sealedPassphrase");
}

Reply Finish(const Device& device, std::string what, Case& at) {
  at.changes.history.push_back(
      domain::History(device, at.origin.party, std::move(what), at.context.now, at.origin.id));
  Put(device, at.changes);
  return wire::Encode(StateOf(device));
}

}  // namespace

Result<Reply> Reprovision(const DeviceId& id, Case& at) {
  auto device = FindManaged(id, at.origin, at.view);
  if (!device) return device.error();
  if (!domain::HasPayloadToReplace(*device))
    return domain::StateProhibits(*device, "reprovision refused, it has no payload to replace");
  if (IsTransferring(*device)) return domain::StateProhibits(*device, kTransferring);
  if (auto pushed = ProvideAnew(*device, at); !pushed) return pushed.error();
  return Finish(*device, "reprovisioned", at);
}

Result<Reply> Decide(const wire::WifiSet& command, Case& at) {
  auto device = FindManaged(command.device, at.origin, at.view);
  if (!device) return device.error();
  if (IsTransferring(*device)) return domain::StateProhibits(*device, kTransferring);
  if (command.wifi) {
    if (auto sealed = CheckSealed(*command.wifi); !sealed) return sealed.error();
  }
  domain::SetWifi(*device, command.wifi);
  if (domain::HasPayloadToReplace(*device)) {
    if (auto pushed = ProvideAnew(*device, at); !pushed) return pushed.error();
  }
  // The passphrase stands in the record alone, sealed as it came.
  return Finish(*device, command.wifi ? "Wi-Fi set" : "Wi-Fi taken back", at);
}

}  // namespace registry::lifecycle
