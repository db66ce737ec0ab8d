#include "tests/support/made_keys.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include <algorithm>

#include "schemas/base/check.h"

namespace registry::test {
namespace {

constexpr std::ptrdiff_t kHalf = 16;

void Note(const EVP_PKEY* key) {
  BIGNUM* scalar = nullptr;
  REG_CHECK(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &scalar) == 1);
  Bytes octets(2 * kHalf);
  REG_CHECK(BN_bn2binpad(scalar, octets.data(), 2 * kHalf) == 2 * kHalf);
  BN_clear_free(scalar);
  MadeKeys().push_back(std::move(octets));
}

}  // namespace

std::vector<Bytes>& MadeKeys() {
  static std::vector<Bytes> keys;
  return keys;
}

bool HoldMadeKey(const Bytes& octets) {
  return std::any_of(MadeKeys().begin(), MadeKeys().end(), [&](const Bytes& key) {
    const auto holds = [&](auto half) {
      return std::search(octets.begin(), octets.end(), half, half + kHalf) != octets.end();
    };
    return holds(key.begin()) || holds(key.begin() + kHalf);
  });
}

}  // namespace registry::test

extern "C" int __real_EVP_PKEY_keygen(EVP_PKEY_CTX*, EVP_PKEY**);
extern "C" int __wrap_EVP_PKEY_keygen(EVP_PKEY_CTX* context, EVP_PKEY** key) {
  const int made = __real_EVP_PKEY_keygen(context, key);
  if (made > 0) registry::test::Note(*key);
  return made;
}
