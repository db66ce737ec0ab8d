// bridge/p256_pem.h: the P-256 private key in an unencrypted PEM text, read without leaving a copy behind.
// OpenSSL's own way (PEM_read_bio_PrivateKey, through its decoders) frees its text and its DER unwiped, where a core dump
// finds them. Here the text, the DER and the number stay in secret memory (bridge/secret.h).
// Takes PKCS #8 (RFC 5208 §5, RFC 5480 §2.1) and ECPrivateKey (RFC 5915 §3), both strict DER with the named curve.
// Owns: the key is shared with OpenSSL and immutable. Threads: any. Errors: which trouble; the caller has the words.
#pragma once

#include <cstdint>
#include <memory>

#include "bridge/secret.h"

typedef struct evp_pkey_st EVP_PKEY;  // OpenSSL's; its headers stay out of this one

namespace registry {

inline constexpr std::size_t kP256PemMax = 16 * 1024;  // octets of a file that is read for such a key

enum class P256Trouble : std::uint8_t {
  kNone,
  kNoKey,      // no unencrypted private key in PEM
  kOtherType,  // a key, but not one on P-256
  kPoint,      // its public point is none, or not that of its number
};

struct P256Pem {
  P256Trouble trouble = P256Trouble::kNone;
  std::shared_ptr<EVP_PKEY> key;  // complete when there is no trouble
  Bytes point;                    // uncompressed, 65 octets (RFC 5480 §2.2)
  bool ok() const { return trouble == P256Trouble::kNone; }
};

P256Pem ReadP256Pem(const Secret& pem);

}  // namespace registry
