#include "bridge/zone/verifying_key.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>

#include "bridge/zone/algorithm.h"
#include "schemas/base/check.h"

namespace registry::zone {
namespace {

constexpr std::size_t kDnskeyHead = 4;  // flags, protocol, algorithm (RFC 4034 §2.1)

// RFC 6605 §4: the point without the octet that says how it is written.
EVP_PKEY* PointOfDnskey(View coordinates, const char* curve) {
  Bytes point{4};
  Put(point, coordinates);
  std::string group = curve;
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end()};
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr), EVP_PKEY_CTX_free);
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
    return nullptr;
  return key;
}

EVP_PKEY* KeyOfDnskey(PemKey type, View key) {
  switch (type) {
    case PemKey::kP256:
      return PointOfDnskey(key, "prime256v1");
    case PemKey::kP384:
      return PointOfDnskey(key, "secp384r1");
    case PemKey::kEd25519:
      return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size());
  }
  return nullptr;
}

// r and s one behind the other, as OpenSSL takes them.
Bytes DerOfPair(View signature) {
  const std::size_t half = signature.size() / 2;
  ECDSA_SIG* const pair = ECDSA_SIG_new();
  BIGNUM* const r = BN_bin2bn(signature.data(), static_cast<int>(half), nullptr);
  BIGNUM* const s = BN_bin2bn(signature.data() + half, static_cast<int>(half), nullptr);
  REG_CHECK(pair != nullptr && ECDSA_SIG_set0(pair, r, s) == 1);
  Bytes der(static_cast<std::size_t>(i2d_ECDSA_SIG(pair, nullptr)));
  unsigned char* at = der.data();
  i2d_ECDSA_SIG(pair, &at);
  ECDSA_SIG_free(pair);
  return der;
}

}  // namespace

VerifyingKey::VerifyingKey(View dnskey) {
  const Algorithm* const known = dnskey.size() > kDnskeyHead ? AlgorithmOf(dnskey[3]) : nullptr;
  if (known == nullptr || dnskey.size() != kDnskeyHead + known->key_size) return;
  algorithm_ = known->number;
  key_.reset(KeyOfDnskey(known->key, dnskey.subspan(kDnskeyHead)));
}

bool VerifyingKey::Verifies(View message, View signature) const {
  if (!key_ || signature.size() != AlgorithmOf(algorithm_)->signature_size) return false;
  const EVP_MD* const digest = algorithm_ == kEcdsaP256Sha256   ? EVP_sha256()
                               : algorithm_ == kEcdsaP384Sha384 ? EVP_sha384()
                                                                : nullptr;
  const Bytes octets = digest == nullptr ? Bytes(signature.begin(), signature.end()) : DerOfPair(signature);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  return context && EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key_.get()) == 1 &&
         EVP_DigestVerify(context.get(), octets.data(), octets.size(), message.data(), message.size()) == 1;
}

}  // namespace registry::zone
