// bridge/app/check.h: what --check-config finds wrong beyond the file itself: every key, certificate, secret
// and address it names, loaded as a start would load them, without opening a ledger or a socket.
// Each fault is one sentence that begins with the configuration's key. Threads: any.
#pragma once

#include <string>
#include <vector>

#include "bridge/app/config.h"

namespace registry::app {

std::vector<std::string> FaultsOf(const Config& config);

// A DS (RFC 4034 §5.3) or DNSKEY (§2.2) record in presentation form, on one line, TTL and class optional.
bool IsTrustAnchor(const std::string& text);

}  // namespace registry::app
