// device.rekey: a new key at once, whether because the old one is old or because somebody else has it.
#include "workers/dns/show.h"
#include "workers/domain/device_steps.h"
#include "workers/domain/lifecycle.h"
#include "workers/domain/standing.h"
#include "workers/lifecycle/access.h"
#include "workers/lifecycle/lifecycle.h"
#include "workers/lifecycle/renewal.h"
#include "workers/lifecycle/renewal_told.h"
#include "workers/lifecycle/work.h"

namespace registry::lifecycle {
namespace {

using domain::Command;
using domain::Device;
using domain::JobKind;

constexpr std::string_view kCompromised = "keyCompromise";
constexpr std::uint8_t kKeyCompromise = 1;  // RFC 5280 §5.3.1

Error Pending(std::string what) {
  return Error::Make(Code::kStatusProhibits, "renewal_pending",
                     "the device is being given another key: " + std::move(what), "/device");
}

// One change at a time: two next certificates could not both become the live one.
Status RefuseDuringAnother(const Device& device, const jobs::Waiting& waiting) {
  if (const auto* next = domain::NextCredential(device))
    return Pending("serial " + ToHex(next->certificate.serial) + " is not on it yet");
  if (const auto* key = waiting.Find(JobKind::kKeyGenerate))
    return Pending("key.generate " + key->id.text() + " waits for its MNO");
  if (device.credentials.size() >= domain::kCredentialsMax)
    return Pending("the certificates before are still being withdrawn");
  return Done{};
}

Status Renew(Device& device, const jobs::Waiting& waiting, const std::string& reason, Case& at) {
  const auto next = domain::Next(device, Command::kRekey);
  if (!next) return next.error();
  if (auto free = RefuseDuringAnother(device, waiting); !free) return free;
  device.state = *next;
  RecordStep(device, kRekeyEntry, reason, at);
  BeginAnew(waiting, at);
  return AskForNextKey(device, *domain::Serving(device), at);
}

// Nothing that was made with the key, or beside it, is trusted from now on. The key itself stays taken for ever
// (UniqueKind::kPublicKey), so no later request can bring it back.
Status Replace(Device& device, const jobs::Waiting& waiting, Case& at) {
  const auto next = domain::Next(device, Command::kRevokeKey);
  if (!next) return next.error();
  device.state = *next;
  device.statuses.erase(domain::DeviceStatus::kExpired);
  // What the applet made before may still be on its way: a CSR names the job it answers.
  device.came_back = true;
  if (auto revoked = RevokeAll(device, kKeyCompromise, at); !revoked) return revoked;
  jobs::EndSuperseded(device, domain::Superseding::kKeyLost, waiting, at.changes);
  RecordStep(device, kRekeyEntry, std::string(kCompromised), at);
  dns::Show(device, waiting, at);
  if (domain::OnHold(device)) return Done{};
  return AskForNextKey(device, *domain::Serving(device), at);
}

}  // namespace

Result<Reply> Decide(const wire::DeviceRekey& command, Case& at) {
  auto device = FindConcerned(command.device, at.origin, at.view);
  if (!device) return device.error();
  const auto waiting = jobs::Waiting::Of(device->id, at.view);
  if (!waiting) return waiting.error();
  auto done = command.reason == kCompromised ? Replace(*device, *waiting, at)
                                             : Renew(*device, *waiting, command.reason, at);
  if (!done) return done.error();
  Put(*device, at.changes);
  return wire::Encode(StateOf(*device));
}

}  // namespace registry::lifecycle
