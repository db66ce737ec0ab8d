#include "bridge/key_pem.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <array>
#include <optional>

#include "bridge/p256_pem.h"
#include "workers/crypto/der_reader.h"
#include "workers/crypto/der_writer.h"
#include "workers/crypto/owned.h"

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

struct Curve {
  PemKey type;
  const char* oid;
  const char* group;
  int nid;
  std::size_t coordinate;  // octets
};
constexpr std::array<Curve, 2> kCurves{
    Curve{PemKey::kP256, "1.2.840.10045.3.1.7", "prime256v1", NID_X9_62_prime256v1, 32},
    Curve{PemKey::kP384, "1.3.132.0.34", "secp384r1", NID_secp384r1, 48}};
constexpr const char* kEcType = "1.2.840.10045.2.1";
constexpr const char* kEd25519Type = "1.3.101.112";  // RFC 8410 §3
constexpr std::size_t kEd25519Size = 32;             // RFC 8032 §5.1.5

const Curve* CurveNamed(OctetView oid) {
  for (const Curve& curve : kCurves) {
    if (crypto::Same(oid, crypto::DerOid(curve.oid))) return &curve;
  }
  return nullptr;
}

const Curve* CurveOf(OctetView algorithm) {
  DerReader in(algorithm);
  const auto type = in.Next(tag::kOid), curve = in.Next(tag::kOid);
  if (!type || !curve || !in.AtEnd() || !crypto::Same(type->whole, crypto::DerOid(kEcType))) return nullptr;
  return CurveNamed(curve->whole);
}

bool NamesEd25519(OctetView algorithm) {
  const auto type = crypto::OnlyElement(algorithm, tag::kOid);
  return type && crypto::Same(type->whole, crypto::DerOid(kEd25519Type));
}

// What is needed of a key; number and point point into the DER.
struct Parts {
  const Curve* curve = nullptr;  // none: Ed25519
  OctetView number, point;       // the latter empty where the file has none
};

// The [0] parameters, which PKCS #8 leaves out since its algorithm names the curve (RFC 5915 §3). Null: another curve.
const Curve* CurveInParameters(DerReader& in, const Curve* named_before) {
  if (!in.Peek(tag::ContextConstructed(0))) return named_before;
  const auto oid = crypto::OnlyElement(in.Next()->content, tag::kOid);
  const Curve* const curve = oid ? CurveNamed(oid->whole) : nullptr;
  return named_before == nullptr || named_before == curve ? curve : nullptr;
}

std::optional<Parts> EcPrivateKey(OctetView der, const Curve* named_before) {
  const auto outer = crypto::OnlyElement(der, tag::kSequence);
  if (!outer) return std::nullopt;
  DerReader in(outer->content);
  const auto version = in.Next(tag::kInteger), number = in.Next(tag::kOctetString);
  if (!version || version->content.size() != 1 || version->content[0] != 1 || !number) return std::nullopt;
  const Curve* const curve = CurveInParameters(in, named_before);
  if (curve == nullptr || number->content.empty() || number->content.size() > curve->coordinate)
    return std::nullopt;
  Parts parts{curve, number->content, {}};
  if (in.Peek(tag::ContextConstructed(1))) {
    const auto bits = crypto::OnlyElement(in.Next()->content, tag::kBitString);
    if (!bits || bits->content.size() < 2 || bits->content[0] != 0) return std::nullopt;
    parts.point = bits->content.subspan(1);
  }
  return in.AtEnd() ? std::optional(parts) : std::nullopt;
}

// RFC 8410 §7: an octet string in the octet string.
std::optional<Parts> Ed25519PrivateKey(OctetView der) {
  const auto seed = crypto::OnlyElement(der, tag::kOctetString);
  if (!seed || seed->content.size() != kEd25519Size) return std::nullopt;
  return Parts{nullptr, seed->content, {}};
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
  if (!version || !in.Peek(tag::kSequence)) return EcPrivateKey(der, nullptr);
  const auto algorithm = in.Next(tag::kSequence), key = in.Next(tag::kOctetString);
  if (!algorithm || !key) return std::nullopt;
  if (NamesEd25519(algorithm->content)) return Ed25519PrivateKey(key->content);
  const Curve* const curve = CurveOf(algorithm->content);
  if (curve == nullptr) return std::nullopt;
  return EcPrivateKey(key->content, curve);  // attributes may follow
}

std::optional<Bytes> Uncompressed(const EC_GROUP* group, const EC_POINT* point, std::size_t coordinate) {
  Bytes octets(1 + 2 * coordinate);
  const std::size_t size =
      EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, octets.data(), octets.size(), nullptr);
  return size == octets.size() ? std::optional(octets) : std::nullopt;
}

