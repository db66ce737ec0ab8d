#include "bridge/ledger/sound.h"

#include <algorithm>

#include "workers/domain/invariants.h"

namespace registry::ledger {
namespace {

// Put as new: there is nothing to read, and if there is, that is for Commit to say.
bool IsNew(const DeviceId& id, const domain::Changeset& changes) {
  return std::any_of(changes.devices.begin(), changes.devices.end(), [&](const domain::DevicePut& put) {
    return put.device.id == id && put.expected_version == 0;
  });
}

Result<domain::Before> LoadBefore(const DeviceId& id, const LedgerReader& reader) {
  auto device = reader.LoadDevice(id);
  if (!device) return device.error();
  auto jobs = reader.JobsOf(id);
  if (!jobs) return jobs.error();
  return domain::Before{std::move(*device), std::move(*jobs)};
}

// The decision was made from a view that is no longer so: that is for Commit to say.
bool Moved(const domain::Changeset& changes, const domain::BeforeOf& before) {
  for (const auto& put : changes.devices) {
    const auto& was = before.at(put.device.id).device;
    if ((was ? was->version : 0) != put.expected_version) return true;
  }
  return false;
}

// Where several write to the ledger, a device may have moved between the reading of it and that of its jobs. Then what was
// found says nothing, and the decision is stale.
Result<bool> MovedMeanwhile(const domain::BeforeOf& before, const LedgerReader& reader) {
  for (const auto& [id, was] : before) {
    const auto now = reader.LoadDevice(id);
    if (!now) return now.error();
    if ((*now ? (**now).version : 0) != (was.device ? was.device->version : 0)) return true;
  }
  return false;
}

Error Unsound(const domain::Faults& faults) {
  std::string message;
  for (const std::string& fault : faults) message += (message.empty() ? "" : "; ") + fault;
  return Error::Make(Code::kFailed, kUnsound, message);
}

Status CheckSound(const Ledger& ledger, const domain::Changeset& changes) {
  domain::BeforeOf before;
  for (const DeviceId& id : domain::Touched(changes)) {
    auto was = IsNew(id, changes) ? domain::Before{} : LoadBefore(id, ledger);
    if (!was) return was.error();
    before.emplace(id, std::move(*was));
  }
  if (!Moved(changes, before)) {
    const domain::Faults faults = domain::FaultsOf(changes, before);
    if (faults.empty()) return Done{};
    const auto moved = MovedMeanwhile(before, ledger);
    if (!moved) return moved.error();
    return *moved ? Error::Make(Code::kFailed, kStale, "a device moved while it was read") : Unsound(faults);
  }
  return Done{};
}

}  // namespace

Status CommitSound(Ledger& ledger, domain::Changeset changes) {
  if (auto sound = CheckSound(ledger, changes); !sound) return sound;
  return ledger.Commit(std::move(changes));
}

void CommitSoundLater(Ledger& ledger, domain::Changeset changes, Ledger::WhenDone done) {
  if (auto sound = CheckSound(ledger, changes); !sound) return done(std::move(sound));
  ledger.CommitLater(std::move(changes), std::move(done));
}

}  // namespace registry::ledger
