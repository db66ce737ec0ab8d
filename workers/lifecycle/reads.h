// workers/lifecycle/reads.h: what a party may ask of its devices. A read decides nothing and writes nothing. A party
// sees its own devices: an MNO those with a profile of its own, an ASP those bound to it or about to be, the operator
// all. A device of somebody else is answered as one that does not exist. EID and ICCID are said to the sponsor alone.
// Pure, any thread; errors are the rejection the sender gets.
#pragma once

#include "schemas/wire/queries.h"
#include "workers/lifecycle/lifecycle.h"

namespace registry::lifecycle {

Result<wire::DeviceDescribed> Read(const wire::DeviceGet&, const Case&);
// A page looks at no more than kLookedAtMax devices of the narrowest group there is for the question, so one that leaves
// many out may have fewer than `limit`, or none, and still be followed by another.
Result<wire::DeviceListed> Read(const wire::DeviceList&, const Case&);
Result<wire::DeviceTraced> Read(const wire::DeviceTrace&, const Case&);
Result<wire::EndpointListed> Read(const wire::EndpointList&, const Case&);
// The last transfer of each device that the party loses or gains by; of a page and its devices the same holds.
Result<wire::TransferListed> Read(const wire::TransferList&, const Case&);
inline constexpr std::size_t kLookedAtMax = 2000;

// What a device waits for, given its jobs, the next due first, and the same in one line.
std::vector<wire::DeviceWait> WaitsOf(const std::vector<domain::Job>& jobs, const Policy& policy);
std::string InOneLine(const std::vector<wire::DeviceWait>& waits);

}  // namespace registry::lifecycle
