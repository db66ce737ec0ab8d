// simulators/euicc/public_key.h: public keys as GSMA IoT.05 writes them: 34 45 (49 43 (86 41 04 X Y)). Pure, any thread.
#pragma once

#include <optional>

#include "simulators/euicc/apdu.h"

namespace registry::sim {

Bytes PublicKeyData(const Bytes& point);
// The point of public key data that is whole, holds nothing else, and is on the curve.
std::optional<Bytes> PointOf(const Bytes& public_key_data);

}  // namespace registry::sim
