#include "workers/crypto/p256.h"
#include "workers/csr_sign/csr_sign.h"
#include "workers/dns/show.h"
#include "workers/domain/compose.h"
#include "workers/domain/csr_refusal.h"
#include "workers/domain/device_steps.h"
#include "workers/domain/lifecycle.h"
#include "workers/domain/standing.h"
#include "workers/jobs/jobs.h"

namespace registry::csr_sign {
namespace {

using domain::Changeset;
using domain::Context;
using domain::Device;
using domain::JobKind;
using domain::Origin;
using domain::UniqueKind;
using domain::UniqueValue;
using domain::View;

// The device, what waits for it, and whose applet the key of the CSR is in.
struct Asked {
  Device device;
  jobs::Waiting waiting;
  const domain::Job* key = nullptr;  // the sender's open key.generate, if there is one
  std::uint32_t profile = 0;
};

std::uint32_t NumberOf(const domain::Profile* serving) { return serving != nullptr ? serving->number : 0; }

// The MNO that was asked for a key may be another than the one that serves the device now.
Result<Asked> FindOwn(const DeviceId& id, const Origin& origin, const View& view) {
  auto device = view.LoadDevice(id);
  if (!device) return device.error();
  if (!*device || (*device)->state == domain::State::kDeleted) {
    return Error::Make(Code::kNotFound, "device_unknown", "no such device", "/device");
  }
  auto waiting = jobs::Waiting::Of(id, view);
  if (!waiting) return waiting.error();
  Asked asked{std::move(**device), std::move(*waiting)};
  const domain::Job* const key = asked.waiting.Find(JobKind::kKeyGenerate);
  if (key != nullptr && key->to == origin.party) asked.key = key;
  if (asked.key == nullptr && domain::Sponsor(asked.device) != origin.party) {
    return Error::Make(Code::kNotAuthorised, "not_sponsor", "another MNO sponsors this device", "/device");
  }
  const bool named = asked.key != nullptr && asked.key->profile != 0;
  asked.profile = named ? asked.key->profile : NumberOf(domain::Serving(asked.device));
  return asked;
}

// A device reactivated while its MNO may still empty the applet: the key of this CSR could be the one that is wiped.
Status RefuseWhileWiped(const jobs::Waiting& waiting) {
  if (!waiting.Has(JobKind::kAppletWipe)) return Done{};
  return Error::Make(
      Code::kStatusProhibits, "wipe_pending",
      "the device's applet.wipe has neither been reported nor given up; key.generate follows then",
      "/device");
}

// A CSR of a key that was wiped since may still be on its way to a device that came back: only the job tells them apart.
Status CheckUnnamed(const Device& device) {
  if (!device.came_back) return Done{};
  return Error::Make(Code::kMissingParameter, "job_missing",
                     "the device was deactivated before: its CSR names the key.generate that waits", "/job");
}

// It belongs to whom it was sent to for ever, whoever sponsors the device by then.
Status CheckAsked(const wire::CsrSubmit& command, const domain::Job& job, const Origin& origin) {
  if (job.device() != command.device || job.kind != JobKind::kKeyGenerate) {
    return Error::Make(Code::kValueSyntax, "job_of_other_device", "the job is not this device's key.generate",
                       "/job");
  }
  if (job.to == origin.party) return Done{};
  return Error::Make(Code::kNotAuthorised, "not_sponsor", "this key.generate was sent to another MNO",
                     "/job");
}

Status CheckJob(const wire::CsrSubmit& command, const Device& device, const Origin& origin,
                const jobs::Waiting& waiting, const View& view) {
  if (auto empty = RefuseWhileWiped(waiting); !empty) return empty;
  if (!command.job) return CheckUnnamed(device);
  auto job = view.LoadJob(*command.job);
  if (!job) return job.error();
  if (*job) return CheckAsked(command, **job, origin);
  // It has ended or never was. Where another job asks for a key, the applet is making, or has made, another than this one.
  // Of a device that came back it may also be from before the wipe.
  const bool asked_anew = waiting.Has(JobKind::kKeyGenerate);
  if (!asked_anew && !device.came_back) return Done{};
  return Error::Make(Code::kNotFound, "job_unknown",
                     asked_anew ? "no job of this id waits for a CSR, another key.generate does"
                                : "this job has ended; device.attach asks for another key",
                     "/job");
}

Status RefuseHeld(const UniqueValue& key, const std::optional<DeviceId>& except, std::string_view message,
                  const View& view) {
  auto holder = view.FindUnique(key);
  if (!holder) return holder.error();
  if (!*holder || *holder == except) return Done{};
  return Error::Make(Code::kExists, "key_in_use", message, "/csr");
}

// A key is certified once, whoever asks: where there is no live certificate, the one it had was revoked. A key-agreement
// key stays with its applet and comes again in later requests, but two devices with one could open each other's payloads.
Status CheckKeyUse(const CheckedCsr& csr, const DeviceId& device, const View& view,
                   const domain::Policy& policy) {
  const Bytes& agreement = csr.agreement_sha256;
  if (policy.certificate.key_blocked(csr.spki_sha256) || policy.certificate.key_blocked(agreement)) {
    return Error::Make(Code::kPolicy, "key_blocked", "the key is on the list of blocked keys", "/csr");
  }
  constexpr std::string_view kCertified = "the key has had a certificate before, this device's or another's";
  constexpr std::string_view kOthers = "another device has this key as its key-agreement key";
  constexpr std::string_view kOthersToo = "the key-agreement key belongs to another device";
  auto free = RefuseHeld({UniqueKind::kPublicKey, csr.spki_sha256}, std::nullopt, kCertified, view);
  if (free) free = RefuseHeld({UniqueKind::kAgreementKey, csr.spki_sha256}, device, kOthers, view);
  if (!free || agreement == csr.spki_sha256) return free;
  free = RefuseHeld({UniqueKind::kPublicKey, agreement}, device, kOthersToo, view);
  if (free) free = RefuseHeld({UniqueKind::kAgreementKey, agreement}, device, kOthersToo, view);
  return free;
}

// The applets of two profiles have no key in common: it would be free for another device as soon as one of them is deleted.
Status RefuseOtherProfiles(const CheckedCsr& csr, const Asked& asked) {
  for (const domain::Profile& one : asked.device.profiles) {
    if (one.number == asked.profile || one.agreement_key != csr.agreement_key) continue;
    return Error::Make(Code::kExists, "key_in_use",
                       "the key-agreement key belongs to another profile of the device", "/csr");
  }
  return Done{};
}

// The one it had before goes: a device holds the key its payloads are sealed to, no others. Of a next certificate that is
// for the time when it is live.
Status TakeAgreementKey(Device& device, const CheckedCsr& csr, const View& view, Changeset& changes) {
  const Bytes& held = domain::AgreementKey(device);
  if (held == csr.agreement_key) return Done{};
  if (!held.empty()) {
    UniqueValue former{UniqueKind::kAgreementKey, crypto::P256KeyDigest(held)};
    auto holder = view.FindUnique(former);
    if (!holder) return holder.error();
    if (*holder == device.id) changes.releases.push_back(std::move(former));
  }
  domain::SetAgreementKey(device, csr.agreement_key);
  return Done{};
}

void Record(Device device, const domain::IssuedCertificate& certificate, const Bytes& agreement,
            domain::Case& at) {
  const auto& [origin, view, context, policy, signer, made] = at;
  Changeset& changes = at.changes;
  changes.claims.push_back({UniqueValue{UniqueKind::kPublicKey, certificate.spki_sha256}, device.id});
  changes.claims.push_back({UniqueValue{UniqueKind::kSerial, certificate.serial}, device.id});
  // Always claimed anew, which the holder may: a ledger from before this index then learns it.
  if (agreement != certificate.spki_sha256) {
    changes.claims.push_back({UniqueValue{UniqueKind::kAgreementKey, agreement}, device.id});
  }
  changes.history.push_back(domain::History(
      device, origin.party, "certified serial=" + ToHex(certificate.serial), context.now, origin.id));
  if (const auto claimer = domain::Claimer(device)) {
    const wire::DeviceCertified certified{device.id, DeviceName(device.id, policy.zone), certificate.der,
                                          certificate.not_after};
    changes.notifications.push_back(domain::Notify(*claimer, certified, context, origin.id));
  }
  const std::uint64_t version = device.version;
  changes.devices.push_back({std::move(device), version});
}

Result<CheckedCsr> Check(const wire::CsrSubmit& command, const Asked& asked, const domain::Case& at) {
  auto job = CheckJob(command, asked.device, at.origin, asked.waiting, at.view);
  if (!job) return job.error();
  auto csr = CheckCsr(command.csr);
  if (!csr) return csr;
  auto use = CheckKeyUse(*csr, asked.device.id, at.view, at.policy);
  if (use) use = RefuseOtherProfiles(*csr, asked);
  return use ? std::move(csr) : Result<CheckedCsr>(use.error());
}

// The sender goes on being asked for a key: that it has tried is all that says why the device waits. However often it
// tries, what it said before is written once, and its history grows by one entry for each attempt.
Error Refused(Asked asked, Error why, domain::Case& at) {
  if (asked.key == nullptr || asked.key->unsent || why.code == Code::kFailed) return why;
  Device& device = asked.device;
  const std::uint64_t version = device.version;
  const std::uint32_t attempt = asked.key->attempt;
  const auto former = domain::LastCsrRefusal(device);
  if (!domain::NoteCsrRefused(device, why.symbol, attempt, at.context.now)) return why;
  Changeset kept;
  if (!former || !former->IsOfAttempt(attempt)) {
    kept.history.push_back(
        domain::History(device, at.origin.party, "csr refused: " + why.symbol, at.context.now, at.origin.id));
  }
  kept.devices.push_back({std::move(device), version});
  return domain::RefuseButKeep(std::move(why), std::move(kept), at);
}

}  // namespace

Result<domain::Reply> Decide(const wire::CsrSubmit& command, domain::Case& at, const Issuer& issuer) {
  auto& [origin, view, context, policy, signer, changes] = at;
  auto asked = FindOwn(command.device, origin, view);
  if (!asked) return asked.error();
  Device* const device = &asked->device;
  const jobs::Waiting* const waiting = &asked->waiting;
  const bool renews = domain::Live(*device) != nullptr && asked->key != nullptr;
  const auto next = domain::Next(*device, renews ? domain::Command::kRenew : domain::Command::kCertify);
  if (!next) return next.error();
  const auto csr = Check(command, *asked, at);
  if (!csr) return Refused(std::move(*asked), csr.error(), at);
  auto issued = issuer.Issue(device->id, *csr, context);
  if (!issued) return issued.error();

  jobs::EndSuperseded(*device, domain::Superseding::kKeyCertified, *waiting, changes);
  device->state = *next;
  // Its certificate had ended: with this one it may be shown again.
  device->statuses.erase(domain::DeviceStatus::kExpired);
  const domain::IssuedCertificate certificate = std::move(*issued);
  if (renews) {
    domain::AddNext(*device, certificate, asked->profile, csr->agreement_key, context.now);
  } else {
    domain::GoLive(*device, certificate, context.now);
    if (auto taken = TakeAgreementKey(*device, *csr, view, changes); !taken) return taken.error();
  }
  domain::NoteStep(*device, "certified", context.now);
  dns::Show(*device, *waiting, at);
  Record(std::move(asked->device), certificate, csr->agreement_sha256, at);
  return wire::Encode(wire::CertificateIssued{command.device, certificate.der, ToHex(certificate.serial),
                                              certificate.not_after});
}

}  // namespace registry::csr_sign
