// bridge/zone/ask_once.h: one question to one name server, and its answer, for a person who wants to know how it is now
// (registryctl doctor). What registryd itself asks is secondary.h's.
// AskSerial: the SOA of the zone over UDP, signed, as registryd asks a secondary.
// AskOverTls: any question to the resolver that devices are told, over TLS (RFC 7858), with the demands that a device makes:
//   its certificate and no other, for its name.
// CertificateServed: what a server of transfers over TLS shows (RFC 9103), whoever has issued it, before it asks for one.
// Threads: any; blocks, no longer than `patience` for each step. Nothing is kept.
// Spec: RFC 8945 §5.3, RFC 7858 §3, RFC 6840 §5.7 (AD in a question asks whether the answer was validated).
#pragma once

#include <chrono>

#include "bridge/clock.h"
#include "bridge/zone/publisher.h"
#include "bridge/zone/tsig.h"

namespace registry::zone {

inline constexpr std::uint16_t kFlagAuthenticData = 0x0020;

struct AskedSerial {
  std::optional<std::uint32_t> serial;  // it has authority, and its answer is signed with the key
  TsigError tsig = TsigError::kNone;    // what was wrong with the signature, the question's or the answer's
  std::optional<std::int64_t>
      clock_behind;  // seconds by which its clock is behind ours, as a signed answer says it
  std::string why;   // there is no serial; a few words
};
// `source`: the address that registryd asks from (zone.listen_address), since access lists know it by that.
AskedSerial AskSerial(const SecondaryAddress& server, const Name& zone, const TsigKey& key,
                      const Clock& clock, const std::string& source, std::chrono::milliseconds patience);

// One set of records, the same way. A set that is not there is an empty one.
struct AskedSet {
  std::optional<std::vector<Bytes>> rdatas;
  std::string why;  // there are none to be told; a few words
};
AskedSet AskSet(const SecondaryAddress& server, const Name& owner, std::uint16_t type, const TsigKey& key,
                const Clock& clock, const std::string& source, std::chrono::milliseconds patience);

struct TlsResolver {
  std::string address, name;
  std::uint16_t port = 853;
  Bytes certificate;  // DER: what devices are told to trust
};
struct ResolverAnswer {
  Bytes octets;
  Message message;
  bool authentic() const { return (message.flags & kFlagAuthenticData) != 0; }
};
// Errors (2400): resolver_unreachable, resolver_untrusted (another certificate, or another name in it),
// resolver_silent (no answer that fits the question).
Result<ResolverAnswer> AskOverTls(const TlsResolver& resolver, const Name& question, std::uint16_t type,
                                  std::chrono::milliseconds patience);

// DER. Errors: resolver_unreachable.
Result<Bytes> CertificateServed(const std::string& address, std::uint16_t port,
                                std::chrono::milliseconds patience);

}  // namespace registry::zone
