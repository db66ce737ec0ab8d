#include "workers/crypto/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "schemas/base/check.h"
#include "workers/crypto/owned.h"

namespace registry::crypto {
namespace {

struct Hasher {
  Owned<EVP_MD, EVP_MD_free> algorithm{EVP_MD_fetch(nullptr, "SHA256", nullptr)};
  Owned<EVP_MD_CTX, EVP_MD_CTX_free> context{EVP_MD_CTX_new()};
};

}  // namespace

Sha256Digest Sha256(std::initializer_list<OctetView> parts) {
  thread_local Hasher hasher;
  Sha256Digest digest;
  EVP_MD_CTX* const context = hasher.context.get();
  // SHA-256 over memory has no way to fail but for want of memory or of the provider itself.
  REG_CHECK(EVP_DigestInit_ex2(context, hasher.algorithm.get(), nullptr) == 1);
  for (OctetView part : parts) REG_CHECK(EVP_DigestUpdate(context, part.data(), part.size()) == 1);
  REG_CHECK(EVP_DigestFinal_ex(context, digest.data(), nullptr) == 1);
  return digest;
}

Bytes Sha256OfText(std::string_view text) {
  return ToBytes(Sha256({{reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}}));
}

bool SameSecret(OctetView a, OctetView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Bytes KeyIdentifier(OctetView point) {
  const Sha256Digest digest = Sha256({point});
  return Bytes(digest.begin(), digest.begin() + 20);
}

}  // namespace registry::crypto
