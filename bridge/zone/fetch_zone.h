// bridge/zone/fetch_zone.h: the whole zone as one name server has it, by AXFR with TSIG, for a person who wants to know
// (registryctl zone check).
// What of the answers counts is transfer_reader.h's.
// Threads: any; blocks, `step` at most for the connection with the question and for each message, and `whole` in all.
// Errors: in words, in `why`.
#pragma once

#include <chrono>

#include "bridge/zone/publisher.h"
#include "bridge/zone/transfer_reader.h"

namespace registry::zone {

struct FetchPatience {
  std::chrono::milliseconds step{5000}, whole{300'000};
};
// `source`: the address that registryd asks from (zone.listen_address), since access lists know it by that.
FetchedZone FetchZone(const SecondaryAddress& server, const Name& zone, const TsigKey& key,
                      const Clock& clock, const std::string& source, FetchPatience patience = {});

}  // namespace registry::zone
