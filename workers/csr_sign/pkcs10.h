// workers/csr_sign/pkcs10.h: the parts of a CertificationRequest (RFC 2986 §4), as views into its octets.
// Structure only: every octet accounted for, strict DER; keys, algorithms and signature are judged in
// check_csr.cc. Owns nothing. Pure, any thread. Errors: 2005 csr_malformed, the message names the part.
#pragma once

#include <optional>

#include "schemas/base/result.h"
#include "workers/crypto/der_reader.h"

namespace registry::csr_sign {

struct PublicKeyInfo {
  crypto::OctetView algorithm;  // content of the AlgorithmIdentifier
  crypto::OctetView key;        // BIT STRING, without the octet of unused bits (always 0)
  crypto::OctetView whole;
};
std::optional<PublicKeyInfo> ReadPublicKeyInfo(crypto::OctetView der);

struct Pkcs10 {
  crypto::OctetView signed_part;  // CertificationRequestInfo with its header
  PublicKeyInfo key;
  std::optional<PublicKeyInfo> agreement_key;  // attribute or requested extension wire::kAgreementKeyOid
  crypto::OctetView signature_algorithm;       // content of the AlgorithmIdentifier
  crypto::OctetView signature;                 // BIT STRING, without the octet of unused bits
};
Result<Pkcs10> ReadPkcs10(crypto::OctetView der);

}  // namespace registry::csr_sign
