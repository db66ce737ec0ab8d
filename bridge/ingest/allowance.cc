#include "bridge/ingest/allowance.h"

#include <algorithm>
#include <cmath>

namespace registry::ingest {
namespace {

constexpr double kHour = 3600;                 // seconds
constexpr double kWorthWaitingFor = 0.01;      // of an hour's allowance
constexpr std::size_t kRecord = 128;           // octets of keys and numbers, of any record
constexpr std::size_t kEndpointRecord = 4096;  // with the certificate it is trusted by
constexpr std::size_t kDeviceRecord = 2048;    // certificate, trace and names of a device

std::size_t OctetsOf(const domain::EventMark& mark) {
  std::size_t octets =
      kRecord + mark.reply.topic.size() + mark.reply.payload.size() + mark.reply.correlation_data.size();
  for (const auto& [part, digest] : mark.digests) octets += part.size() + digest.size();
  return octets;
}

}  // namespace

// A clock that was set back gives nothing back and takes nothing away.
Allowance::Account& Allowance::AccountOf(const PartyId& party, UtcTime now) {
  Account& account = accounts_.try_emplace(party, Account{0, now}).first->second;
  const double passed = static_cast<double>(now.micros - account.at.micros) / 1e6;
  if (passed > 0) account.used = std::max(0.0, account.used - passed * per_hour_ / kHour);
  account.at = now;
  return account;
}

std::chrono::seconds Allowance::Wait(const PartyId& party, UtcTime now) {
  const MutexLock lock(mutex_);
  const double over = AccountOf(party, now).used - per_hour_;
  if (over < 0) return std::chrono::seconds(0);
  return std::chrono::seconds(std::lround(std::ceil((over / per_hour_ + kWorthWaitingFor) * kHour)));
}

void Allowance::Use(const PartyId& party, std::size_t octets, UtcTime now) {
  const MutexLock lock(mutex_);
  AccountOf(party, now).used += static_cast<double>(octets);
}

std::size_t KeptOctets(const domain::Changeset& changes) {
  std::size_t octets = changes.mark ? OctetsOf(*changes.mark) : 0;
  octets += changes.devices.size() * kDeviceRecord;
  octets += (changes.claims.size() + changes.jobs_put.size() + changes.order_items.size()) * kRecord;
  for (const auto& entry : changes.history) octets += kRecord + entry.what.size();
  for (const auto& said : changes.notifications) octets += kRecord + said.data.size();
  for (const auto& put : changes.endpoints) octets += kEndpointRecord + 2 * put.endpoint.legacy_json.size();
  return octets;
}

}  // namespace registry::ingest
