// bridge/signing/crl.h: the certificate revocation list of the issuing CA (RFC 5280 §5), complete, version 2.
// DNS is the fast way to revoke (design §4); the CRL is for relying parties without DNSSEC.
// An entry is left out once its certificate has been expired for next_update - this_update: by then it has been on
// a CRL issued beyond the certificate's validity (RFC 5280 §3.3). An empty list is a
// valid CRL. Pure but for the signer; any thread. Errors: the signer's; "ca_certificate_invalid".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "schemas/base/utc_time.h"
#include "workers/domain/changeset.h"
#include "workers/domain/decision.h"

namespace registry::signing {

// `number` must grow with every CRL (§5.2.3). DER; ToPem("X509 CRL", …) is the file's form.
// With a `distribution_point` it tells of those certificates alone that name this URL (§5.2.5); without, of all.
Result<Bytes> BuildCrl(const domain::Signer& signer, const std::vector<domain::Revocation>& revocations,
                       UtcTime this_update, UtcTime next_update, std::uint64_t number,
                       const std::string& distribution_point = {});

// Whether its certificate ended long enough before `this_update`, when CRLs are valid for `period`: then it is left out.
bool MayBeForgotten(const domain::Revocation& revocation, UtcTime this_update,
                    std::chrono::microseconds period);

// The cRLNumber of a DER CertificateList; nullopt when it has none that this registry could have given it.
std::optional<std::uint64_t> CrlNumber(const Bytes& der);

}  // namespace registry::signing
