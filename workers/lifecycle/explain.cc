#include "workers/lifecycle/explain.h"

#include <algorithm>

#include "workers/domain/csr_refusal.h"
#include "workers/domain/job_kinds.h"
#include "workers/domain/lifecycle.h"
#include "workers/domain/standing.h"
#include "workers/lifecycle/reads.h"
#include "workers/lifecycle/renewal_told.h"

namespace registry::lifecycle {
namespace {

using domain::Device;
using domain::JobKind;
using domain::State;

constexpr std::size_t kLineMax = 1024;  // of `says` in device.traced; what comes first matters most

bool Waits(const std::vector<wire::DeviceWait>& waits, JobKind kind) {
  return std::any_of(waits.begin(), waits.end(),
                     [kind](const auto& wait) { return wait.what == domain::JobKindName(kind); });
}

// A step that failed for good, and is asked for again when the device attaches; empty: none is owed.
std::string Failed(const Device& device, const std::vector<wire::DeviceWait>& waits) {
  std::string step;
  if (device.state == State::kAttached && !Waits(waits, JobKind::kKeyGenerate) &&
      !Waits(waits, JobKind::kAppletWipe))
    step = domain::JobKindName(JobKind::kKeyGenerate);
  const bool owed = (device.state == State::kPublished && domain::LiveBinding(device) != nullptr) ||
                    (device.state == State::kActive && domain::PayloadOwed(device));
  if (owed && !Waits(waits, JobKind::kPayloadPush) && !Waits(waits, JobKind::kZoneVisible))
    step = domain::JobKindName(JobKind::kPayloadPush);
  if (step.empty()) return step;
  const auto failed = std::find_if(device.trace.rbegin(), device.trace.rend(),
                                   [&](const auto& one) { return one.step == step + " failed"; });
  if (failed != device.trace.rend())
    step += " of " + domain::Sponsor(device).text() + " failed at " + ToRfc3339(failed->at);
  return step + ", given up; device.attach of " + domain::Sponsor(device).text() + " asks again";
}

std::string CodeOf(const domain::AuthorisationCode& code, UtcTime now) {
  const std::string given = ", with the code that " + code.set_by.text() + " was given";
  if (domain::Expired(code, now))
    return given + ", which ended at " + ToRfc3339(code.expires) + "; authorisation.set makes another";
  if (domain::Locked(code, now)) {
    return given + ", which wrong codes have locked until " +
           ToRfc3339(code.counted_from + domain::kWrongCodesWithin) +
           "; authorisation.set makes another that is not locked";
  }
  return given +
         (code.expires == UtcTime{} ? ", valid without end" : ", valid until " + ToRfc3339(code.expires));
}

std::string Claim(const Device& device, UtcTime now) {
  const bool unclaimed = !domain::Claimer(device) && device.state != State::kDeactivated;
  if (!unclaimed) return {};
  const domain::AuthorisationCode* const code = domain::CodeFor(device, domain::CodePurpose::kClaim);
  const std::string claim = "waits for device.claim of an ASP";
  if (code == nullptr) return claim + ", for which there is no code; authorisation.set makes one";
  return claim + CodeOf(*code, now);
}

std::string Transfer(const Device& device) {
  if (!domain::InTransfer(device)) return {};
  const domain::Transfer& transfer = *device.transfer;
  if (transfer.state == domain::TransferState::kApproved)
    return "on its way from " + transfer.from.text() + " to " + transfer.to.text();
  return "waits for transfer.approve or transfer.reject of " + transfer.from.text() +
         ", decided without it at " + ToRfc3339(transfer.decides_at);
}

std::string Held(const Device& device) {
  std::string holds;
  for (const auto status : device.statuses) {
    Device one;
    one.statuses = {status};
    if (domain::OnHold(one)) holds += (holds.empty() ? "" : ", ") + std::string(domain::StatusName(status));
  }
  if (holds.empty()) return holds;
  const bool undecided = device.statuses.contains(domain::DeviceStatus::kPendingTransfer);
  return "on hold (" + holds + "): nothing is given to it before device.resume" +
         (undecided ? ", which is refused until the transfer is decided" : "");
}

// What the registry takes up again by itself, and asks nobody for.
bool IsOwnStep(const wire::DeviceWait& wait) {
  return wait.what == domain::JobKindName(JobKind::kCredentialStep) ||
         wait.what == domain::JobKindName(JobKind::kTransferDecide);
}

std::vector<wire::DeviceWait> OfOthers(std::vector<wire::DeviceWait> waits) {
  std::erase_if(waits, IsOwnStep);
  return waits;
}

// The step of a renewal that failed last, where none has been begun or done since. Whatever else has come to the device
// meanwhile is no reason to be silent about it.
std::string LastFailure(const Device& device) {
  static constexpr std::string_view kSteps[] = {wire::KeyGenerate::kName, wire::PayloadPush::kName};
  static constexpr std::string_view kNews[] = {"renewal", kRekeyEntry, "renewed", "certified"};
  for (auto step = device.trace.rbegin(); step != device.trace.rend(); ++step) {
    for (const std::string_view name : kSteps) {
      if (step->step == name) return {};
      if (step->step != std::string(name) + " failed") continue;
      return std::string(name) + " of " + domain::Sponsor(device).text() + " failed at " +
             ToRfc3339(step->at) + "; ";
    }
    if (std::find(std::begin(kNews), std::end(kNews), step->step) != std::end(kNews)) return {};
  }
  return {};
}

std::string Certificates(const Device& device, const std::vector<wire::DeviceWait>& waits) {
  for (const wire::DeviceWait& wait : waits) {
    if (wait.what == domain::JobKindName(JobKind::kCredentialStep))
      return LastFailure(device) + "its next certificate is carried on with at " + ToRfc3339(wait.due);
  }
  return {};
}

// Of the MNO that is asked for a key, or was when it was given up. Not of a device that needs none any more.
std::string Refused(const Device& device, const std::vector<wire::DeviceWait>& waits) {
  const auto refusal = domain::LastCsrRefusal(device);
  if (!refusal) return {};
  const auto key = std::find_if(waits.begin(), waits.end(), [](const auto& wait) {
    return wait.what == domain::JobKindName(JobKind::kKeyGenerate);
  });
  const bool asked = key != waits.end();
  if (!asked && device.state != State::kAttached && Certificates(device, waits).empty()) return {};
  const std::string who = (asked ? key->who : domain::Sponsor(device)).text();
  return "csr.submit of " + who + " was refused at " + ToRfc3339(refusal->at) + ": " + refusal->why +
         (asked ? "; the next CSR for the same job is looked at" : "");
}

std::string Away(const Device& device, const std::vector<wire::DeviceWait>& waits) {
  const bool needed = Waits(waits, JobKind::kKeyGenerate) || Waits(waits, JobKind::kPayloadPush) ||
                      Waits(waits, JobKind::kAppletWipe);
  if (!domain::IsAway(device) || !needed) return {};
  return "off the network: until device.attach of " + domain::Sponsor(device).text() +
         " no attempt is used up";
}

}  // namespace

std::string Explain(const Device& device, const std::vector<wire::DeviceWait>& waits, UtcTime now) {
  const auto asked = OfOthers(waits);
  if (device.state == State::kDeleted) return InOneLine(asked);
  std::vector<std::string> parts;
  if (!asked.empty()) parts.push_back(InOneLine(asked));
  if (device.state == State::kRegistered)
    parts.push_back("waits for device.attach of " + domain::Sponsor(device).text());
  const std::string held = Held(device);
  for (std::string part :
       {Refused(device, waits), Away(device, asked), held, held.empty() ? Failed(device, asked) : "",
        Certificates(device, waits), Claim(device, now), Transfer(device)}) {
    if (!part.empty()) parts.push_back(std::move(part));
  }
  std::string line;
  for (const std::string& part : parts) {
    if (line.size() + part.size() + 2 > kLineMax) break;
    line += (line.empty() ? "" : "; ") + part;
  }
  return line.empty() ? InOneLine({}) : line;
}

}  // namespace registry::lifecycle
