// workers/crypto/issuer.h: what must be copied from a CA certificate into whatever it signs (RFC 5280
// §4.1.2.4, §4.2.1.1). Pure, any thread. Errors: 2400 "ca_certificate_invalid" when the octets are no
// certificate or lack a key identifier.
#pragma once

#include "schemas/base/result.h"
#include "schemas/base/utc_time.h"
#include "workers/crypto/der_writer.h"

namespace registry::crypto {

struct IssuerFields {
  Bytes name;           // DER Name, octet for octet the CA's subject
  Bytes key_id;         // SubjectKeyIdentifier's octets
  Bytes authority_key;  // DER Extension authorityKeyIdentifier naming key_id
  Bytes public_key;     // uncompressed point
  UtcTime not_before, not_after;
};
Result<IssuerFields> ReadIssuer(const Bytes& certificate);

// DER Extension (RFC 5280 §4.1); `critical` false is the default and therefore absent (X.690 §11.5).
Bytes DerExtension(const char* oid, bool critical, OctetView value);
// The same for what is made often: `oid` is the DerOid of it.
Bytes DerExtension(OctetView oid, bool critical, OctetView value);

inline constexpr const char* kEcdsaWithSha256 = "1.2.840.10045.4.3.2";  // RFC 5758 §3.2, parameters absent

}  // namespace registry::crypto
