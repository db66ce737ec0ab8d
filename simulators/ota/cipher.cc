#include "simulators/ota/cipher.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <memory>
#include <string>

namespace registry::sim::ota {
namespace {

// "AES-128-CBC"; empty for a key that is none.
std::string NameFor(const Bytes& key) {
  if (key.size() != 16 && key.size() != 24 && key.size() != 32) return "";
  return "AES-" + std::to_string(key.size() * 8) + "-CBC";
}

std::optional<Bytes> Run(const Bytes& key, const Bytes& text, bool encipher) {
  const std::string name = NameFor(key);
  if (name.empty() || text.empty() || text.size() % kBlock != 0) return std::nullopt;
  const std::unique_ptr<EVP_CIPHER, decltype(&EVP_CIPHER_free)> cipher(
      EVP_CIPHER_fetch(nullptr, name.c_str(), nullptr), EVP_CIPHER_free);
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(),
                                                                                EVP_CIPHER_CTX_free);
  const std::uint8_t none[kBlock] = {};
  Bytes out(text.size());
  int size = 0;
  const bool done =
      cipher && context &&
      EVP_CipherInit_ex2(context.get(), cipher.get(), key.data(), none, encipher ? 1 : 0, nullptr) == 1 &&
      EVP_CIPHER_CTX_set_padding(context.get(), 0) == 1 &&
      EVP_CipherUpdate(context.get(), out.data(), &size, text.data(), static_cast<int>(text.size())) == 1 &&
      size == static_cast<int>(out.size());
  if (!done) ERR_clear_error();
  return done ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace

std::optional<Bytes> Encipher(const Bytes& key, const Bytes& text) { return Run(key, text, true); }
std::optional<Bytes> Decipher(const Bytes& key, const Bytes& text) { return Run(key, text, false); }

std::optional<Bytes> Checksum(const Bytes& key, const Bytes& text, std::size_t octets) {
  const std::string name = NameFor(key);
  if (name.empty() || octets > kBlock) return std::nullopt;
  Bytes out(kBlock);
  std::size_t size = 0;
  const bool done = EVP_Q_mac(nullptr, "CMAC", nullptr, name.c_str(), nullptr, key.data(), key.size(),
                              text.data(), text.size(), out.data(), out.size(), &size) != nullptr;
  if (!done || size != out.size()) {
    ERR_clear_error();
    return std::nullopt;
  }
  out.resize(octets);
  return out;
}

bool SameOctets(const Bytes& one, const Bytes& other) {
  return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

}  // namespace registry::sim::ota
