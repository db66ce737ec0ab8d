// bridge/console/describe.h: devices, orders and transfers as the console's JSON. Pure, any thread.
#pragma once

#include <vector>

#include "bridge/console/json_answer.h"
#include "workers/domain/device.h"
#include "workers/domain/job.h"
#include "workers/domain/order.h"

namespace registry::console {

Json OfBrief(const domain::DeviceBrief& device);
// `reveal`: EID and ICCID in full.
Json OfDevice(const domain::Device& device, bool reveal);
Json OfTransfer(const domain::Transfer& transfer);
// `share` of its way, 0 to 1: of a group in order of device id, ids are random, so the place of the last one says it. None
// where that is not known.
Json OfOrder(const domain::Order& order);

}  // namespace registry::console
