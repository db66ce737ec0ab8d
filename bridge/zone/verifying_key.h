// bridge/zone/verifying_key.h: what a DNSKEY says about a signature: that it is this key's, or not.
// Owns: OpenSSL's form of the key, made once. Threads: one at a time.
// Errors: a DNSKEY of another algorithm, or that is none, verifies nothing.
// Spec: RFC 4034 §2.1, RFC 6605 §4 (algorithms 13 and 14), RFC 8080 §3, §4 (15).
#pragma once

#include <openssl/evp.h>

#include <memory>

#include "bridge/zone/wire.h"

namespace registry::zone {

class VerifyingKey {
 public:
  explicit VerifyingKey(View dnskey_rdata);
  explicit operator bool() const { return key_ != nullptr; }
  bool Verifies(View message, View signature) const;

 private:
  std::uint8_t algorithm_ = 0;
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_{nullptr, EVP_PKEY_free};
};

}  // namespace registry::zone
