// clients/conformance/certify.h: is a CSR what the contract asks for, and a certificate for it, as a registry would answer.
// The certificates are by a key that ends with the process: they prove nothing to anybody.
// Plain functions; any thread. Errors: symbols of schemas/ERRORS.md ("csr_...").
#pragma once

#include <string>

#include "schemas/base/bytes.h"
#include "schemas/base/result.h"
#include "schemas/ids/ids.h"
#include "schemas/wire/messages.h"

namespace registry::conformance {

struct SeenCsr {
  Bytes public_key;  // SubjectPublicKeyInfo, DER
};

// `text` as csr.submit has it: PEM, or base64 of DER.
Result<SeenCsr> ReadCsr(std::string_view text);
Result<wire::CertificateIssued> CertificateFor(const SeenCsr& csr, const DeviceId& device,
                                               const std::string& name);

}  // namespace registry::conformance
