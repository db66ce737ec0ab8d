// bridge/ctl/party_history.h: what has been done to parties, for an auditor: interface/parties.jsonl, one JSON object
// a line, the oldest first: time (UTC), event (added, renewed, changed, withdrawn, removed), party ("" where it is not
// known), serials of the certificates it is about, detail, and the user (number and name) who ran registryctl. What was done
// to trust anchors (anchor_life.h) is of the party "registry". registryd puts every line into the history
// (bridge/app/party_acts.h), so a line is never changed or taken away.
// Threads: one at a time per folder (folder_lock.h). Errors (2400): file_failed, also where a link, or anything but a
// regular file, stands in the file's place. A line is there whole or not at all, also when the disk is full.
// Limits: only added to; a line is some 200 octets.
#pragma once

#include <string>
#include <vector>

#include "schemas/base/result.h"
#include "schemas/base/utc_time.h"

namespace registry::ctl {

struct PartyEvent {
  UtcTime time;
  std::string event, party;
  std::vector<std::string> serials;
  std::string detail;
};
// Synced.
Status RecordEvent(const std::string& interface, const PartyEvent& event);
// The lines as they are, of one party.
Result<std::vector<std::string>> EventsOf(const std::string& interface, const std::string& party);

}  // namespace registry::ctl
