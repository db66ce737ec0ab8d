// simulators/device/csr.h: the certificate request a device makes with its card's key (RFC 2986), with the
// public part of its key-agreement key as an attribute under wire::kAgreementKeyOid, so that one signature
// binds both.
// Threads: as the card. Errors: as the card.
#pragma once

#include "simulators/device/card_key.h"

namespace registry::sim {

// DER. With an empty `agreement_point` there is no such attribute. `name` becomes the CN where it fits (64 characters, RFC
// 5280 upper bound), else the subject is empty.
Result<Bytes> MakeCsr(CardKey& signing, const Bytes& agreement_point, const std::string& name);

}  // namespace registry::sim
