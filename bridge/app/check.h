// bridge/app/check.h: what is wrong with a configuration beyond the file itself: every key, certificate, secret and address
// it names, loaded and held against each other, without opening a ledger or a socket. --check-config says it and ends; a
// start says the very same and goes on only when there is none.
// Each fault is one sentence that begins with the configuration's key, or with the file's name. Threads: any.
#pragma once

#include <string>
#include <vector>

#include "bridge/app/config.h"

namespace registry::app {

std::vector<std::string> FaultsOf(const Config& config);
// Whether a token that it names is not there, or does not answer: that may pass by itself (an HSM that is slower to start
// than this host), so a start that finds faults ends as one that may be tried again. What is wrong with the PIN may not.
bool TokenIsAway(const Config& config);
// For --check-config alone, which has the time: what the ledger's server says of it, where that is one. What the role may
// not do there is a fault, and a start finds it itself. That the server cannot be asked from here is a warning.
struct ServerSays {
  std::vector<std::string> faults, warnings;
};
ServerSays AskLedgerServer(const Config& config);
// What is allowed and seldom meant. --check-config says it on standard error and is good all the same; a start logs it.
std::vector<std::string> WarningsOf(const Config& config);

}  // namespace registry::app
