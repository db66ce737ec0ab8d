// bridge/signing/private_key.h: a P-256 private key of the registry and the file it lives in.
// Files: PEM PKCS#8 without a passphrase, mode 0600 or stricter, owned by the user the process runs as;
// anything else is
//   refused with a sentence that says what to do. A key file is never overwritten.
// Owns: the OpenSSL key, shared and immutable; copies are cheap. Threads: any.
// Errors (2400): key_file_missing, key_file_permissions, key_file_owner, key_file_invalid, key_type (not
// P-256),
//   file_exists, file_failed.
#pragma once

#include <memory>
#include <string>

#include "bridge/keys/key_source.h"
#include "schemas/base/bytes.h"
#include "schemas/base/result.h"

typedef struct evp_pkey_st EVP_PKEY;  // OpenSSL's; its headers stay out of this one

namespace registry::signing {

class PrivateKey {
 public:
  static Result<PrivateKey> Generate();
  static Result<PrivateKey> Load(const std::string& file);

  Status Save(const std::string& file) const;  // creates it with 0600
  Bytes point() const;                         // uncompressed public point
  EVP_PKEY* get() const { return key_.get(); }
  keys::KeySourcePtr source() const { return keys::FileKey(key_, point()); }

 private:
  explicit PrivateKey(std::shared_ptr<EVP_PKEY> key) : key_(std::move(key)) {}
  std::shared_ptr<EVP_PKEY> key_;
};

}  // namespace registry::signing
