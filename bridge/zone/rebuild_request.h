// bridge/zone/rebuild_request.h: the operator's word that the zone is to be made anew from the ledger, whatever is kept of
// it elsewhere: a file beside the keys that registryctl writes and registryd removes when it has done so.
// Whoever may write there holds the zone's keys, so the file needs no other permission.
// What was done gets into the hash-chained history before the file goes, in an entry of no single device. If the ledger
// refuses it, the file goes all the same.
// Errors: "file_failed", or the ledger's. Threads: any. Limits: a reason of kReasonMax octets, of one line.
#pragma once

#include <optional>
#include <string>

#include "bridge/zone/publisher.h"

namespace registry::zone {

inline constexpr std::size_t kReasonMax = 500;
inline constexpr std::size_t kRequestMax = kReasonMax + 100;  // with who asked

std::string RebuildFileOf(const Options& options);
// Takes the place of a request that waits already.
Status RequestRebuild(const std::string& file, const std::string& reason);
// The reason; nullopt when nothing is requested. Octets that are no plain text are question marks.
std::optional<std::string> RebuildRequested(const std::string& file);
// The zone was made anew, under this serial. Also when nothing is there any more.
Status RebuildDone(const std::string& file, ledger::Ledger& ledger, std::uint32_t serial, UtcTime now);

}  // namespace registry::zone
