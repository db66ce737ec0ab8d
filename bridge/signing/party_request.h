// bridge/signing/party_request.h: a party's certificate request (PKCS #10, RFC 2986), as a party makes it that keeps
// its key to itself. Only the key is taken from it: what it asks for beside that (names, extensions) is the registry's
// to decide.
// Accepted: PEM or DER, signed by its own key; a subject without a common name, or with the party's id as its only one; a
//   key that TLS 1.3 signs with (RFC 8446 §4.2.3) of 112 bits of strength or more (NIST SP 800-57): P-256, P-384, P-521,
//   Ed25519, or RSA of 2048 to 8192 bits.
// Owns: OpenSSL's key, shared and immutable. Threads: any. Errors (2400): party_request, the message says why.
// Limits: kRequestMax octets.
#pragma once

#include <memory>
#include <string>

#include "schemas/base/bytes.h"
#include "schemas/base/result.h"
#include "schemas/ids/ids.h"

typedef struct evp_pkey_st EVP_PKEY;  // OpenSSL's; its headers stay out of this one

namespace registry::signing {

class PartyRequest {
 public:
  static constexpr std::size_t kRequestMax = 16'384;
  static Result<PartyRequest> Read(const std::string& text, const PartyId& party);
  static Result<PartyRequest> Load(const std::string& file, const PartyId& party);
  EVP_PKEY* key() const { return key_.get(); }
  bool IsKeyOf(const Bytes& certificate) const;  // DER

 private:
  explicit PartyRequest(std::shared_ptr<EVP_PKEY> key) : key_(std::move(key)) {}
  std::shared_ptr<EVP_PKEY> key_;
};

}  // namespace registry::signing