// d·G as (d - r)·G + r·G: OpenSSL's multiplication leaves the number it is given on the stack.
std::optional<Bytes> PointOf(const EC_GROUP* group, const Curve& curve, const BIGNUM* number) {
  const Owned<BN_CTX, BN_CTX_free> context(BN_CTX_secure_new());
  const OwnedBn mask(BN_secure_new()), masked(BN_secure_new());
  const OwnedPoint one(EC_POINT_new(group)), other(EC_POINT_new(group));
  const BIGNUM* const order = EC_GROUP_get0_order(group);
  const bool made = BN_cmp(number, order) < 0 && BN_priv_rand_range(mask.get(), order) == 1 &&
                    BN_mod_sub(masked.get(), number, mask.get(), order, context.get()) == 1 &&
                    EC_POINT_mul(group, one.get(), mask.get(), nullptr, nullptr, context.get()) == 1 &&
                    EC_POINT_mul(group, other.get(), masked.get(), nullptr, nullptr, context.get()) == 1 &&
                    EC_POINT_add(group, one.get(), one.get(), other.get(), context.get()) == 1;
  return made ? Uncompressed(group, one.get(), curve.coordinate) : std::nullopt;
}

// In either form of RFC 5480 §2.2, and no other.
bool IsPoint(const EC_GROUP* group, const Curve& curve, OctetView said, const Bytes& wanted) {
  if (said.size() != 1 + curve.coordinate && said.size() != 1 + 2 * curve.coordinate) return false;
  if (said.size() == wanted.size() && said[0] != 4) return false;
  const OwnedPoint point(EC_POINT_new(group));
  return EC_POINT_oct2point(group, point.get(), said.data(), said.size(), nullptr) == 1 &&
         Uncompressed(group, point.get(), curve.coordinate) == wanted;
}

std::shared_ptr<EVP_PKEY> KeyOf(const Curve& curve, const BIGNUM* number, const Bytes& point) {
  const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> build(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(build.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.group, 0);
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

KeyPem Trouble(PemTrouble trouble) {
  crypto::Failed();
  KeyPem none;
  none.trouble = trouble;
  return none;
}

KeyPem OnCurve(const Parts& parts) {
  const Curve& curve = *parts.curve;
  const Owned<EC_GROUP, EC_GROUP_free> group(EC_GROUP_new_by_curve_name(curve.nid));
  const OwnedBn number(BN_secure_new());
  BN_bin2bn(parts.number.data(), static_cast<int>(parts.number.size()), number.get());
  const auto point = PointOf(group.get(), curve, number.get());
  if (!point) return Trouble(PemTrouble::kPoint);
  if (!parts.point.empty() && !IsPoint(group.get(), curve, parts.point, *point))
    return Trouble(PemTrouble::kPoint);
  KeyPem found{PemTrouble::kNone, curve.type, KeyOf(curve, number.get(), *point), *point};
  return found.key ? found : Trouble(PemTrouble::kPoint);
}

// OpenSSL keeps the seed in secure memory and wipes what it computes of it.
KeyPem OnEd25519(const Parts& parts) {
  KeyPem found{PemTrouble::kNone, PemKey::kEd25519, nullptr, Bytes(kEd25519Size)};
  found.key.reset(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, parts.number.data(), kEd25519Size),
                  EVP_PKEY_free);
  std::size_t size = found.point.size();
  const bool made = found.key && EVP_PKEY_get_raw_public_key(found.key.get(), found.point.data(), &size) == 1;
  return made ? found : Trouble(PemTrouble::kPoint);
}

}  // namespace

KeyPem ReadKeyPem(const Secret& pem) {
  const Owned<BIO, BIO_free_all> text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  SecureDer der;
  if (PEM_bytes_read_bio_secmem(&der.octets, &der.size, nullptr, PEM_STRING_EVP_PKEY, text.get(),
                                &NoPassphrase, nullptr) != 1 ||
      !LooksLikeAKey(der.view())) {
    return Trouble(PemTrouble::kNoKey);
  }
  const auto parts = PartsOf(der.view());
  if (!parts) return Trouble(PemTrouble::kOtherType);
  return parts->curve != nullptr ? OnCurve(*parts) : OnEd25519(*parts);
}

P256Pem ReadP256Pem(const Secret& pem) {
  KeyPem found = ReadKeyPem(pem);
  if (found.type != PemKey::kP256) return Trouble(PemTrouble::kOtherType);
  return found;
}

}  // namespace registry
