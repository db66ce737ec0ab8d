// workers/domain/part_rules.h: what must never be of a device's profiles, credentials, bindings, codes and transfer, and
// how they may follow from one record to the next. A share of invariants.h, which says where it is asked. Pure, any thread.
#pragma once

#include <string_view>
#include <vector>

#include "workers/domain/device.h"

namespace registry::domain {

// Each a sentence to follow the device's name: too many of a part, a number twice, more than one of what there is one of, a
// part that names one that is not there.
std::vector<std::string_view> FaultsOfParts(const Device& device);
// No profile changed its eSIM or its MNO, and none went that was not deleted.
bool SameParts(const Device& was, const Device& is);
// Less is delivered for a binding than was.
bool DeliveriesWentBack(const Device& was, const Device& is);

}  // namespace registry::domain
