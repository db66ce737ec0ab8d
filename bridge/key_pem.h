// bridge/key_pem.h: the private key in an unencrypted PEM text, read without leaving a copy behind.
// OpenSSL's own way (PEM_read_bio_PrivateKey, through its decoders) frees its text and its DER unwiped, where a core dump
// finds them. Here the text, the DER and the number stay in secret memory (bridge/secret.h).
// Takes PKCS #8 (RFC 5208 §5, RFC 5480 §2.1, RFC 8410 §7) and ECPrivateKey (RFC 5915 §3), both strict DER with the named
// curve.
// Owns: the key is shared with OpenSSL and immutable. Threads: any. Errors: which trouble; the caller has the words.
#pragma once

#include <cstdint>
#include <memory>

#include "bridge/secret.h"

typedef struct evp_pkey_st EVP_PKEY;  // OpenSSL's; its headers stay out of this one

namespace registry {

inline constexpr std::size_t kKeyPemMax = 16 * 1024;  // octets of a file that is read for such a key

enum class PemKey : std::uint8_t { kP256, kP384, kEd25519 };

enum class PemTrouble : std::uint8_t {
  kNone,
  kNoKey,      // no unencrypted private key in PEM
  kOtherType,  // a key, but none of these
  kPoint,      // its public point is none, or not that of its number
};

struct KeyPem {
  PemTrouble trouble = PemTrouble::kNone;
  PemKey type = PemKey::kP256;
  std::shared_ptr<EVP_PKEY> key;  // complete when there is no trouble
  Bytes point;  // uncompressed (RFC 5480 §2.2): 65 or 97 octets; of Ed25519 its 32 octets (RFC 8032)
  bool ok() const { return trouble == PemTrouble::kNone; }
};

KeyPem ReadKeyPem(const Secret& pem);

}  // namespace registry
