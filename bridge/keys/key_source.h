// bridge/keys/key_source.h: a P-256 private key that signs, wherever it is kept: in a file that was read, or in a token
// (smart card, HSM) that never gives it away. The issuing CA, the payloads' signer, KSK and ZSK all sign through one.
// A key is named in the configuration by its file's path, or by a URI of RFC 7512, "pkcs11:…" (README.md).
// Owns: what it needs to sign; shared and immutable. Threads: Sign from any, many at once; no lock is held while a
//   signature is computed.
// Limits: of one token at most Token::kSessionsMax signatures are made at once; one that finds no free session within
//   five seconds is refused.
// Errors (2400) of Sign: key_unavailable, the token does not answer for now: the same may work later. signing_failed:
//   OpenSSL refused. Of OpenTokenKey besides: key_uri_invalid, token_module, token_missing, token_pin, token_key.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/base/bytes.h"
#include "schemas/base/result.h"
#include "workers/crypto/digest.h"

typedef struct evp_pkey_st EVP_PKEY;  // OpenSSL's; its headers stay out of this one

namespace registry::keys {

class KeySource {
 public:
  explicit KeySource(Bytes point) : point_(std::move(point)) {}
  KeySource(const KeySource&) = delete;
  KeySource& operator=(const KeySource&) = delete;
  virtual ~KeySource() = default;
  virtual Result<Bytes> Sign(
      const crypto::Sha256Digest& digest) const = 0;  // DER Ecdsa-Sig-Value (RFC 3279 §2.2.3)
  // Whether it would sign now, with this key. May cost a signature: the first since the token was lost.
  virtual Status Ready() const { return Done{}; }
  const Bytes& point() const { return point_; }  // uncompressed public point

 private:
  const Bytes point_;
};
using KeySourcePtr = std::shared_ptr<const KeySource>;

// Of a key in memory. `point` is its own.
KeySourcePtr FileKey(std::shared_ptr<EVP_PKEY> key, Bytes point);

// RFC 7512 §2.3: the scheme is "pkcs11", in any case (RFC 3986 §3.1).
bool IsKeyUri(std::string_view where);
// Signs once and verifies with the public key beside it, so that what is opened works.
Result<KeySourcePtr> OpenTokenKey(const std::string& uri);
// The public point alone, without a PIN where the token shows public keys to everybody.
Result<Bytes> TokenPoint(const std::string& uri);
// A new key pair in the token, named as the URI says (`object`, `id`), which never leaves it. Refuses a name that is taken.
Status GenerateTokenKey(const std::string& uri);

// Each token that a key of this process is in, and what is wrong with it now; asked of the token, which may take its time.
struct TokenState {
  std::string token;    // for people and metrics: the URI's token part
  std::string trouble;  // empty: it answers
};
std::vector<TokenState> LookAtTokens();

}  // namespace registry::keys
