// bridge/ctl/party_history.h: what has been done to parties, for an auditor: interface/parties.jsonl, one JSON object
// a line, the oldest first: time (UTC), event (added, renewed, changed, withdrawn, removed), party ("" where it is not
// known), serials of the certificates it is about, detail, and the user (number and name) who ran registryctl. What
// registryd takes of it stands in registryd's log.
// Threads: one at a time per folder (folder_lock.h). Errors (2400): file_failed.
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
