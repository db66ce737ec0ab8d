#include "bridge/ingest/intake_seal.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "schemas/base/check.h"
#include "workers/crypto/digest.h"
#include "workers/crypto/owned.h"

namespace registry::ingest {
namespace {

constexpr std::string_view kMagic("\xffsealed1", 8);
constexpr std::size_t kSalt = 16, kNumber = 8, kTag = 16, kNonce = 12;
constexpr std::size_t kHead = kMagic.size() + kSalt + kNumber;

const std::uint8_t* Octets(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}
std::uint8_t* Octets(std::string& text) { return reinterpret_cast<std::uint8_t*>(text.data()); }
int Size(std::string_view text) { return static_cast<int>(text.size()); }

Bytes NewSalt() {
  Bytes salt(kSalt);
  REG_CHECK(RAND_bytes(salt.data(), static_cast<int>(salt.size())) == 1);
  return salt;
}

// One for each thread: making one costs more than sealing a command.
EVP_CIPHER_CTX* Context() {
  thread_local const crypto::Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free> context(EVP_CIPHER_CTX_new());
  REG_CHECK(context != nullptr);
  return context.get();
}

const EVP_CIPHER* Cipher() {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  REG_CHECK(cipher != nullptr);
  return cipher;
}

// SP 800-38D §8.2.1: a fixed field, here zeros, and a counter.
std::string NonceOf(std::string_view number) { return std::string(kNonce - kNumber, '\0').append(number); }

}  // namespace

IntakeSeal::IntakeSeal(Bytes key)
    : key_(std::move(key)), salt_(NewSalt()), run_key_(crypto::HmacSha256(key_, salt_)) {}

std::string IntakeSeal::Seal(std::string_view payload) {
  const std::uint64_t number = ++number_;
  std::string sealed(kMagic);
  sealed.append(AsText(salt_));
  for (int shift = 56; shift >= 0; shift -= 8) sealed += static_cast<char>(number >> shift);
  const std::string nonce = NonceOf(std::string_view(sealed).substr(kHead - kNumber));
  sealed.resize(kHead + payload.size() + kTag);
  EVP_CIPHER_CTX* const context = Context();
  std::uint8_t* const out = Octets(sealed) + kHead;
  int size = 0, rest = 0;
  REG_CHECK(EVP_EncryptInit_ex2(context, Cipher(), run_key_.data(), Octets(nonce), nullptr) == 1);
  REG_CHECK(EVP_EncryptUpdate(context, out, &size, Octets(payload), Size(payload)) == 1);
  REG_CHECK(EVP_EncryptFinal_ex(context, out + size, &rest) == 1);
  REG_CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTag, out + payload.size()) == 1);
  return sealed;
}

bool IntakeSeal::IsSealed(std::string_view payload) { return payload.starts_with(kMagic); }

std::optional<std::string> IntakeSeal::Open(std::string_view sealed) const {
  if (!IsSealed(sealed) || sealed.size() < kHead + kTag) return std::nullopt;
  const std::string_view salt = sealed.substr(kMagic.size(), kSalt);
  const Bytes key = crypto::HmacSha256(key_, {Octets(salt), salt.size()});
  const std::string nonce = NonceOf(sealed.substr(kHead - kNumber, kNumber));
  const std::string_view secret = sealed.substr(kHead, sealed.size() - kHead - kTag);
  std::string tag(sealed.substr(sealed.size() - kTag)), payload(secret.size(), '\0');
  EVP_CIPHER_CTX* const context = Context();
  int size = 0, rest = 0;
  REG_CHECK(EVP_DecryptInit_ex2(context, Cipher(), key.data(), Octets(nonce), nullptr) == 1);
  REG_CHECK(EVP_DecryptUpdate(context, Octets(payload), &size, Octets(secret), Size(secret)) == 1);
  REG_CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTag, tag.data()) == 1);
  if (EVP_DecryptFinal_ex(context, Octets(payload) + size, &rest) != 1) return std::nullopt;
  return payload;
}

}  // namespace registry::ingest
