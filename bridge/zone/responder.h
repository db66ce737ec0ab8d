// bridge/zone/responder.h: one request in, a stream of signed messages out; no sockets.
// Served: SOA, AXFR and IXFR for the zone, to whoever holds a TSIG key. Everything else is answered with its RCODE:
// FORMERR, NOTIMP, REFUSED (unsigned, another question), NOTAUTH (another zone's transfer), NOTAUTH with BADKEY, BADSIG,
// BADTIME or BADTRUNC. Each kind of refusal is a warning with the peer's address (refusals_said.h).
// Where transfers go over TLS alone, one by plain TCP is REFUSED (RFC 9103 §11), but for a peer on this very host: nobody
// else can read that wire.
// Threads: Answer from one thread; a Reply belongs to one exchange and must not outlive the Responder.
// Spec: RFC 5936 §2, §4.2; RFC 1995 §2; RFC 8945 §5. EDNS is not spoken: an OPT in a request is ignored.
#pragma once

#include <atomic>

#include "bridge/clock.h"
#include "bridge/zone/refusals_said.h"
#include "bridge/zone/store.h"
#include "bridge/zone/tsig_keys.h"

namespace registry::zone {

enum class Transport { kUdp, kTcp, kTcpOfThisHost, kTls };
inline constexpr std::size_t kTransferMessageMax = 60'000;  // leaves room for the TSIG below 65,535

class Reply {
 public:
  // The next message; false when there is none left.
  bool Next(Bytes& message);
  bool large() const { return pieces_.size() > 1; }
  bool authentic() const { return authentic_; }  // the request's TSIG verified

 private:
  friend class Responder;
  Bytes head_;  // header and question, repeated in every message (RFC 5936 §2.2.1)
  Pieces pieces_;
  std::size_t at_ = 0;
  bool sent_ = false, authentic_ = false;
  std::optional<TsigStream> tsig_;
  const Clock* clock_ = nullptr;
};

struct Counters {
  std::atomic<std::uint64_t> soa{0}, axfr{0}, ixfr{0}, current{0}, refused{0};
};

class Responder {
 public:
  Responder(const ZoneStore& store, TsigKeys keys, const Clock& clock, LogLine log = {},
            bool only_over_tls = false)
      : store_(store),
        keys_(std::move(keys)),
        clock_(clock),
        said_(std::move(log)),
        only_over_tls_(only_over_tls) {}
  // nullopt: not even a header, or a response; nothing is answered then, so that two servers cannot talk in
  // circles.
  // `peer` is for the log.
  std::optional<Reply> Answer(View request, Transport transport,
                              const std::string& peer = "an unknown address");
  const Counters& counters() const { return counters_; }
  const Clock& clock() const { return clock_; }
  const TsigKeys& keys() const { return keys_; }

 private:
  Reply Refuse(std::uint16_t id, const Message* message, Rcode rcode);
  Reply RefuseTsig(const Message& message, const TsigKey& key, const TsigVerdict& verdict,
                   const std::string& peer);
  const TsigKey& KeyFor(const Message& message) const;
  std::string Detail(const TsigVerdict& verdict) const;
  bool IsOpenTransfer(const Message& message, Transport transport) const;
  std::optional<Rcode> Check(const Message& message, Transport transport) const;
  Transfer Find(View octets, const Message& message, Transport transport);

  const ZoneStore& store_;
  const TsigKeys keys_;
  const Clock& clock_;
  RefusalsSaid said_;
  const bool only_over_tls_;  // transfers
  Counters counters_;
};

}  // namespace registry::zone
