#include "simulators/euicc/crypto.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/sha.h>

#include <memory>

namespace registry::sim {
namespace {

const EVP_MD* Algorithm(Hash hash) {
  return hash == Hash::kSha256 ? EVP_sha256() : hash == Hash::kSha384 ? EVP_sha384() : EVP_sha512();
}

template <class Word>
Word ReadWord(const std::uint8_t* at) {
  Word word = 0;
  for (std::size_t i = 0; i < sizeof(Word); ++i) word = static_cast<Word>(word << 8 | at[i]);
  return word;
}

// OpenSSL's only way to begin in the middle of a text; deprecated in 3.0, with nothing in its place.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

std::optional<Bytes> FinishSha256(const Bytes& state, std::uint32_t hashed, const Bytes& rest) {
  if (state.size() != SHA256_DIGEST_LENGTH || hashed % SHA256_CBLOCK != 0) return std::nullopt;
  SHA256_CTX context;
  SHA256_Init(&context);
  for (std::size_t i = 0; i < 8; ++i) context.h[i] = ReadWord<std::uint32_t>(&state[4 * i]);
  const std::uint64_t bits = std::uint64_t{hashed} * 8;
  context.Nl = static_cast<std::uint32_t>(bits);
  context.Nh = static_cast<std::uint32_t>(bits >> 32);
  Bytes digest(SHA256_DIGEST_LENGTH);
  SHA256_Update(&context, rest.data(), rest.size());
  SHA256_Final(digest.data(), &context);
  return digest;
}

// SHA-384 and SHA-512 have the same state and end differently.
std::optional<Bytes> FinishSha512(Hash hash, const Bytes& state, std::uint32_t hashed, const Bytes& rest) {
  if (state.size() != SHA512_DIGEST_LENGTH || hashed % SHA512_CBLOCK != 0) return std::nullopt;
  SHA512_CTX context;
  hash == Hash::kSha384 ? SHA384_Init(&context) : SHA512_Init(&context);
  for (std::size_t i = 0; i < 8; ++i) context.h[i] = ReadWord<std::uint64_t>(&state[8 * i]);
  context.Nl = std::uint64_t{hashed} * 8;
  Bytes digest(DigestSize(hash));
  SHA512_Update(&context, rest.data(), rest.size());
  SHA512_Final(digest.data(), &context);  // as many octets as the beginning said
  return digest;
}

#pragma GCC diagnostic pop

void AppendWithLength(Bytes& out, const Bytes& value) {
  out.insert(out.end(),
             {static_cast<std::uint8_t>(value.size() >> 8), static_cast<std::uint8_t>(value.size())});
  out.insert(out.end(), value.begin(), value.end());
}

}  // namespace

std::optional<Hash> HashOf(const Bytes& tag91) {
  if (tag91.size() != 2) return std::nullopt;
  const auto code = ReadWord<std::uint16_t>(tag91.data());
  for (const Hash hash : {Hash::kSha256, Hash::kSha384, Hash::kSha512}) {
    if (code == static_cast<std::uint16_t>(hash)) return hash;
  }
  return std::nullopt;
}

std::size_t DigestSize(Hash hash) {
  return hash == Hash::kSha256   ? SHA256_DIGEST_LENGTH
         : hash == Hash::kSha384 ? SHA384_DIGEST_LENGTH
                                 : SHA512_DIGEST_LENGTH;
}

Bytes Digest(Hash hash, const Bytes& text) {
  Bytes digest(DigestSize(hash));
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, Algorithm(hash), nullptr);
  return digest;
}

std::optional<Bytes> FinishDigest(Hash hash, const Bytes& state, std::uint32_t hashed, const Bytes& rest) {
  return hash == Hash::kSha256 ? FinishSha256(state, hashed, rest) : FinishSha512(hash, state, hashed, rest);
}

// RFC 5869 §2.2: PRK = HMAC-Hash(salt, IKM). No salt is as many zeros, which HMAC makes of an empty key itself.
std::optional<Bytes> HkdfExtract(Hash hash, const Bytes& salt, const Bytes& key_material) {
  Bytes out(DigestSize(hash));
  const Bytes none(1);
  const Bytes& key = salt.empty() ? none : salt;
  const bool done = HMAC(Algorithm(hash), key.data(), static_cast<int>(salt.size()), key_material.data(),
                         key_material.size(), out.data(), nullptr) != nullptr;
  return done ? std::optional(std::move(out)) : std::nullopt;
}

std::optional<Bytes> Tls12Prf(const Bytes& secret, const Bytes& label_and_seed, std::size_t size) {
  if (secret.empty() || label_and_seed.empty() || size == 0) return std::nullopt;
  const std::unique_ptr<EVP_KDF, decltype(&EVP_KDF_free)> kdf(EVP_KDF_fetch(nullptr, "TLS1-PRF", nullptr),
                                                              EVP_KDF_free);
  const std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)> context(EVP_KDF_CTX_new(kdf.get()),
                                                                          EVP_KDF_CTX_free);
  char digest[] = "SHA256";
  const OSSL_PARAM with[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, const_cast<std::uint8_t*>(secret.data()),
                                        secret.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, const_cast<std::uint8_t*>(label_and_seed.data()),
                                        label_and_seed.size()),
      OSSL_PARAM_construct_end()};
  Bytes out(size);
  if (!context || EVP_KDF_derive(context.get(), out.data(), out.size(), with) != 1) return std::nullopt;
  return out;
}

Bytes PskPremaster(const Bytes& other, const Bytes& psk) {
  Bytes out;
  AppendWithLength(out, other.empty() ? Bytes(psk.size()) : other);
  AppendWithLength(out, psk);
  return out;
}

std::optional<Bytes> AesCmac(const Bytes& key, const Bytes& text) {
  if (key.size() != 16) return std::nullopt;
  Bytes out(16);
  std::size_t size = 0;
  const bool done = EVP_Q_mac(nullptr, "CMAC", nullptr, "AES-128-CBC", nullptr, key.data(), key.size(),
                              text.data(), text.size(), out.data(), out.size(), &size) != nullptr;
  return done && size == out.size() ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace registry::sim
