// tests/unit/simulators/device/test_registry.h: as much of a registry as a device can notice: two CAs,
// certificates, and payloads sealed with OpenSSL's own CMS, which is not the code the registry uses.
// Owns: its keys. Threads: one. Errors: failed expectations abort the test binary.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <string>

#include "schemas/wire/messages.h"

namespace registry::sim::test {

class TestRegistry {
 public:
  TestRegistry();
  // Another issuing CA below the same root.
  struct Below {
    const TestRegistry& registry;
  };
  explicit TestRegistry(Below one);
  ~TestRegistry();
  TestRegistry(const TestRegistry&) = delete;
  TestRegistry& operator=(const TestRegistry&) = delete;

  Bytes root() const;
  Bytes issuing() const;
  // From a CSR in PEM; checks its signature. `seconds` of validity from a minute ago.
  Bytes Issue(const std::string& csr_pem, const std::string& name, long seconds = 3600) const;
  // The key-agreement key a CSR carries, as SubjectPublicKeyInfo; empty when there is none.
  static Bytes AgreementKeyIn(const std::string& csr_pem);
  // SignedData over AuthEnvelopedData to that key. `signer_is_root`: by a key that must not sign payloads.
  Bytes Seal(const std::string& content, const Bytes& agreement_spki, bool signer_is_root = false) const;
  // What the registry sends beside the payload, 02 last.
  std::vector<wire::Container> Containers(const wire::RegistryPayload& payload) const;
  Bytes Sign(const Bytes& content) const;  // by the issuing key, ECDSA with SHA-256, DER

 private:
  EVP_PKEY *root_key_, *issuing_key_;
  X509 *root_, *issuing_;
};

// The same by any keys.
Bytes SealBy(X509* signer, EVP_PKEY* signer_key, const std::string& content, const Bytes& agreement_spki);
Bytes SignBy(EVP_PKEY* key, const Bytes& content);
std::vector<wire::Container> PilotFormBy(EVP_PKEY* issuing_key, const wire::RegistryPayload& payload);
// What 0F says of these files.
Bytes MarkOf(std::uint64_t generation, std::vector<wire::Container> files);

Bytes DerOf(X509* certificate);
Bytes Sha256(const Bytes& octets);
// A self-signed server certificate, as an ASP would bind by DANE 3 1 1; written as PEM files.
struct ServerIdentity {
  std::string certificate_file, key_file;
  Bytes der, spki;
};
ServerIdentity MakeServerIdentity(const std::string& folder, const std::string& name);

}  // namespace registry::sim::test
