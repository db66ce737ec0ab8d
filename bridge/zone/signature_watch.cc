#include "bridge/zone/signature_watch.h"

namespace registry::zone {

// Signatures are made again when `refresh` is left: where half of that is left, it has not been done for long.
void SignatureWatch::Look(UtcTime now) {
  if (const std::size_t bogus = store_.ExpediteFromAhead(now); bogus > 0) {
    log_.Error("zone: the clock went back: " + std::to_string(bogus) +
               " signatures begin in the future and validate nowhere, they are made again now");
  }
  const std::int64_t left = store_.FirstExpiry() - now.seconds();
  const bool late = left < refresh_.count() / 2;
  if (late == late_) return;
  late_ = late;
  if (!late) return log_.Info("zone: signatures last long enough again");
  log_.Error(left > 0
                 ? "zone: the first signature expires in " + std::to_string(left) +
                       " s and has not been made again: the zone is about to be bogus"
                 : std::string("zone: signatures have expired or begin in the future, and have not been made "
                               "again yet: the zone is bogus"));
}

}  // namespace registry::zone
