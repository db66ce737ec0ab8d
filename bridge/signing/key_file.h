// bridge/signing/key_file.h: the signer that workers are handed, from a key and its certificate.
// A key is named by its file's path or by the URI of one in a token (bridge/keys/key_source.h). The key file's rules:
// bridge/signing/private_key.h. The certificate must be PEM, alone or first in its
// file, and its public key must be the key's. Threads: Sign from any, many at once.
// Errors (2400): those of PrivateKey::Load and of bridge/keys; certificate_file_invalid, key_mismatch.
#pragma once

#include <memory>
#include <string>

#include "bridge/keys/key_source.h"
#include "workers/domain/decision.h"

namespace registry::signing {

Result<keys::KeySourcePtr> LoadKey(const std::string& where);
Result<std::unique_ptr<domain::Signer>> LoadSigner(const std::string& key_where,
                                                   const std::string& certificate_file);

// A new P-256 key, 0600; refuses a file that exists.
Status CreateKeyFile(const std::string& key_file);

// First certificate of a PEM file as DER.
Result<Bytes> LoadCertificate(const std::string& certificate_file);

}  // namespace registry::signing
