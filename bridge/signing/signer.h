// bridge/signing/signer.h: a signer from a key already in memory, for whoever has just made it. See
// key_file.h.
#pragma once

#include <memory>

#include "bridge/signing/private_key.h"
#include "workers/domain/decision.h"

namespace registry::signing {

Result<std::unique_ptr<domain::Signer>> MakeSigner(PrivateKey key, Bytes certificate);

}  // namespace registry::signing
