// bridge/zone/publisher.h: hidden primary. Holds the zone as a projection of the ledger, signs incrementally, serves
// SOA, AXFR and IXFR with TSIG over TCP to secondaries, sends NOTIFY, and says when a change is visible.
// Owns: the signed zone in memory, its journal, a transfer server thread, a publishing thread and one that tells
// arrivals.
// Flow: entries of Sink::kZone after the cursor -> sign -> new serial (made durable before it is served, RFC 1982: it
//   never goes back) -> NOTIFY -> SOA asked of every secondary -> `visible` called with the batch -> cursor advanced.
//   The next batch leaves when every reachable secondary has the last one (self-clocking); it waits for no
//   consequence.
// Start: content from LedgerReader::ZoneAfter; entries after the cursor are applied again, which is harmless. Signatures
//   that Options::zone_file has kept are taken over where the content is the same.
// Threads: Start/Stop from one thread; Snapshot from any. `visible` is called on a thread of this room that does
//   nothing else, and returns only when the consequence is committed (then, and only then, does the cursor move);
//   false: called again later. `log` is called on every thread of this room.
// Restored ledger: a secondary that is ahead (RFC 1982) does not count as serving; the serial moves past it, durably.
// Keys: they roll over by themselves when there is a key set (key_roller.h). Other ones than the zone was served with
//   before, and that no roll-over has brought, are refused (RFC 6781 §4.1: what caches hold would be bogus), unless
//   Options::new_keys names them.
// A key that is away (a token that was pulled): no version is begun without it, and one that was begun waits for it. What is
//   served goes on being served, changes wait in the outbox, and the log says so once a minute.
// Oversized content is refused with an error line: it is never handed to `visible`, and the cursor passes it.
// Errors: a secondary that lags or cannot be reached is a metric and a log line, never a silent wait. It holds back
//   what is visible, for Options::lag_limit at most, not what the others are served: above in_flight_max waiting changes
//   their content is dropped and read again from the ledger when it has arrived.
// Spec: RFC 4034, 4035, 5155 (§9276: 0 iterations, no salt), 1982, 1995, 1996, 5936, 8945.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bridge/clock.h"
#include "bridge/ledger/ledger.h"
#include "bridge/log_line.h"
#include "bridge/tls_server.h"
#include "bridge/zone/ds_query.h"
#include "bridge/zone/key_roll.h"
#include "bridge/zone/secondary_news.h"
#include "bridge/zone/tsig_key_file.h"

