// bridge/signing/read_x509.h: what certificates and CRLs found in files say. A CRL says something only once it is known
// to be of a CA at hand (RFC 5280 §5, §6.3.3).
// Pure, any thread. Errors (2400): certificate_file_invalid; crl_invalid, the message says why: no CRL, of another CA, a
// signature that does not hold. Its number is told by CrlNumber (crl.h) all the same.
#pragma once

#include "bridge/signing/crl.h"

namespace registry::signing {

struct CertificateFacts {
  Bytes serial;
  UtcTime not_after;
};
Result<CertificateFacts> ReadCertificate(const Bytes& der);
// Whether the issuer's key has signed it; false for what is no certificate.
bool IsIssuedBy(const Bytes& der, const Bytes& issuer_certificate);

struct PublishedCrl {
  std::optional<std::uint64_t> number;  // as CrlNumber says it
  UtcTime this_update;
  std::optional<UtcTime> next_update;
  // How long an entry's certificate lasts is not in a CRL: certificate_not_after is the issuer's own end, beyond which
  // no certificate of it counts.
  std::vector<domain::Revocation> entries;
};
Result<PublishedCrl> ReadCrl(const Bytes& der, const Bytes& issuer_certificate);
Result<PublishedCrl> ReadPemCrl(std::string_view pem, const Bytes& issuer_certificate);

}  // namespace registry::signing
