// tests/vectors/vector_ca.h: a root, an issuing CA and certificates below them, each as vectors.json describes it, wrong
// ones included. README.md beside it names the members of a description.
// Owns: its keys and CA certificates. Threads: one. Errors: a description that cannot be carried out ends the test program.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "schemas/base/bytes.h"

namespace registry::vectors {

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
using Certificate = std::unique_ptr<X509, FreeCertificate>;

Key NewKey(const std::string& kind);  // p256, p384, rsa

class VectorCa {
 public:
  // {"root": …, "issuing": …}; what is not said is as it should be.
  explicit VectorCa(const nlohmann::json& described);

  struct Signer {
    X509* certificate;
    EVP_PKEY* key;
  };
  // issuing, root, or impostor: another key under the name and key identifier of the issuing CA.
  Signer Named(const std::string& who) const;
  Bytes root() const;
  Bytes issuing() const;
  // A device's; `name` is its dNSName where the description gives none.
  Bytes Certify(EVP_PKEY* key, const std::string& name, const nlohmann::json& described) const;

 private:
  Key root_key_, issuing_key_, impostor_key_;
  Certificate root_, issuing_, impostor_;
};

}  // namespace registry::vectors