namespace registry::zone {

struct SecondaryAddress {
  std::string name;     // for logs and metrics
  std::string address;  // IP address
  std::uint16_t port = 53;
  TsigKeyFile key = {};         // not given: that of all
  TsigKeyFile former_key = {};  // taken as well, while the secondary is given the other one
  std::string tls_name = {};    // a dNSName of the certificate that it shows over TLS
};

// Transfers over TLS (transfer_tls.h), beside those over TCP.
struct TlsOptions {
  std::string address;
  std::uint16_t port = 853;  // 0: any free one, see Snapshot
  TlsServerFiles files;      // no certificate: there is no TLS
  bool only = false;         // no transfers over plain TCP
  bool on() const { return !files.certificate.empty(); }
};

// A device is not to be believed any more, and this secondary was heard to serve a version that says so, so long after the
// decision.
using RevocationServed = std::function<void(const std::string& secondary, std::chrono::microseconds after)>;

// The key set's file has this text now. Until this succeeds, nothing is signed as the text says.
using KeySetStored = std::function<Status(const std::string& text)>;

struct Options {
  std::string zone;                                       // "iotregistry.test", no trailing dot
  std::vector<std::string> name_servers;                  // NS targets
  std::vector<std::pair<std::string, std::string>> glue;  // name -> address, for targets inside the zone
  std::string contact;  // SOA RNAME in host form, "hostmaster.iotregistry.test"
  std::uint32_t tlsa_ttl = 60, negative_ttl = 60, apex_ttl = 3600;  // the SOA's TTL is negative_ttl
  std::chrono::seconds signature_validity{14 * 86400}, signature_refresh{7 * 86400}, inception_offset{3600};
  std::string ksk_file,
      zsk_file;  // PEM, PKCS#8, P-256, or URIs of keys in a token; what signs until there is a key set
  std::string key_set_file;       // empty: the two files sign for ever, and nothing is rolled over
  KeySetStored key_set_stored{};  // on the publishing thread, which waits for it
  std::string zone_file;  // the signed zone, kept for the next start (zone_file.h); empty: it is signed anew
  RollPolicy rolls;       // the TTLs in it are set from those of the zone
  CdsPolicy cds = CdsPolicy::kRollover;
  std::vector<ParentAddress> parents;  // asked for the DS; none: the operator says that it is there
  std::chrono::milliseconds parent_every{60'000};  // how often, while one is awaited
  std::string new_keys;  // their tags, "ksk/zsk", where they may differ from those served before
  std::string listen_address = "127.0.0.1";
  std::uint16_t listen_port = 0;            // 0: any free one, see Snapshot
  std::string tsig_name, tsig_secret_file;  // hmac-sha256, base64 in the file
  TsigKeyFile former_key;                   // of all, taken as well
  TlsOptions tls;
  std::vector<SecondaryAddress> secondaries;
  std::vector<Bytes> apex_certificates;  // registry CA certificates (DER): TLSA at the apex, first the root
  // A secondary that lacks a version, or does not answer, for longer than this holds back nothing any more; 0: it does.
  std::chrono::seconds lag_limit{60};
  SecondaryTold secondary_told;  // called on the thread that asks the secondaries, which waits for it
  std::size_t batch_max = 1000;
  std::size_t in_flight_max = 200'000;  // changes published and not yet visible that are kept in memory
  std::size_t journal_bytes_max = 64u << 20, journal_changes_max = 4096;
  RevocationServed
      revocation_served;         // called on the publishing thread, which waits for it (revocation_watch.h)
  const Clock* clock = nullptr;  // outlives the publisher; the system's when null
};

struct Snapshot {
  std::uint16_t port = 0, tls_port = 0;  // tls_port 0: no TLS
  std::uint32_t serial = 0;
  std::uint64_t names = 0;
  std::uint64_t pending = 0;  // entries wanted and not yet visible everywhere
  std::int64_t first_expiry =
      0;  // when the first signature expires, Unix time; 0: one must be made again at once
  std::uint64_t axfr = 0, ixfr = 0, refused = 0;
  std::uint64_t dropped = 0;                    // of peers that ask too much: requests and connections
  std::uint64_t tls_made = 0, tls_refused = 0;  // handshakes
  struct Lag {
    std::string name;
    std::uint32_t serial = 0;
    bool reachable = false;  // its answers verify
    std::chrono::milliseconds behind{0};
    std::string refusal;       // why not, when it answers and nothing of that verifies
    bool left_behind = false;  // what becomes visible does so without it (Options::lag_limit)
    // Since the decision of the oldest revocation that it does not serve; zero: there is none.
    std::chrono::milliseconds revocation_waits{0};
    std::chrono::milliseconds left_for{0};  // while it is left behind: for how long it has served nothing new
  };
  std::vector<Lag> secondaries;
  std::vector<RollStatus> rolls;  // of keys, under way
  std::string ds_due;             // the record that the parent must publish now; empty: none
};

using Visible = std::function<bool(const std::vector<domain::ZoneChange>& changes)>;

class Publisher {
 public:
  static Result<std::unique_ptr<Publisher>> Create(Options options, ledger::Ledger& ledger, Visible visible,
                                                   LogLine log);
  virtual ~Publisher() = default;
  virtual Status Start() = 0;
  virtual void Stop() = 0;
  virtual Snapshot snapshot() const = 0;
  // The files of Options::tls as they are now, for connections from now on; an error leaves what was read before.
  virtual Status ReadTlsAgain() { return Done{}; }
};

}  // namespace registry::zone
