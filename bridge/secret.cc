#include "bridge/secret.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/prctl.h>

#include <cstring>

#include "schemas/base/check.h"

namespace registry {
namespace {

// Room for what a thousand threads need to sign at once; where it ended OpenSSL would refuse to sign. Within the 8 MiB
// that Debian lets a service lock.
constexpr std::size_t kHeap = std::size_t{4} << 20, kSmallest = 64;

}  // namespace

void ProtectSecrets() {
  prctl(PR_SET_DUMPABLE, 0);
  CRYPTO_secure_malloc_init(kHeap, kSmallest);
}

void AllowCoreDumps() { prctl(PR_SET_DUMPABLE, 1); }

Secret::Secret(std::size_t size) : size_(size) {
  auto* const octets = static_cast<std::uint8_t*>(OPENSSL_secure_zalloc(size + 1));
  REG_CHECK(octets != nullptr);
  octets_.reset(octets, [size](std::uint8_t* gone) { OPENSSL_secure_clear_free(gone, size + 1); });
}

Secret::Secret(const Bytes& octets) : Secret(octets.size()) {
  if (!octets.empty()) std::memcpy(fill(), octets.data(), octets.size());
}

Secret SecretFromBase64(std::string_view text) {
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  if (text.empty() || text.size() % 4 != 0) return {};
  Secret octets(text.size() / 4 * 3);
  const auto* const from = reinterpret_cast<const unsigned char*>(text.data());
  // EVP_DecodeBlock passes over white space at either end, which is none of the alphabet.
  const bool clean = text.find_first_of(" \t\r\n") == std::string_view::npos;
  if (!clean || EVP_DecodeBlock(octets.fill(), from, static_cast<int>(text.size())) < 0) return {};
  // It also takes bits behind the last octet and padding anywhere, which another decoder would read otherwise.
  Secret again(text.size());
  octets.Shorten(octets.size() - padding);
  EVP_EncodeBlock(again.fill(), octets.data(), static_cast<int>(octets.size()));
  return again.text() == text ? octets : Secret();
}

}  // namespace registry
