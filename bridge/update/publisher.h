// bridge/update/publisher.h: the zone in a server of the operator's own, which signs it: the registry sends its changes
//   there as RFC 2136 UPDATE with TSIG. The other way to publish is the hidden primary (bridge/zone/publisher.h); both
//   stand behind one port and promise the same: `visible` is told what is served, signed, by the signing server and
//   every secondary.
// Flow: entries of Sink::kZone after the cursor -> look what the server has -> UPDATE, with what was seen as
//   prerequisites -> look again until it is there and signed -> the SOA's serial -> every secondary has that serial ->
//   `visible` -> cursor. Foreign records (device_records.h) are never overwritten: the device's change is put aside,
//   with an error line, and is tried again by the sweep. So is a name that the server delegates or answers with an
//   RCODE. The others pass. A deletion takes away what is ours by the marker and leaves the rest; without the marker
//   nothing is ours, so it is done. The sweep does not know deleted devices: a deletion that was put aside is kept in
//   memory, at most 1,000 of them, above which nothing more is published until some are done.
// Sweep: while nothing waits, some names a second are compared with the ledger, all of them in turn, and put right.
// Crash: entries after the cursor are sent again. A look finds them done, and nothing is sent.
// Owns: a thread, one that asks secondaries and one that tells arrivals.
// Threads: Start and Stop from one thread; snapshot from any. `visible` and `log` as in bridge/zone/publisher.h.
// Errors: a server that is away, refuses or does not sign is asked again after 0.5 s up to 30 s, with a line once a
//   minute, `reachable` and `refusal` in the snapshot; nothing is lost. Creation: those of LoadTsigKeys,
//   zone_options_invalid.
#pragma once

#include "bridge/zone/publisher.h"

namespace registry::update {

struct Options {
  zone::Options zone;  // what concerns keys, signatures, listening and the journal is not used
  std::string address;
  std::uint16_t port = 53;
  std::string owner =
      "registry";  // in the marker: another one for each registry that writes into the same zone
  std::chrono::milliseconds sweep_every{
      1000};  // a page of names; a pause between two rounds is sixty times that
  std::chrono::milliseconds retry_first{500}, retry_last{30'000};
};

inline constexpr const char* kServerName = "signing-server";  // in logs and metrics, as of a secondary

Result<std::unique_ptr<zone::Publisher>> CreatePublisher(Options options, ledger::Ledger& ledger,
                                                         zone::Visible visible, LogLine log);

}  // namespace registry::update
