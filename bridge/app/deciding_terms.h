// bridge/app/deciding_terms.h: what decisions follow from, in short, so that nodes that decide on one ledger at once
// can tell whether they would decide alike. The active one keeps it beside the ledger (bridge/ledger/kept_state.h)
// under "terms-of-deciding"; whoever is to decide beside it holds its own against that.
// A part is a name for people and the SHA-256 of what it says. Limits of parties are no part: each node counts for
// itself.
// Threads: any. Errors: those of the kept state. What cannot be read differs in every part.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "bridge/app/config.h"
#include "bridge/app/material.h"
#include "bridge/ledger/kept_state.h"

namespace registry::app {

using DecidingTerms = std::map<std::string, std::string>;  // part, digest

DecidingTerms DecidingTermsOf(const Config& config, const Material& material);
Status KeepTerms(const DecidingTerms& terms, ledger::KeptState& kept);
Result<std::optional<DecidingTerms>> KeptTerms(const ledger::KeptState& kept);  // nothing: none are kept
// "parties, zone"; empty: they are the same.
std::string Differing(const DecidingTerms& one, const DecidingTerms& other);

}  // namespace registry::app
