// bridge/ledger/record_versions.h: the versions that records of each kind have had, and what makes today's value of an
// earlier one. A record is always written in the newest version. A kind gets a new one when its fields change so that a new
// tag is not enough; its reader of the fields as they were joins the table here, and stays.
// Private to bridge/ledger. Plain functions, any thread.
#pragma once

#include <array>

#include "bridge/ledger/device_v1.h"

namespace registry::ledger {

// From the fields of a record of that version; nullopt when they are none.
template <class T>
using ReadEarlier = std::optional<T> (*)(std::string_view fields);

// The first reads version 1, the next version 2, and so on.
template <class T>
inline constexpr std::array<ReadEarlier<T>, 0> kEarlierVersions{};
template <>
inline constexpr std::array<ReadEarlier<domain::Device>, 1> kEarlierVersions<domain::Device>{
    DeviceOfVersion1};

template <class T>
inline constexpr std::uint8_t kRecordVersion = kEarlierVersions<T>.size() + 1;

}  // namespace registry::ledger
