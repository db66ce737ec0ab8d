// bridge/app/party_reload.h: what a running registryd takes of its configuration when it reads that again (SIGHUP): who the
// parties are and what holds for each, and [limits], [retry] and [transfer], from which that follows. Everything else
// belongs to a start. TakeParties is pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bridge/app/config.h"
#include "bridge/log_line.h"

namespace registry::app {

struct PartyReload {
  Config config;                     // from now on
  std::vector<std::string> changes;  // a sentence each, for the log; empty: nothing is other than before
  std::vector<std::string>
      waiting;  // tables and keys that the file has otherwise, and that only a start takes
};
PartyReload TakeParties(const Config& running, const Config& read);

// The file as it is now. None: it is wrong, which is said, and the parties stay as they were.
std::optional<Config> ReadPartiesAgain(const std::string& file, const LogLine& log);
// What changed, and what waits for a start.
void SayTaken(const PartyReload& taken, const LogLine& log);

}  // namespace registry::app
