#include "bridge/p256_pem.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <optional>

#include "workers/crypto/der_reader.h"
#include "workers/crypto/der_writer.h"
#include "workers/crypto/owned.h"
#include "workers/crypto/p256.h"

namespace registry {
namespace {

using crypto::DerReader;
using crypto::OctetView;
using crypto::Owned;
namespace tag = crypto::tag;

using OwnedBn = Owned<BIGNUM, BN_clear_free>;
using OwnedPoint = Owned<EC_POINT, EC_POINT_free>;

// An encrypted key would make OpenSSL ask on the terminal of a server that has none.
int NoPassphrase(char*, int, int, void*) { return -1; }

struct SecureDer {
  unsigned char* octets = nullptr;
  long size = 0;
  SecureDer() = default;
  SecureDer(const SecureDer&) = delete;
  SecureDer& operator=(const SecureDer&) = delete;
  ~SecureDer() { OPENSSL_secure_clear_free(octets, static_cast<std::size_t>(size)); }
  OctetView view() const { return {octets, static_cast<std::size_t>(size)}; }
};

// What is needed of ECPrivateKey; both point into the DER.
struct Parts {
  OctetView number, point;  // the latter empty where the file has none
};

bool NamesP256(OctetView algorithm) {
  DerReader in(algorithm);
  const auto type = in.Next(tag::kOid), curve = in.Next(tag::kOid);
  static const Bytes kType = crypto::DerOid("1.2.840.10045.2.1"),
                     kCurve = crypto::DerOid("1.2.840.10045.3.1.7");
  return type && curve && in.AtEnd() && crypto::Same(type->whole, kType) &&
         crypto::Same(curve->whole, kCurve);
}

// The [0] parameters, which PKCS #8 leaves out since its algorithm names the curve (RFC 5915 §3).
bool ParametersNameP256(DerReader& in, bool named_before) {
  if (!in.Peek(tag::ContextConstructed(0))) return named_before;
  const auto curve = crypto::OnlyElement(in.Next()->content, tag::kOid);
  return curve && crypto::Same(curve->whole, crypto::DerOid("1.2.840.10045.3.1.7"));
}

std::optional<Parts> EcPrivateKey(OctetView der, bool named_before) {
  const auto outer = crypto::OnlyElement(der, tag::kSequence);
  if (!outer) return std::nullopt;
  DerReader in(outer->content);
  const auto version = in.Next(tag::kInteger), number = in.Next(tag::kOctetString);
  if (!version || version->content.size() != 1 || version->content[0] != 1 || !number) return std::nullopt;
  if (number->content.empty() || number->content.size() > 32) return std::nullopt;
  if (!ParametersNameP256(in, named_before)) return std::nullopt;
  Parts parts{number->content, {}};
  if (in.Peek(tag::ContextConstructed(1))) {
    const auto bits = crypto::OnlyElement(in.Next()->content, tag::kBitString);
    if (!bits || bits->content.size() < 2 || bits->content[0] != 0) return std::nullopt;
    parts.point = bits->content.subspan(1);
  }
  return in.AtEnd() ? std::optional(parts) : std::nullopt;
}

// Every private key's structure begins with its version; an encrypted one's (RFC 5208 §6) does not.
bool LooksLikeAKey(OctetView der) {
  const auto outer = crypto::OnlyElement(der, tag::kSequence);
  return outer && crypto::IsStrictDer(der) && DerReader(outer->content).Peek(tag::kInteger);
}

std::optional<Parts> PartsOf(OctetView der) {
  const auto outer = crypto::OnlyElement(der, tag::kSequence);
  if (!outer) return std::nullopt;
  DerReader in(outer->content);
  const auto version = in.Next(tag::kInteger);
  if (!version || !in.Peek(tag::kSequence)) return EcPrivateKey(der, false);
  const auto algorithm = in.Next(tag::kSequence), key = in.Next(tag::kOctetString);
  if (!algorithm || !key || !NamesP256(algorithm->content)) return std::nullopt;
  return EcPrivateKey(key->content, true);  // attributes may follow
}

// d·G as (d - r)·G + r·G: OpenSSL's multiplication leaves the number it is given on the stack.
std::optional<Bytes> PointOf(const BIGNUM* number) {
  const Owned<EC_GROUP, EC_GROUP_free> group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  const Owned<BN_CTX, BN_CTX_free> context(BN_CTX_secure_new());
  const OwnedBn mask(BN_secure_new()), masked(BN_secure_new());
  const OwnedPoint one(EC_POINT_new(group.get())), other(EC_POINT_new(group.get()));
  const BIGNUM* const order = EC_GROUP_get0_order(group.get());
  Bytes octets(crypto::kPointSize);
  const bool made =
      BN_cmp(number, order) < 0 && BN_priv_rand_range(mask.get(), order) == 1 &&
      BN_mod_sub(masked.get(), number, mask.get(), order, context.get()) == 1 &&
      EC_POINT_mul(group.get(), one.get(), mask.get(), nullptr, nullptr, context.get()) == 1 &&
      EC_POINT_mul(group.get(), other.get(), masked.get(), nullptr, nullptr, context.get()) == 1 &&
      EC_POINT_add(group.get(), one.get(), one.get(), other.get(), context.get()) == 1 &&
      EC_POINT_point2oct(group.get(), one.get(), POINT_CONVERSION_UNCOMPRESSED, octets.data(), octets.size(),
                         context.get()) == octets.size();
  return made ? std::optional(octets) : std::nullopt;
}

std::shared_ptr<EVP_PKEY> KeyOf(const BIGNUM* number, const Bytes& point) {
  const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> build(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(build.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(build.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_PRIV_KEY, number);  // kept secure, as the number is
  const Owned<OSSL_PARAM, OSSL_PARAM_free> params(OSSL_PARAM_BLD_to_param(build.get()));
  const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, params.get()) != 1) {
    return nullptr;
  }
  return {key, EVP_PKEY_free};
}

P256Pem Trouble(P256Trouble trouble) {
  crypto::Failed();
  P256Pem none;
  none.trouble = trouble;
  return none;
}

}  // namespace

P256Pem ReadP256Pem(const Secret& pem) {
  const Owned<BIO, BIO_free_all> text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  SecureDer der;
  if (PEM_bytes_read_bio_secmem(&der.octets, &der.size, nullptr, PEM_STRING_EVP_PKEY, text.get(),
                                &NoPassphrase, nullptr) != 1 ||
      !LooksLikeAKey(der.view())) {
    return Trouble(P256Trouble::kNoKey);
  }
  const auto parts = PartsOf(der.view());
  if (!parts) return Trouble(P256Trouble::kOtherType);
  const OwnedBn number(BN_secure_new());
  BN_bin2bn(parts->number.data(), static_cast<int>(parts->number.size()), number.get());
  const auto point = PointOf(number.get());
  if (!point) return Trouble(P256Trouble::kPoint);
  if (!parts->point.empty() && crypto::UncompressedP256(parts->point) != point)
    return Trouble(P256Trouble::kPoint);
  P256Pem found;
  found.point = *point;
  found.key = KeyOf(number.get(), *point);
  return found.key ? found : Trouble(P256Trouble::kPoint);
}

}  // namespace registry
