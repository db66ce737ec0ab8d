// bridge/zone/keys.h: the zone's signing keys, and their public forms for trust anchors and parents.
// Keys are PEM (PKCS#8) files, made by `registryctl init` or by a roll-over, or stand in a token (bridge/keys/key_source.h).
// A file's key says its algorithm (algorithm.h): P-256, P-384 or Ed25519. A token's key is on P-256.
// A file that others may read or write is refused, and so is an encrypted one: nobody is there to type a passphrase.
// Errors: "zone_key_unreadable", "zone_key_exposed", "zone_key_unsuitable", "zone_name_invalid"; those of bridge/keys.
// A signature of a key that is away waits for it (key_patience.h).
// Threads: a ZoneKey is an immutable value; a KeySigner belongs to one thread.
// Spec: RFC 4034 §2, §5, appendix B; RFC 6605 (algorithms 13 and 14, signature r || s), RFC 8080 (15).
#pragma once

#include <openssl/evp.h>

#include <memory>

#include "bridge/keys/key_source.h"
#include "bridge/secret.h"
#include "bridge/zone/algorithm.h"
#include "bridge/zone/key_patience.h"
#include "bridge/zone/wire.h"
#include "schemas/base/result.h"

namespace registry::zone {

inline constexpr std::uint16_t kKskFlags = 257, kZskFlags = 256;

struct ZoneKey {
  keys::KeySourcePtr source;            // of algorithm 13
  std::shared_ptr<EVP_PKEY> in_memory;  // of the others, which stand in files only
  Bytes dnskey;                         // RDATA
  std::uint16_t tag = 0;

  std::uint8_t algorithm() const { return dnskey[3]; }
};

std::uint16_t KeyTag(View dnskey_rdata);  // RFC 4034 appendix B

// `where`: a file, or a URI of a key in a token.
Result<ZoneKey> LoadZoneKey(const std::string& where, std::uint16_t flags);
// Without its private part, for whoever may read the file, whosever it is; so are the two below.
Result<ZoneKey> PublicZoneKey(const std::string& where, std::uint16_t flags);
// The same of the text of a file; `name` is said in errors.
Result<ZoneKey> PublicZoneKeyIn(const Secret& pem, const std::string& name, std::uint16_t flags);

// "zone. 3600 IN DNSKEY 257 3 13 base64", as resolvers take it for a trust anchor.
Result<std::string> DnskeyText(const std::string& zone, const std::string& key_file, std::uint16_t flags);
// "zone. 3600 IN DS tag 13 2 hex", digest SHA-256 (RFC 4509).
Result<std::string> DsText(const std::string& zone, const std::string& ksk_file);

class KeySigner {
 public:
  KeySigner(const ZoneKey& key, std::shared_ptr<KeyPatience> patience);
  // As an RRSIG has it, as many octets as the algorithm's signatures have. Zeros where the patience has missed it.
  Bytes Sign(View message);

 private:
  struct Free {
    void operator()(EVP_MD_CTX* c) const { EVP_MD_CTX_free(c); }
    void operator()(EVP_MD* m) const { EVP_MD_free(m); }
  };
  Bytes SignByP256(View message);
  Bytes SignInMemory(View message);

  keys::KeySourcePtr key_;
  std::shared_ptr<EVP_PKEY> in_memory_;
  std::uint8_t algorithm_;
  std::shared_ptr<KeyPatience> patience_;
  std::unique_ptr<EVP_MD_CTX, Free> hash_;
  std::unique_ptr<EVP_MD, Free> sha256_;
};

Bytes Sha256(View octets);

}  // namespace registry::zone
