#include "simulators/euicc/p256.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>
#include <openssl/x509.h>

namespace registry::sim {
namespace {

constexpr std::size_t kScalar = 32, kPoint = 65;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

EVP_PKEY* Raw(const std::shared_ptr<void>& key) { return static_cast<EVP_PKEY*>(key.get()); }

std::optional<Bytes> SignOnce(EVP_PKEY* key, const Bytes& digest) {
  KeyContext context(EVP_PKEY_CTX_new(key, nullptr), EVP_PKEY_CTX_free);
  Bytes der(80);
  std::size_t size = der.size();
  if (!context || EVP_PKEY_sign_init(context.get()) <= 0 ||
      EVP_PKEY_sign(context.get(), der.data(), &size, digest.data(), digest.size()) <= 0) {
    return std::nullopt;
  }
  const std::uint8_t* at = der.data();
  std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> signature(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)), ECDSA_SIG_free);
  Bytes out(2 * kScalar);
  if (!signature || BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out.data(), kScalar) < 0 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out.data() + kScalar, kScalar) < 0) {
    return std::nullopt;
  }
  return out;
}

Key PublicKeyOf(const Bytes& point) {
  char curve[] = "prime256v1";
  OSSL_PARAM parts[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, 0),
                        OSSL_PARAM_construct_octet_string(
                            OSSL_PKEY_PARAM_PUB_KEY, const_cast<std::uint8_t*>(point.data()), point.size()),
                        OSSL_PARAM_construct_end()};
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr), EVP_PKEY_CTX_free);
  EVP_PKEY* key = nullptr;
  if (context && EVP_PKEY_fromdata_init(context.get()) > 0)
    EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parts);
  return Key(key, EVP_PKEY_free);
}

// Of a group that is there already: to make the group by its name costs as much as the key.
Key NewKey() {
  static EVP_PKEY* const like = EVP_EC_gen("P-256");  // for the life of the process
  const KeyContext context(like != nullptr ? EVP_PKEY_CTX_new(like, nullptr) : nullptr, EVP_PKEY_CTX_free);
  EVP_PKEY* key = nullptr;
  if (context && EVP_PKEY_keygen_init(context.get()) > 0) EVP_PKEY_keygen(context.get(), &key);
  return Key(key, EVP_PKEY_free);
}

// Ecdsa-Sig-Value (RFC 3279 §2.2.3) of r || s.
Bytes SignatureValue(const Bytes& raw) {
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> value(ECDSA_SIG_new(), ECDSA_SIG_free);
  ECDSA_SIG_set0(value.get(), BN_bin2bn(raw.data(), kScalar, nullptr),
                 BN_bin2bn(raw.data() + kScalar, kScalar, nullptr));
  Bytes der(static_cast<std::size_t>(i2d_ECDSA_SIG(value.get(), nullptr)));
  std::uint8_t* at = der.data();
  i2d_ECDSA_SIG(value.get(), &at);
  return der;
}

}  // namespace

bool P256Key::Verifies(const Bytes& point, const Bytes& digest, const Bytes& raw) {
  if (raw.size() != 2 * kScalar) return false;
  const Key key = PublicKeyOf(point);
  const KeyContext context(key ? EVP_PKEY_CTX_new(key.get(), nullptr) : nullptr, EVP_PKEY_CTX_free);
  const Bytes der = SignatureValue(raw);
  const bool good = context && EVP_PKEY_verify_init(context.get()) > 0 &&
                    EVP_PKEY_verify(context.get(), der.data(), der.size(), digest.data(), digest.size()) == 1;
  if (!good) ERR_clear_error();
  return good;
}

std::optional<Bytes> P256Key::Request(const Bytes& subject) const {
  const std::unique_ptr<X509_REQ, decltype(&X509_REQ_free)> request(X509_REQ_new(), X509_REQ_free);
  const std::uint8_t* at = subject.data();
  const std::unique_ptr<X509_NAME, decltype(&X509_NAME_free)> name(
      d2i_X509_NAME(nullptr, &at, static_cast<long>(subject.size())), X509_NAME_free);
  const bool whole = name && at == subject.data() + subject.size();
  const bool made = whole && request && X509_REQ_set_subject_name(request.get(), name.get()) == 1 &&
                    X509_REQ_set_pubkey(request.get(), Raw(key_)) == 1 &&
                    X509_REQ_sign(request.get(), Raw(key_), EVP_sha256()) > 0;
  if (!made) {
    ERR_clear_error();
    return std::nullopt;
  }
  Bytes der(static_cast<std::size_t>(i2d_X509_REQ(request.get(), nullptr)));
  std::uint8_t* out = der.data();
  i2d_X509_REQ(request.get(), &out);
  return der;
}

std::optional<P256Key> P256Key::Generate() {
  P256Key made;
  made.key_ = std::shared_ptr<void>(NewKey().release(),
                                    [](void* key) { EVP_PKEY_free(static_cast<EVP_PKEY*>(key)); });
  if (!made.key_) return std::nullopt;
  std::uint8_t* point = nullptr;
  const std::size_t size = EVP_PKEY_get1_encoded_public_key(Raw(made.key_), &point);
  if (size == 0) return std::nullopt;
  made.point_.assign(point, point + size);
  OPENSSL_free(point);
  return made;
}

bool P256Key::IsPoint(const Bytes& point) {
  static const EC_GROUP* const group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
  if (point.size() != kPoint || point.front() != POINT_CONVERSION_UNCOMPRESSED) return false;
  const std::unique_ptr<EC_POINT, decltype(&EC_POINT_free)> decoded(EC_POINT_new(group), EC_POINT_free);
  // Decoding asks whether both coordinates are below p and on the curve (SEC 1 §2.3.4); infinity has another form.
  const bool good =
      decoded && EC_POINT_oct2point(group, decoded.get(), point.data(), point.size(), nullptr) == 1;
  if (!good) ERR_clear_error();
  return good;
}

std::optional<Bytes> P256Key::Sign(const Bytes& digest) const {
  while (true) {
    auto signature = SignOnce(Raw(key_), digest);
    if (!signature || ((*signature)[0] != 0 && (*signature)[kScalar] != 0)) return signature;
  }
}

std::optional<Bytes> P256Key::Agree(const Bytes& peer_point) const {
  Key peer(EVP_PKEY_new(), EVP_PKEY_free);
  // Copying the parameters avoids naming the group again, which is most of the cost of an import.
  if (!peer || EVP_PKEY_copy_parameters(peer.get(), Raw(key_)) <= 0 ||
      EVP_PKEY_set1_encoded_public_key(peer.get(), peer_point.data(), peer_point.size()) <= 0) {
    return std::nullopt;
  }
  KeyContext context(EVP_PKEY_CTX_new(Raw(key_), nullptr), EVP_PKEY_CTX_free);
  Bytes shared(kScalar);
  std::size_t size = shared.size();
  if (!context || EVP_PKEY_derive_init(context.get()) <= 0 ||
      // SP 800-56A §5.6.2.3.3: decoding the point has shown that it is on the curve, whose cofactor is 1. OpenSSL
      // would multiply it by the order as well.
      EVP_PKEY_derive_set_peer_ex(context.get(), peer.get(), 0) <= 0 ||
      EVP_PKEY_derive(context.get(), shared.data(), &size) <= 0 || size != kScalar) {
    return std::nullopt;
  }
  return shared;
}

}  // namespace registry::sim
