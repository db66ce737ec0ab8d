// bridge/signing/ca_request.h: the certificate request (PKCS #10, RFC 2986) of an issuing CA, for a root that is kept
// somewhere else. It asks for what such a certificate needs here: CA:TRUE, pathlen 0; keyUsage digitalSignature,
// keyCertSign, cRLSign.
// Pure but for the key; any thread. Errors (2400): name_invalid; the key's.
#pragma once

#include <string>

#include "bridge/keys/key_source.h"

namespace registry::signing {

Result<Bytes> MakeCaRequest(const keys::KeySource& key, const std::string& common_name);  // DER

}  // namespace registry::signing
