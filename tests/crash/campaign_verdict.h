// tests/crash/campaign_verdict.h: what must hold when a campaign is over: what was accepted took effect once, nothing else
// did, and what must never be (workers/domain/invariants.h) is not. Each fault found fails the test.
// Threads: the owner's. The ledger is read at rest.
#pragma once

#include <map>
#include <string>

#include "bridge/ledger/ledger.h"
#include "tests/crash/campaign_work.h"

namespace registry::test {

// A device that has another key lets the former one go when nobody can believe in it any more, some seconds later.
bool EveryDeviceHasOneCertificate(const ledger::LedgerReader& reader);
// `devices`: as the parties were told; `witnessed`: how many commands of the witness were accepted.
void ExpectCampaignHolds(const ledger::LedgerReader& reader, const std::map<std::string, DeviceWork>& devices,
                         int witnessed);

}  // namespace registry::test
