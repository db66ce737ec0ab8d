// bridge/ledger/device_v1.h: a device as records of version 1 have it: one profile, one certificate, one ASP. Up to folder
// format 2 there was no other, and such records stay as they are until their device is written again.
// Private to bridge/ledger. Plain functions, any thread.
#pragma once

#include <optional>
#include <string_view>

#include "workers/domain/device.h"

namespace registry::ledger {

// From the fields of the record; nullopt when they are none of version 1.
// What version 1 did not know: an eSIM that was seen on the network is enabled, else installed; the certificate and the
// claim are live, the certificate since it is valid; the authorisation code is the sponsor's, for an ASP, and never expires.
std::optional<domain::Device> DeviceOfVersion1(std::string_view fields);

}  // namespace registry::ledger
