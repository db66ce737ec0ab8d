// clients/dane/trust_files.h: what makes a ResolverTrust, as operators hand it out: trust anchors in a text file, the
// resolver's certificate as PEM. Pure, any thread. Errors: 2005 trust_malformed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schemas/base/bytes.h"
#include "schemas/base/result.h"

namespace registry::clients {

// Presentation form, one record a line; ';' starts a comment (RFC 1035 §5.1).
std::vector<std::string> AnchorLines(const std::string& text);
// RFC 7858 §4.2: SHA-256 of the SubjectPublicKeyInfo of the first certificate.
Result<Bytes> PinOfCertificate(const std::string& pem);
// Every certificate of the text in DER, one behind the other: a registry that changes its issuing CA has several. Refused
// when there is none, or one that cannot be read.
Result<Bytes> CertificatesIn(std::string_view pem);
// Empty when the file cannot be read.
std::string ReadTrustFile(const std::string& file);

}  // namespace registry::clients
