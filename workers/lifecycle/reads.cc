#include "workers/lifecycle/reads.h"

#include <algorithm>
#include <charconv>

#include "workers/domain/job_kinds.h"
#include "workers/domain/standing.h"
#include "workers/jobs/sending.h"
#include "workers/lifecycle/explain.h"
#include "workers/lifecycle/work.h"

namespace registry::lifecycle {
namespace {

using domain::Device;
using domain::DeviceBrief;
using domain::DeviceGroup;
using domain::DevicePosition;

constexpr std::size_t kLimitUnsaid = 100;
constexpr std::size_t kReadAtOnce = 500;

bool IsOwn(const Device& device, const Origin& origin) {
  return origin.role == wire::Role::kOperator || domain::Sponsor(device) == origin.party ||
         domain::HasShare(device, origin.party);
}

Result<Device> FindOwn(const DeviceId& id, const Case& at) {
  auto device = at.view.LoadDevice(id);
  if (!device) return device.error();
  if (!*device || !IsOwn(**device, at.origin)) {
    return Error::Make(Code::kNotFound, "device_unknown", "no such device", "/device");
  }
  return std::move(**device);
}

template <class Value>
std::optional<Value> Unless(bool unset, Value value) {
  return unset ? std::nullopt : std::optional<Value>(std::move(value));
}

wire::DeviceBrief Told(const DeviceBrief& brief) {
  return {brief.id,
          std::string(domain::StateName(brief.state)),
          NamesOf(brief.statuses),
          brief.sponsor,
          brief.claimer,
          brief.endpoint,
          Unless(brief.expires == UtcTime{}, brief.expires)};
}

// The narrowest there is; what it does not tell apart is looked at device by device.
DeviceGroup GroupOf(const wire::DeviceList& command, const Origin& origin) {
  const bool all = origin.role == wire::Role::kOperator;
  const auto party = Unless(all, origin.party);
  if (command.expires_before) return DeviceGroup::ByExpiry(party);
  if (command.endpoint && origin.role == wire::Role::kAsp)
    return DeviceGroup::At(origin.party, *command.endpoint);
  if (const auto state = domain::StateOf(command.state)) return DeviceGroup::In(*state, party);
  return DeviceGroup::Of(party);
}

bool IsWanted(const DeviceBrief& device, const wire::DeviceList& command) {
  if (command.endpoint && device.endpoint != command.endpoint) return false;
  return command.state.empty() || domain::StateName(device.state) == command.state;
}

// "<device>", or "<microseconds>/<device>" where certificates' ends give the order; the form was checked with the schema.
std::string CursorOf(const DevicePosition& position) {
  const std::string device = position.device.text();
  return position.expires == UtcTime{} ? device : std::to_string(position.expires.micros) + '/' + device;
}

std::optional<DevicePosition> PositionOf(std::string_view cursor) {
  if (cursor.empty()) return std::nullopt;
  DevicePosition position;
  if (const auto slash = cursor.find('/'); slash != cursor.npos) {
    std::from_chars(cursor.data(), cursor.data() + slash, position.expires.micros);
    cursor.remove_prefix(slash + 1);
  }
  position.device = DeviceId::Parse(cursor).value_or(DeviceId());
  return position;
}

// When it is given up if nothing is heard: attempt n is followed by the wait of attempt n + 1, the last one by the end.
UtcTime GivenUpAt(const domain::Job& job, const domain::RetryPlan& plan) {
  UtcTime end = job.due;
  for (std::uint32_t attempt = job.attempt; attempt < plan.attempts_max; ++attempt) {
    end = end + jobs::Backoff(plan, attempt + 1);
  }
  return end;
}

wire::DeviceWait WaitOf(const domain::Job& job, const Policy& policy) {
  wire::DeviceWait wait;
  wait.what = domain::JobKindName(job.kind);
  wait.attempt = job.attempt;
  wait.due = job.due;
  wait.who = job.to.value_or(domain::RegistryParty());
  if (!job.to) return wait;
  const domain::RetryPlan& plan = policy.retry.Of(wait.who);
  wait.attempts = job.wanted ? std::max(plan.attempts_max, job.attempt) : job.attempt;
  // One that has not been sent has no plan yet.
  if (!job.unsent) wait.given_up = job.wanted ? GivenUpAt(job, plan) : job.due;
  return wait;
}

std::string HowLong(const wire::DeviceWait& wait) {
  if (wait.attempts == 0) return ", looked at again at " + ToRfc3339(wait.due) + ", never given up";
  if (!wait.given_up) return ", not sent yet: it waits until fewer jobs of this MNO are open";
  const std::string again = *wait.given_up == wait.due ? "" : ", asked again at " + ToRfc3339(wait.due);
  return again + ", given up at " + ToRfc3339(*wait.given_up);
}

// An ICCID is its MNO's.
std::vector<wire::DeviceProfile> ProfilesOf(const Device& device, const Origin& origin) {
  std::vector<wire::DeviceProfile> profiles;
  const domain::Profile* const serving = domain::Serving(device);
  for (const domain::Profile& one : device.profiles) {
    wire::DeviceProfile told{one.number,   one.mno,         std::string(domain::ProfileStateName(one.state)),
                             one.attached, serving == &one, std::nullopt};
    if (one.mno == origin.party) told.iccid = one.iccid;
    profiles.push_back(std::move(told));
  }
  return profiles;
}

}  // namespace

Result<wire::DeviceDescribed> Read(const wire::DeviceGet& command, const Case& at) {
  const auto device = FindOwn(command.device, at);
  if (!device) return device.error();
  wire::DeviceDescribed told;
  told.device = device->id;
  told.name = DeviceName(device->id, at.policy.zone);
  told.state = domain::StateName(device->state);
  told.holds = NamesOf(device->statuses);
  told.attached = domain::Attached(*device);
  told.sponsor = domain::Sponsor(*device);
  told.claimer = domain::Claimer(*device);
  told.endpoint = domain::EndpointOf(*device);
  if (domain::Sponsor(*device) == at.origin.party) {
    told.eid = device->eid;
    told.iccid = domain::IccidOf(*device);
  }
  if (const auto* live = domain::LiveCertificate(*device)) {
    told.serial = ToHex(live->serial);
    told.not_after = live->not_after;
  }
  told.profiles = ProfilesOf(*device, at.origin);
  for (const domain::Credential& one : device->credentials) {
    told.credentials.push_back({ToHex(one.certificate.serial), std::string(domain::PhaseName(one.phase)),
                                one.profile, one.certificate.not_after});
  }
  if (domain::InTransfer(*device)) told.transfer = device->transfer->id;
  told.created = device->created;
  told.updated = device->updated;
  return told;
}

Result<wire::DeviceListed> Read(const wire::DeviceList& command, const Case& at) {
  const DeviceGroup group = GroupOf(command, at.origin);
  const std::size_t limit = command.limit == 0 ? kLimitUnsaid : command.limit;
  auto behind = PositionOf(command.after);
  wire::DeviceListed told;
  for (std::size_t looked_at = 0; looked_at < kLookedAtMax;) {
    const std::size_t ask = std::min(kReadAtOnce, kLookedAtMax - looked_at);
    const auto devices = at.view.DevicesIn(group, behind, command.expires_before, ask);
    if (!devices) return devices.error();
    for (const DeviceBrief& device : *devices) {
      if (told.devices.size() == limit) return told;
      ++looked_at;
      behind = domain::PositionIn(group.kind, device);
      told.next = CursorOf(*behind);
      if (IsWanted(device, command)) told.devices.push_back(Told(device));
    }
    if (devices->size() < ask) {
      told.next.clear();
      break;
    }
  }
  return told;
}

std::vector<wire::DeviceWait> WaitsOf(const std::vector<domain::Job>& jobs, const Policy& policy) {
  std::vector<wire::DeviceWait> waits;
  for (const domain::Job& job : jobs) waits.push_back(WaitOf(job, policy));
  std::sort(waits.begin(), waits.end(), [](const auto& a, const auto& b) { return a.due < b.due; });
  return waits;
}

std::string InOneLine(const std::vector<wire::DeviceWait>& waits) {
  std::string line;
  for (const wire::DeviceWait& wait : waits) {
    line += line.empty() ? "waits for " : "; and for ";
    line += wait.what + " of " + wait.who.text() + ", attempt " + std::to_string(wait.attempt);
    if (wait.attempts > 0) line += " of " + std::to_string(wait.attempts);
    line += HowLong(wait);
  }
  return line.empty() ? "nothing is waited for" : line;
}

Result<wire::DeviceTraced> Read(const wire::DeviceTrace& command, const Case& at) {
  const auto device = FindOwn(command.device, at);
  if (!device) return device.error();
  const auto jobs = at.view.JobsOf(device->id);
  if (!jobs) return jobs.error();
  wire::DeviceTraced told;
  told.device = device->id;
  told.state = domain::StateName(device->state);
  told.waits = WaitsOf(*jobs, at.policy);
  told.says = Explain(*device, told.waits, at.context.now);
  for (const auto& [step, when] : device->trace) told.steps.push_back({step, when});
  return told;
}

}  // namespace registry::lifecycle
