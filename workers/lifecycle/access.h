// workers/lifecycle/access.h: finding a device and asking whether this party may touch it. Ownership decides on which
// devices, roles (checked at admission) on which commands.
#pragma once

#include "workers/domain/decision.h"

namespace registry::lifecycle {

// 2303 "device_unknown"; a tombstone counts as unknown.
Result<domain::Device> FindLive(const DeviceId& id, const domain::View& view);
// As FindLive, and 2201 "not_sponsor" unless the party is the sponsoring MNO.
Result<domain::Device> FindSponsored(const DeviceId& id, const domain::Origin& origin,
                                     const domain::View& view);
// As FindLive, and 2201 "not_claimer" unless the party is the claiming ASP or the operator.
Result<domain::Device> FindManaged(const DeviceId& id, const domain::Origin& origin,
                                   const domain::View& view);

// As FindLive, and 2201 "not_sponsor" or "not_claimer" unless the party is the sponsoring MNO, the claiming ASP or the
// operator.
Result<domain::Device> FindConcerned(const DeviceId& id, const domain::Origin& origin,
                                     const domain::View& view);
// The profile of this number, or the serving one for 0, if it is the party's; nullptr otherwise.
const domain::Profile* ProfileOf(const domain::Device& device, std::uint32_t number, const PartyId& party);
Error NotSponsor();  // 2201
// 2304 "state_prohibits": a transfer that was approved is carried out, and what it is about must not change meanwhile. While
// it waits to be decided the table of commands refuses (lifecycle.h).
Status RefuseInTransfer(const domain::Device& device);

// Frees EID, ICCID and key-agreement key for whoever comes next on this eSIM: only what the device itself holds, so
// that its successor's values can never be released. The last act of a deleted device, once nothing of its work can
// still reach the eSIM.
Status ReleaseEsim(domain::Device& device, const domain::View& view, domain::Changeset& changes);

// A key-agreement key that the device has no use for any more; empty: none. Only what the device itself holds.
Status ReleaseAgreementKey(const domain::Device& device, const Bytes& key, const domain::View& view,
                           domain::Changeset& changes);

// Adds the device to the changeset under the version it was read with.
void Put(const domain::Device& device, domain::Changeset& changes);

}  // namespace registry::lifecycle
