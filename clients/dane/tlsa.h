// clients/dane/tlsa.h: does a certificate fit a TLSA record?
// Spec: RFC 6698 §2.1, RFC 7671 §5.1 (DANE-EE: neither names nor dates of the certificate matter to the match). Plain
//   values, any thread. Unknown selectors and matching types never match.
#pragma once

#include <cstdint>
#include <vector>

#include "schemas/base/bytes.h"
#include "schemas/base/result.h"

namespace registry::clients {

inline constexpr std::uint8_t kDaneTa = 2;  // RFC 7218 names
inline constexpr std::uint8_t kDaneEe = 3;

struct TlsaRecord {
  std::uint8_t usage = 0, selector = 0, matching = 0;
  Bytes data;
};

struct CertificateView {
  Bytes der;   // what selector 0 covers
  Bytes spki;  // what selector 1 covers
  // No key is decoded, so this is cheap. Error: 2005 certificate_malformed.
  static Result<CertificateView> Of(const Bytes& der);
};

bool Matches(const TlsaRecord& record, const CertificateView& certificate);
// Any record of that usage. Of records with the same usage and selector only those of the strongest digest count, and those
// that hold the whole (RFC 7671 §9): who could forge the weaker digest gains nothing.
bool MatchesAny(const std::vector<TlsaRecord>& records, std::uint8_t usage,
                const CertificateView& certificate);

}  // namespace registry::clients
