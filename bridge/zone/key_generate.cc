#include "bridge/zone/key_generate.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

#include "bridge/signing/file_write.h"

namespace registry::zone {
namespace {

using OwnedKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using OwnedBio = std::unique_ptr<BIO, decltype(&BIO_free_all)>;

EVP_PKEY* Generate(PemKey type) {
  switch (type) {
    case PemKey::kP256:
      return EVP_EC_gen("P-256");
    case PemKey::kP384:
      return EVP_EC_gen("P-384");
    case PemKey::kEd25519:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  }
  return nullptr;
}

Error NoKey(std::uint8_t algorithm) {
  ERR_clear_error();
  return Error::Make(Code::kFailed, "zone_key_unsuitable",
                     "no key of algorithm " + AlgorithmText(algorithm) + " can be made");
}

}  // namespace

Status CreateKeyFileOf(std::uint8_t algorithm, const std::string& path) {
  const Algorithm* const known = AlgorithmOf(algorithm);
  if (known == nullptr) return NoKey(algorithm);
  const OwnedKey key(Generate(known->key), &EVP_PKEY_free);
  const OwnedBio bio(BIO_new(BIO_s_secmem()), &BIO_free_all);
  const bool written =
      key && bio &&
      PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1;
  if (!written) return NoKey(algorithm);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return signing::CreateFile(path, std::string_view(text, static_cast<std::size_t>(size)), 0600);
}

}  // namespace registry::zone
