// EC_KEY_METHOD is deprecated in OpenSSL 3.0 but the only way short of a provider; see the header.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "simulators/device/card_key.h"

#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include <cstring>

#include "simulators/device/der.h"

namespace registry::sim {
namespace {

int Slot() {
  static const int slot = EC_KEY_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return slot;
}

CardKey* Of(const EC_KEY* key) { return static_cast<CardKey*>(EC_KEY_get_ex_data(key, Slot())); }

int SignOnCard(int, const unsigned char* digest, int size, unsigned char* out, unsigned int* out_size,
               const BIGNUM*, const BIGNUM*, EC_KEY* key) {
  const auto raw = Of(key)->Sign(Bytes(digest, digest + size));
  if (!raw) return 0;
  const Bytes der = SignatureDer(*raw);
  std::memcpy(out, der.data(), der.size());  // the caller's room is ECDSA_size, the longest form
  *out_size = static_cast<unsigned int>(der.size());
  return 1;
}

int AgreeOnCard(unsigned char** out, std::size_t* out_size, const EC_POINT* peer, const EC_KEY* key) {
  Bytes point(65);
  if (EC_POINT_point2oct(EC_KEY_get0_group(key), peer, POINT_CONVERSION_UNCOMPRESSED, point.data(),
                         point.size(), nullptr) != point.size()) {
    return 0;
  }
  const auto shared = Of(key)->Agree(point);
  if (!shared) return 0;
  *out = static_cast<unsigned char*>(OPENSSL_malloc(shared->size()));
  if (*out == nullptr) return 0;
  std::memcpy(*out, shared->data(), shared->size());
  *out_size = shared->size();
  return 1;
}

const EC_KEY_METHOD* CardMethod() {
  static const EC_KEY_METHOD* const method = [] {
    EC_KEY_METHOD* made = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
    EC_KEY_METHOD_set_sign(made, SignOnCard, nullptr, nullptr);
    EC_KEY_METHOD_set_compute_key(made, AgreeOnCard);
    return made;
  }();
  return method;
}

const EC_GROUP* Group() {
  static const EC_GROUP* const group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
  return group;
}

}  // namespace

std::unique_ptr<CardKey> CardKey::Make(Card& card, std::uint8_t key, const Bytes& point) {
  std::unique_ptr<CardKey> made(new CardKey(card, key, point));
  EC_KEY* ec_key = EC_KEY_new();
  made->handle_ = EVP_PKEY_new();
  const bool ok = ec_key != nullptr && made->handle_ != nullptr && EC_KEY_set_group(ec_key, Group()) == 1 &&
                  EC_KEY_oct2key(ec_key, point.data(), point.size(), nullptr) == 1 &&
                  EC_KEY_set_method(ec_key, CardMethod()) == 1 &&
                  EC_KEY_set_ex_data(ec_key, Slot(), made.get()) == 1 &&
                  EVP_PKEY_assign_EC_KEY(made->handle_, ec_key) == 1;
  if (ok) return made;
  EC_KEY_free(ec_key);
  return nullptr;
}

CardKey::~CardKey() { EVP_PKEY_free(handle_); }

Result<Bytes> CardKey::Sign(const Bytes& digest) {
  auto signature = card_.Sign(key_, digest);
  refusal_ = signature ? std::nullopt : std::optional(signature.error());
  return signature;
}

}  // namespace registry::sim
