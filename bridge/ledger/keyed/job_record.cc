#include "bridge/ledger/keyed/job_record.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "bridge/ledger/keyed/keys.h"
#include "bridge/ledger/record_codec.h"
#include "workers/domain/job_kinds.h"
#include "workers/domain/standing.h"

namespace registry::ledger {
namespace {

// One that is sent says which deadline was told since `told` is kept; zone.visible tells nobody one.
bool IsWhole(const domain::Job& job) {
  if (domain::RowOf(job.kind).on_due != domain::OnDue::kSentAgain) return true;
  return job.to && (job.unsent || job.told.micros != 0);
}

// What its action says. It may since have been put off, which its addressee was not told.
UtcTime Told(const domain::Job& job) {
  const auto action = nlohmann::json::parse(job.body, /*cb=*/nullptr, /*allow_exceptions=*/false);
  if (!action.is_object() || !action.contains("deadline") || !action["deadline"].is_string()) return job.due;
  const auto deadline = FromRfc3339(action["deadline"].get<std::string>());
  return deadline ? std::min(job.due, *deadline) : job.due;
}

// It was its device's sponsor's. The wipe of a device that had been reactivated was not wanted any more.
void Complete(domain::Job& job, const domain::Device& device) {
  if (!job.to) job.to = domain::Sponsor(device);
  if (job.unsent || job.told.micros != 0) return;
  job.told = Told(job);
  job.wanted = job.kind != domain::JobKind::kAppletWipe || device.state != domain::State::kAttached;
}

}  // namespace

Result<domain::Job> ReadJob(const Store& store, std::string_view record) {
  auto job = Decode<domain::Job>(record);
  if (!job || IsWhole(*job)) return job;
  const auto stored = store.Get(Column::kDevices, keys::OfDevice(job->device()));
  if (!stored) return stored.error();
  if (!*stored) return job;  // `ledger verify` tells of it
  const auto device = Decode<domain::Device>(**stored);
  if (!device) return device.error();
  Complete(*job, *device);
  return job;
}

Result<bool> IsLeftOver(const Store& store, const domain::Job& job) {
  if (job.kind != domain::JobKind::kZoneVisible) return false;
  const auto stored = store.Get(Column::kDevices, keys::OfDevice(job.device()));
  if (!stored) return stored.error();
  if (!*stored) return false;  // `ledger verify` tells of it
  const auto device = Decode<domain::Device>(**stored);
  if (!device) return device.error();
  return job.version < device->zone.wanted;
}

Status DropLeftOver(const Store& store, OrderedWrites& writes) {
  return store.Scan(Column::kJobs, "", "",
                    [&](std::string_view key, std::string_view record) -> Result<bool> {
                      const auto job = Decode<domain::Job>(record);
                      if (!job) return job.error();
                      const auto left_over = IsLeftOver(store, *job);
                      if (!left_over) return left_over.error();
                      if (*left_over) writes.Delete(Column::kJobs, writes.Keep(std::string(key)));
                      return true;
                    });
}

}  // namespace registry::ledger
