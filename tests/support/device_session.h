// tests/support/device_session.h: devices of a lab that are told to have another session, or have had their first.
// Threads: the lab's owner. Limits: `patience` for each.
#pragma once

#include <set>

#include "simulators/lab/heard.h"
#include "simulators/lab/lab.h"

namespace registry::test {

// With its former key and certificate, if `former`. What the device says of it; nullopt: nothing.
std::optional<nlohmann::json> SessionAgain(lab::Lab& lab, lab::Heard& heard, const std::string& device,
                                           std::chrono::seconds patience, bool former = false);

// So many devices that have said that they are through, at or behind `from`: activated, their names proved, and welcome at
// their ASP. Fewer, and a failure, when one of them is not, or none says so in time.
std::set<std::string> DevicesDone(lab::Heard& heard, std::size_t& from, std::size_t count,
                                  std::chrono::seconds patience);

}  // namespace registry::test
