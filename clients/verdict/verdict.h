// clients/verdict/verdict.h: what can be said of a TLS client, as a number for C, a symbol for logs and metrics, and the
// other way round. A failure inside the library is a Status whose symbol stands here.
// Plain values, any thread. Numbers and symbols stay as they are in later versions; new ones come at the end.
#pragma once

#include <cstddef>
#include <string_view>

#include "schemas/base/result.h"

namespace registry::clients {

enum class Verdict {
  kAccepted,
  kCertificateRequired,   // the client showed none
  kCertificateMalformed,  // it is none
  kIdentityMissing,       // no dane_clientid, and the configuration takes no other name
  kIdentityMalformed,     // dane_clientid is no domain name of letters, digits, hyphen and underscore
  kIdentityMismatch,      // no dNSName of the certificate is that name
  kNameMissing,           // the certificate has not exactly one dNSName
  kNameNotAllowed,        // not <uuid>._device.<zone> of an allowed zone
  kChainInvalid,          // no path to the registry's root, not valid yet, or not as the registry makes them
  kCertificateExpired,    // it or a CA's above it
  kNameAbsent,            // NXDOMAIN, proved: the registry has no such device (any more)
  kTlsaMissing,           // NODATA, proved: the device is known and may not be served now
  kTlsaMismatch,          // records are there, and none fits the certificate
  kDnsBogus,              // signatures do not lead to a trust anchor
  kDnsInsecure,           // the zone is proved not to be signed
  kResolverUnreachable,   // no answer in time from the pinned resolver
  kDeviceNotClaimed,      // it is not this ASP's
  kDeviceNotActive,       // it was, and was deactivated, deleted or released
  kFailed,                // inside the library
};
inline constexpr std::size_t kVerdicts = 19;

std::string_view SymbolOf(Verdict verdict);
Verdict VerdictOf(const Status& status);  // kFailed for a symbol that is not here
// An Error with its symbol and a sentence.
Error Refusal(Verdict verdict);

}  // namespace registry::clients
