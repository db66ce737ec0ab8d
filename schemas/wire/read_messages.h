// schemas/wire/read_messages.h: the field tables of reads and their replies, kept apart from messages.cc for its length.
// Room-internal.
#pragma once

#include "schemas/wire/fields.h"
#include "schemas/wire/queries.h"

namespace registry::wire {

template <>
const Fields<DeviceGet>& Table<DeviceGet>();
template <>
const Fields<DeviceList>& Table<DeviceList>();
template <>
const Fields<DeviceTrace>& Table<DeviceTrace>();
template <>
const Fields<DeviceBrief>& Table<DeviceBrief>();
template <>
const Fields<DeviceDescribed>& Table<DeviceDescribed>();
template <>
const Fields<DeviceListed>& Table<DeviceListed>();
template <>
const Fields<DeviceWait>& Table<DeviceWait>();
template <>
const Fields<DeviceStep>& Table<DeviceStep>();
template <>
const Fields<DeviceTraced>& Table<DeviceTraced>();

}  // namespace registry::wire
