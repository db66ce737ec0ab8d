// bridge/zone/follower.h: a registry that stands by follows the zone of the active one, so that it goes on with its versions
// when it takes over: its secondaries then take differences, and little is signed anew (README.md, "The standby's copy").
// It is a secondary of the other one's primary: it asks for differences (IXFR with the TSIG key of all, over TCP, or over
// TLS where the options have a certificate), takes the whole zone where it has none, and keeps each version in the file of
// the signed zone, as a copy (zone_records.h). What it has is served by nobody until a publisher opens that file.
// Owns: the file while it runs, one thread, and the file's own (zone_file.h). The clock outlives it.
// Threads: Start, Stop and the destructor from one, the rest from any. Stop waits for a tenth of a second, for a write to
//   the disk that is under way, for KeysBeside where that is asked, and until the zone's memory is given back.
// Errors of Start: those of LoadTsigKey, zone_options_invalid, and of the keys of the zone (keys.h). What goes wrong later
//   is a warning, each kind once a minute, when none of the primaries answers, or for a minute; the copy stays as it was.
// Limits: memory as the zone's publisher (README.md, "Memory and journal"), twice that while a whole zone is taken; a
//   question every kCopyAgain; kCopyReach for a connection; kCopyStep for each message of an answer; kFetchOctetsMax of a
//   transfer. A zone whose signatures are refused is asked for again after a minute, then later and later, an hour at most.
// Spec: RFC 1995, RFC 5936, RFC 8945, RFC 9103.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bridge/zone/publisher.h"

namespace registry::zone {

// A version that a secondary has and the copy has not costs that secondary the whole zone after a take-over.
inline constexpr std::chrono::milliseconds kCopyAgain{50};
inline constexpr std::chrono::seconds kCopyReach{2}, kCopyStep{20};
// Without a new version, where there are several that may be active; then it looks at one of the others.
inline constexpr std::chrono::seconds kCopyElsewhere{30};

struct CopySample {
  bool follows = false;                      // one of them answers, of late
  std::uint32_t serial = 0;                  // of the copy; 0: none
  std::uint64_t whole = 0, differences = 0;  // taken
};

// RDATA of DNSKEYs that may sign the DNSKEY set, as they are known elsewhere than in this node's files, by now. Called on
// the follower's thread, which waits for it, before signatures are refused.
using KeysBeside = std::function<Result<std::vector<Bytes>>()>;

class ZoneFollower {
 public:
  // Of `options`: zone, zone_file, TSIG key, listen_address (it asks from there), TLS files, the zone's keys, the journal's
  // limits. `primaries`: addresses and ports, of which the active one answers; those for TLS where there are such files.
  // `elsewhere`: see kCopyElsewhere. `beside` may be empty.
  static Result<std::unique_ptr<ZoneFollower>> Start(
      Options options, std::vector<std::pair<std::string, std::uint16_t>> primaries, LogLine log,
      KeysBeside beside = {}, std::chrono::milliseconds elsewhere = kCopyElsewhere);
  virtual ~ZoneFollower() = default;  // stops
  virtual void Stop() = 0;
  virtual CopySample sample() const = 0;
};

}  // namespace registry::zone
