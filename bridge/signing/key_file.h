// bridge/signing/key_file.h: the signer that workers are handed, from a key file and its certificate.
// The key file's rules: bridge/signing/private_key.h. The certificate must be PEM, alone or first in its
// file, and its public key must be the file's. Threads: Sign from any; contexts are pooled and reused, and no
// lock is held while one computes. Errors (2400): those of PrivateKey::Load; certificate_file_invalid,
// key_mismatch, signing_failed.
#pragma once

#include <memory>
#include <string>

#include "workers/domain/decision.h"

namespace registry::signing {

Result<std::unique_ptr<domain::Signer>> LoadSigner(const std::string& key_file,
                                                   const std::string& certificate_file);

// A new P-256 key, 0600; refuses a file that exists.
Status CreateKeyFile(const std::string& key_file);

// First certificate of a PEM file as DER.
Result<Bytes> LoadCertificate(const std::string& certificate_file);

}  // namespace registry::signing
