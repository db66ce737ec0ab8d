#include "bridge/signing/private_key.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "bridge/p256_pem.h"
#include "bridge/secret_file.h"
#include "bridge/signing/file_write.h"
#include "workers/crypto/owned.h"
#include "workers/crypto/p256.h"

namespace registry::signing {
namespace {

using OwnedBio = crypto::Owned<BIO, BIO_free_all>;

Error Refuse(std::string_view symbol, const std::string& message) {
  crypto::Failed();
  return Error::Make(Code::kFailed, symbol, message);
}

Error RefuseFile(const SecretRead& file) {
  switch (file.trouble) {
    case SecretTrouble::kMissing:
      return Refuse("key_file_missing", file.why);
    case SecretTrouble::kOwner:
      return Refuse("key_file_owner", file.why);
    case SecretTrouble::kExposed:
      return Refuse("key_file_permissions", file.why);
    default:
      return Refuse("key_file_invalid", file.why);
  }
}

// Empty when the key has no point or says it in another form.
Bytes PointOf(const EVP_PKEY* key) {
  Bytes point(crypto::kPointSize);
  std::size_t size = 0;
  const bool got = EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point.data(),
                                                   point.size(), &size) == 1;
  return got && size == point.size() ? point : Bytes();
}

}  // namespace

Result<PrivateKey> PrivateKey::Generate() {
  std::shared_ptr<EVP_PKEY> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  if (!key) return Refuse("key_file_invalid", "OpenSSL cannot generate a P-256 key");
  return PrivateKey(std::move(key));
}

Result<PrivateKey> PrivateKey::Load(const std::string& file) {
  const SecretRead content = ReadSecret(file, kP256PemMax);
  if (!content.ok()) return RefuseFile(content);
  P256Pem pem = ReadP256Pem(content.secret);
  switch (pem.trouble) {
    case P256Trouble::kNone:
      return PrivateKey(std::move(pem.key));
    case P256Trouble::kNoKey:
      return Refuse("key_file_invalid", file + " holds no unencrypted PEM private key");
    case P256Trouble::kOtherType:
      return Refuse("key_type", file + " is not a P-256 key");
    case P256Trouble::kPoint:
      return Refuse("key_file_invalid", file + " holds no valid public point, or another key's");
  }
  return Refuse("key_file_invalid", file);
}

Status PrivateKey::Save(const std::string& file) const {
  const OwnedBio bio(BIO_new(BIO_s_secmem()));
  const bool written =
      bio && PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1;
  if (!written) return Refuse("key_file_invalid", "OpenSSL cannot write the key");
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return CreateFile(file, std::string_view(text, static_cast<std::size_t>(size)), 0600);
}

Bytes PrivateKey::point() const { return PointOf(key_.get()); }

}  // namespace registry::signing
