// bridge/app/trust_anchors.h: whether what every device is told to trust can be right: DS (RFC 4034 §5.3) or DNSKEY (§2.2)
// records in presentation form, on one line, TTL and class optional. Pure but for the KSK's file; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "schemas/base/bytes.h"

namespace registry::app {

struct TrustAnchor {
  enum class Type { kDs, kDnskey };
  std::string owner;  // without the trailing dot; empty: the root
  Type type = Type::kDs;
  std::uint16_t first = 0;  // key tag or flags
  std::uint8_t second = 0;  // algorithm or protocol
  std::uint8_t third = 0;   // digest type or algorithm
  Bytes octets;             // digest or key
};

std::optional<TrustAnchor> ParseTrustAnchor(const std::string& text);

std::uint16_t KeyTagOf(const TrustAnchor& anchor);  // RFC 4034 appendix B
// Which record it is, in a few words: ". DS 20326 8 2 e06d44b80b8f1d39", ". DNSKEY 20326 8 6b2f…" with the first octets of
// the digest, of a DNSKEY's key its SHA-256. However a record is written, its label is the same.
std::string LabelOf(const TrustAnchor& anchor);

// Whether it is of the key with this DNSKEY RDATA, revoked or not: REVOKE changes tag and digest (RFC 5011 §2.1, §7).
bool IsAnchorOf(const TrustAnchor& anchor, std::span<const std::uint8_t> dnskey);
inline constexpr std::uint16_t kRevokeFlag = 0x0080;

// One sentence a fault. Each anchor must be for the zone or one above it, or it vouches for no device; those for the zone
// itself must hold its KSK, one at least: others may be of keys that are to come (RFC 5011 §6.6, a stand-by key).
std::vector<std::string> TrustAnchorFaults(const std::vector<std::string>& anchors, const std::string& zone,
                                           const std::string& ksk_file);

}  // namespace registry::app
