// simulators/device/der.h: the few DER forms a constrained device writes by itself (ITU-T X.690 §10). Any thread.
#pragma once

#include <initializer_list>

#include "schemas/base/bytes.h"

namespace registry::sim {

Bytes Der(std::uint8_t tag, std::initializer_list<Bytes> parts);
Bytes SignatureDer(const Bytes& raw);  // r || s to ECDSA-Sig-Value, RFC 3279 §2.2.3
Bytes P256Spki(const Bytes& point);    // SubjectPublicKeyInfo of an uncompressed point, RFC 5480 §2

}  // namespace registry::sim
