#include "workers/crypto/p256.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>

#include "schemas/base/check.h"
#include "workers/crypto/der_writer.h"
#include "workers/crypto/owned.h"

namespace registry::crypto {
namespace {

using OwnedKey = Owned<EVP_PKEY, EVP_PKEY_free>;
using OwnedContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

OwnedContext NewGenerator() {
  OwnedContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  REG_CHECK(context && EVP_PKEY_keygen_init(context.get()) == 1);
  REG_CHECK(EVP_PKEY_CTX_set_group_name(context.get(), "P-256") == 1);
  return context;
}

OwnedKey Generate() {
  thread_local const OwnedContext generator = NewGenerator();
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_generate(generator.get(), &key) != 1) Failed();
  return OwnedKey(key);
}

// A key object whose point is replaced for every use: building one afresh means building the curve's group
// afresh, five times the cost of everything else around a verification.
class PublicKeySlot {
 public:
  PublicKeySlot() : key_(Generate()), context_(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr)) {
    REG_CHECK(key_ && context_);
  }
  // False when the octets are no point of the curve; the slot then still holds the last one and must not be
  // used.
  bool Put(OctetView point) {
    return EVP_PKEY_set1_encoded_public_key(key_.get(), point.data(), point.size()) == 1;
  }
  EVP_PKEY* key() const { return key_.get(); }
  EVP_PKEY_CTX* context() const { return context_.get(); }

 private:
  OwnedKey key_;
  OwnedContext context_;
};

struct Curve {
  Owned<EC_GROUP, EC_GROUP_free> group{EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1)};
  Owned<EC_POINT, EC_POINT_free> point{EC_POINT_new(group.get())};
  Owned<BN_CTX, BN_CTX_free> numbers{BN_CTX_new()};

  // Decoding checks the equation already; asking again costs a microsecond and does not depend on that staying so.
  bool Take(OctetView octets) const {
    return (EC_POINT_oct2point(group.get(), point.get(), octets.data(), octets.size(), numbers.get()) == 1 &&
            EC_POINT_is_on_curve(group.get(), point.get(), numbers.get()) == 1) ||
           Failed();
  }
};

const Curve& ThisCurve() {
  thread_local const Curve curve;
  return curve;
}

Bytes PublicPoint(const EVP_PKEY* key) {
  Bytes point(kPointSize);
  std::size_t size = 0;
  const int got = EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point.data(),
                                                  point.size(), &size);
  if (got != 1 || size != kPointSize) return {};
  return point;
}

}  // namespace

bool IsOnP256(OctetView point) {
  return point.size() == kPointSize && point[0] == POINT_CONVERSION_UNCOMPRESSED && ThisCurve().Take(point);
}

std::optional<Bytes> UncompressedP256(OctetView point) {
  if (IsOnP256(point)) return Bytes(point.begin(), point.end());
  constexpr std::size_t kCompressedSize = 33;
  if (point.size() != kCompressedSize || (point[0] != 0x02 && point[0] != 0x03)) return std::nullopt;
  const Curve& curve = ThisCurve();
  if (!curve.Take(point)) return std::nullopt;
  Bytes whole(kPointSize);
  const std::size_t size =
      EC_POINT_point2oct(curve.group.get(), curve.point.get(), POINT_CONVERSION_UNCOMPRESSED, whole.data(),
                         whole.size(), curve.numbers.get());
  if (size == kPointSize) return whole;
  Failed();
  return std::nullopt;
}

bool VerifyP256(OctetView point, OctetView digest, OctetView signature) {
  thread_local PublicKeySlot slot;
  if (!slot.Put(point)) return Failed();
  // Initialised for every key: the context may keep what it derived from the last one.
  if (EVP_PKEY_verify_init(slot.context()) != 1) return Failed();
  const int verdict =
      EVP_PKEY_verify(slot.context(), signature.data(), signature.size(), digest.data(), digest.size());
  return verdict == 1 || Failed();
}

// One object from the first line to every return, so that it is made in the caller's place (no copy of Z stays behind on
// the stack).
std::optional<Agreement> AgreeP256(OctetView point) {
  std::optional<Agreement> agreement;
  thread_local PublicKeySlot peer;
  const OwnedKey ephemeral = Generate();
  if (!ephemeral || !IsOnP256(point) || !peer.Put(point)) {
    Failed();
    return agreement;
  }
  const OwnedContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, ephemeral.get(), nullptr));
  auto& secret = agreement.emplace().secret;
  agreement->ephemeral = PublicPoint(ephemeral.get());
  std::size_t size = secret.size();
  // The peer's point has been validated above; a second validation by OpenSSL would cost as much as the
  // agreement.
  const bool agreed = context && EVP_PKEY_derive_init(context.get()) == 1 &&
                      EVP_PKEY_derive_set_peer_ex(context.get(), peer.key(), 0) == 1 &&
                      EVP_PKEY_derive(context.get(), secret.data(), &size) == 1;
  if (!agreed || size != secret.size() || agreement->ephemeral.empty()) {
    OPENSSL_cleanse(secret.data(), secret.size());
    Failed();
    agreement.reset();
  }
  return agreement;
}

Bytes P256PublicKeyInfo(OctetView point) {
  static const Bytes algorithm = DerSequence({DerOid("1.2.840.10045.2.1"), DerOid("1.2.840.10045.3.1.7")});
  return DerSequence({algorithm, DerBitString(point)});
}

Bytes P256KeyDigest(OctetView point) {
  // Points that were checked are of one size, so that what stands before them is always the same.
  if (point.size() != kPointSize) return ToBytes(Sha256({P256PublicKeyInfo(point)}));
  static const Bytes head = [] {
    Bytes info = P256PublicKeyInfo(Bytes(kPointSize, 0));
    info.resize(info.size() - kPointSize);
    return info;
  }();
  return ToBytes(Sha256({head, point}));
}

}  // namespace registry::crypto
