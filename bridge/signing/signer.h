// bridge/signing/signer.h: a signer from a key already in memory, for whoever has just made it. See
// key_file.h.
#pragma once

#include <memory>

#include "bridge/signing/private_key.h"
#include "workers/domain/decision.h"

namespace registry::signing {

Result<std::unique_ptr<domain::Signer>> MakeSigner(const PrivateKey& key, Bytes certificate);
Result<std::unique_ptr<domain::Signer>> MakeSigner(keys::KeySourcePtr key, Bytes certificate);

// Signs once and verifies with the certificate's key: a key file may hold another public point than its scalar's, and a
// token another key than its label says. Errors (2400): key_mismatch; the signer's own.
Status CheckSigner(const domain::Signer& signer);

}  // namespace registry::signing
