// workers/domain/invariants.h: what must never be, said once: of one device, of a device beside what the zone shall hold
// for it and the work that waits, and of a changeset beside what it replaces.
// Asked at the one place where devices are written (bridge/ledger/sound.h), by `ledger verify` and by random histories
// (tests/simulation). A fault is a sentence that names the device and the rule; none: sound.
// Rules between devices (one EID, key or serial each) are claims of the changeset, which the ledger itself holds apart.
// Pure, any thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "workers/domain/changeset.h"

namespace registry::domain {

using Faults = std::vector<std::string>;

// The record alone: a live certificate exactly in the states that have one, parts that fit each other (part_rules.h),
// counters that fit.
Faults FaultsOf(const Device& device);
// TLSA of the live certificate, and beside it of no other than the device's own; none without a live one. A deleted device
// has no name. nullopt: the name does not exist.
Faults FaultsInZone(const Device& device, const std::optional<ZoneChange>& wanted);
// Every job waits for what the device's state can still use, one of a kind; nothing new is given to a device on hold; a zone
// change not yet seen has its alarm.
Faults FaultsInJobs(const Device& device, const std::vector<Job>& jobs);

// What the ledger holds of a device before a changeset.
struct Before {
  std::optional<Device> device;  // nullopt: not there
  std::vector<Job> jobs;
};
using BeforeOf = std::map<DeviceId, Before>;

// The devices whose Before is asked for: those put, and those whose jobs or zone content change.
std::vector<DeviceId> Touched(const Changeset& changes);
// Everything above of what the changeset leaves behind, and of the step itself: a certificate goes only with its revocation
// and comes only with its claims, the zone changes with the device and the device with the zone, a state is reached by
// the table in lifecycle.h, identity stays, counters never go back, and nobody but the device's own parties is notified.
// A fault of the record or its jobs that was there before is not one of this step.
// `before` holds every device that is Touched.
Faults FaultsOf(const Changeset& changes, const BeforeOf& before);

}  // namespace registry::domain
