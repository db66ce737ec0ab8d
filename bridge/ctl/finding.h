// bridge/ctl/finding.h: one line of `registryctl doctor`: what was looked at, how it is, and what to do when it is not good.
// The looks themselves: each reads files, asks one other side, and waits a few seconds at most for each answer. None changes
// anything. Threads: the main one.
#pragma once

#include <string>
#include <vector>

#include "bridge/app/config.h"
#include "bridge/ctl/ask.h"
#include "bridge/zone/ask_once.h"

namespace registry::ctl {

enum class Verdict { kGood, kWarning, kFault, kSkipped };

struct Finding {
  std::string check;
  Verdict verdict = Verdict::kGood;
  std::string says{};
  std::string todo{};  // empty: nothing
};
using Findings = std::vector<Finding>;

// The configuration with all that it names, the process that runs by it, disk and clock.
Findings LookAtFiles(const app::Config& config, const std::string& file);
Findings LookAtProcess(const app::Config& config);
Findings LookAtHost(const app::Config& config);
// Days until certificates and lists end that nobody renews by itself.
Findings LookAtDates(const app::Config& config);
// As the operator's party: TLS, who is let in, what one party may hear and say of another, and whether registryd answers.
Findings LookAtBroker(const app::Config& config, const AskOptions& ask);
// Another node has the ledger and serves: nothing of the registry runs here (bridge/app/NODES.md).
bool NodeStandsBy(const app::Config& config);
// Each secondary's SOA and clock, signed; the resolver that devices are told, and what it makes of the zone and its DS.
Findings LookAtSecondaries(const app::Config& config);
// What registryd serves transfers over TLS with, where it does.
Findings LookAtTransferTls(const app::Config& config);
Findings LookAtResolver(const app::Config& config);
// Whether the anchors that devices are given are of keys that their zones have, as that resolver says.
Finding LookAtAnchors(const app::Config& config, const zone::TlsResolver& resolver);

}  // namespace registry::ctl
