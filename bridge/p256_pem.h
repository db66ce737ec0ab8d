// bridge/p256_pem.h: the P-256 private key in an unencrypted PEM text: key_pem.h where no other key will do.
// Owns: the key is shared with OpenSSL and immutable. Threads: any. Errors: which trouble; the caller has the words.
#pragma once

#include "bridge/key_pem.h"

namespace registry {

inline constexpr std::size_t kP256PemMax = kKeyPemMax;

using P256Trouble = PemTrouble;  // kOtherType: a key, but not one on P-256
using P256Pem = KeyPem;

P256Pem ReadP256Pem(const Secret& pem);

}  // namespace registry
