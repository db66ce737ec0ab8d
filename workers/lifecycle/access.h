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

// Adds the device to the changeset under the version it was read with.
void Put(const domain::Device& device, domain::Changeset& changes);

}  // namespace registry::lifecycle
