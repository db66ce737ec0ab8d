#include "tests/support/made_keys.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstdarg>

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

extern "C" EVP_PKEY* __real_EVP_PKEY_Q_keygen(OSSL_LIB_CTX*, const char*, const char*, ...);
extern "C" EVP_PKEY* __wrap_EVP_PKEY_Q_keygen(OSSL_LIB_CTX* library, const char* properties, const char* type,
                                              ...) {
  std::va_list arguments;
  va_start(arguments, type);
  EVP_PKEY* const key = __real_EVP_PKEY_Q_keygen(library, properties, type, va_arg(arguments, const char*));
  va_end(arguments);
  registry::test::Note(key);
  return key;
}
