#include "workers/crypto/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "schemas/base/check.h"
#include "workers/crypto/owned.h"

namespace registry::crypto {
namespace {

class Hasher {
 public:
  explicit Hasher(const char* name) : algorithm_(EVP_MD_fetch(nullptr, name, nullptr)) {}
  // `out` has room for the digest. Hashing memory has no way to fail but for want of memory or of the provider itself.
  void Over(std::initializer_list<OctetView> parts, std::uint8_t* out) {
    EVP_MD_CTX* const context = context_.get();
    REG_CHECK(EVP_DigestInit_ex2(context, algorithm_.get(), nullptr) == 1);
    for (OctetView part : parts) REG_CHECK(EVP_DigestUpdate(context, part.data(), part.size()) == 1);
    REG_CHECK(EVP_DigestFinal_ex(context, out, nullptr) == 1);
  }
  std::size_t size() const { return static_cast<std::size_t>(EVP_MD_get_size(algorithm_.get())); }

 private:
  Owned<EVP_MD, EVP_MD_free> algorithm_;
  Owned<EVP_MD_CTX, EVP_MD_CTX_free> context_{EVP_MD_CTX_new()};
};

Hasher& HasherFor(Sha2 algorithm) {
  thread_local Hasher sha256("SHA256"), sha384("SHA384"), sha512("SHA512");
  if (algorithm == Sha2::k256) return sha256;
  return algorithm == Sha2::k384 ? sha384 : sha512;
}

}  // namespace

Sha256Digest Sha256(std::initializer_list<OctetView> parts) {
  thread_local Hasher hasher("SHA256");
  Sha256Digest digest;
  hasher.Over(parts, digest.data());
  return digest;
}

Bytes Hash(Sha2 algorithm, std::initializer_list<OctetView> parts) {
  Hasher& hasher = HasherFor(algorithm);
  Bytes digest(hasher.size());
  hasher.Over(parts, digest.data());
  return digest;
}

Bytes HmacSha256(OctetView key, OctetView text) {
  Bytes code(std::tuple_size_v<Sha256Digest>);
  std::size_t size = 0;
  REG_CHECK(EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, key.data(), key.size(), text.data(),
                      text.size(), code.data(), code.size(), &size) != nullptr);
  REG_CHECK(size == code.size());
  return code;
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
