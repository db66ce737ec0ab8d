#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>

#include "workers/crypto/der_writer.h"
#include "workers/crypto/owned.h"
#include "workers/crypto/p256.h"
#include "workers/payload_push/cms.h"

namespace registry::payload_push {
namespace {

using crypto::Der;
using crypto::DerOid;
using crypto::DerSequence;
using crypto::OctetView;
namespace tag = crypto::tag;

constexpr std::size_t kKeySize = 16, kNonceSize = 12, kTagSize = 16;
constexpr std::size_t kWrappedSize = kKeySize + 8;  // RFC 3394 §2.2.1

using OwnedCipher = crypto::Owned<EVP_CIPHER, EVP_CIPHER_free>;
using OwnedCipherContext = crypto::Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

// Key material that does not outlive its use.
template <std::size_t N>
struct Secret : std::array<std::uint8_t, N> {
  Secret() : std::array<std::uint8_t, N>{} {}
  ~Secret() { OPENSSL_cleanse(this->data(), N); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
};
using Key = Secret<kKeySize>;

Error Refused(std::string_view what) {
  crypto::Failed();
  return Error::Make(Code::kFailed, "payload_failed", std::string("OpenSSL refused: ").append(what));
}

struct Ciphers {
  OwnedCipher gcm{EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr)};
  OwnedCipher wrap{EVP_CIPHER_fetch(nullptr, "AES-128-WRAP", nullptr)};
  OwnedCipherContext gcm_context{EVP_CIPHER_CTX_new()}, wrap_context{EVP_CIPHER_CTX_new()};
};
const Ciphers& PerThread() {
  thread_local const Ciphers ciphers;
  return ciphers;
}

const Bytes& WrapAlgorithm() {
  static const Bytes algorithm =
      DerSequence({DerOid("2.16.840.1.101.3.4.1.5")});  // id-aes128-wrap, RFC 5753 §7.2
  return algorithm;
}

// RFC 5753 §7.2: ECC-CMS-SharedInfo. No ukm; the wrapped key has 128 bits.
const Bytes& SharedInfo() {
  static const Bytes info = [] {
    static constexpr std::uint8_t kKeyBits[] = {0, 0, 0, 8 * kKeySize};
    return DerSequence(
        {WrapAlgorithm(), Der(tag::ContextConstructed(2), {Der(tag::kOctetString, {kKeyBits})})});
  }();
  return info;
}

// ANSI X9.63 KDF with SHA-256 (SEC 1 §3.6.1): the key-encryption key needs half of the first block.
void DeriveWrappingKey(OctetView shared_secret, Key& key) {
  static constexpr std::uint8_t kCounter[] = {0, 0, 0, 1};
  auto block = crypto::Sha256({shared_secret, kCounter, SharedInfo()});
  std::copy_n(block.begin(), key.size(), key.begin());
  OPENSSL_cleanse(block.data(), block.size());
}

// The contexts live as long as their thread; the keys in them must not. What was fetched stays fetched.
class Forget {
 public:
  explicit Forget(EVP_CIPHER_CTX* context) : context_(context) {}
  ~Forget() { EVP_CIPHER_CTX_reset(context_); }
  Forget(const Forget&) = delete;
  Forget& operator=(const Forget&) = delete;

 private:
  EVP_CIPHER_CTX* const context_;
};

bool WrapKey(const Key& wrapping, const Key& content_key, std::array<std::uint8_t, kWrappedSize>& wrapped) {
  const Ciphers& ciphers = PerThread();
  EVP_CIPHER_CTX* const context = ciphers.wrap_context.get();
  const Forget forget(context);
  EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  int size = 0, last = 0;
  return EVP_EncryptInit_ex2(context, ciphers.wrap.get(), wrapping.data(), nullptr, nullptr) == 1 &&
         EVP_EncryptUpdate(context, wrapped.data(), &size, content_key.data(), kKeySize) == 1 &&
         EVP_EncryptFinal_ex(context, wrapped.data() + size, &last) == 1 &&
         size + last == static_cast<int>(kWrappedSize);
}

struct Sealed {
  std::array<std::uint8_t, kNonceSize> nonce{};
  std::array<std::uint8_t, kTagSize> mac{};
  Bytes ciphertext;
};

bool Seal(const Key& key, const Bytes& content, Sealed& sealed) {
  const Ciphers& ciphers = PerThread();
  EVP_CIPHER_CTX* const context = ciphers.gcm_context.get();
  const Forget forget(context);
  sealed.ciphertext.resize(content.size());
  int size = 0, last = 0;
  return RAND_bytes(sealed.nonce.data(), kNonceSize) == 1 &&
         EVP_EncryptInit_ex2(context, ciphers.gcm.get(), key.data(), sealed.nonce.data(), nullptr) == 1 &&
         EVP_EncryptUpdate(context, sealed.ciphertext.data(), &size, content.data(),
                           static_cast<int>(content.size())) == 1 &&
         EVP_EncryptFinal_ex(context, sealed.ciphertext.data() + size, &last) == 1 &&
         static_cast<std::size_t>(size) + static_cast<std::size_t>(last) == content.size() &&
         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagSize, sealed.mac.data()) == 1;
}

// KeyAgreeRecipientInfo, version 3, as [1] of RecipientInfo. The originator's algorithm carries no parameters: the curve
// is the recipient's (RFC 5753 §3.1.1).
Bytes RecipientInfo(const Bytes& ephemeral, const Bytes& recipient, OctetView wrapped) {
  static const Bytes kVersion = crypto::DerInteger(3);
  static const Bytes kOriginatorAlgorithm = DerSequence({DerOid("1.2.840.10045.2.1")});
  static const Bytes kKeyEncryption = DerSequence({DerOid("1.3.132.1.11.1"), WrapAlgorithm()});
  const Bytes originator_key =
      Der(tag::ContextConstructed(1), {kOriginatorAlgorithm, crypto::DerBitString(ephemeral)});
  const Bytes originator = Der(tag::ContextConstructed(0), {originator_key});
  const Bytes name =
      Der(tag::ContextConstructed(0), {Der(tag::kOctetString, {crypto::KeyIdentifier(recipient)})});
  const Bytes encrypted_key = DerSequence({name, Der(tag::kOctetString, {wrapped})});
  return Der(tag::ContextConstructed(1),
             {kVersion, originator, kKeyEncryption, DerSequence({encrypted_key})});
}

Bytes EncryptedContentInfo(const Sealed& sealed) {
  static const Bytes kData = DerOid("1.2.840.113549.1.7.1");
  static const Bytes kGcm = DerOid("2.16.840.1.101.3.4.1.6");
  // RFC 5084 §3.2: the length of the tag is said, since the default is 12.
  const Bytes parameters =
      DerSequence({Der(tag::kOctetString, {sealed.nonce}), crypto::DerInteger(kTagSize)});
  return DerSequence({kData, DerSequence({kGcm, parameters}), Der(tag::Context(0), {sealed.ciphertext})});
}

}  // namespace

Result<Bytes> Encrypt(const Bytes& content, const Bytes& recipient) {
  static const Bytes kAuthEnvelopedData = DerOid("1.2.840.113549.1.9.16.1.23");
  static const Bytes kVersion = crypto::DerInteger(std::uint64_t{0});
  Key content_key, wrapping;
  if (RAND_priv_bytes(content_key.data(), kKeySize) != 1) return Refused("random octets");
  auto agreement = crypto::AgreeP256(recipient);
  if (!agreement) return Refused("the key-agreement key is no point on P-256");
  DeriveWrappingKey(agreement->secret, wrapping);
  OPENSSL_cleanse(agreement->secret.data(), agreement->secret.size());
  std::array<std::uint8_t, kWrappedSize> wrapped{};
  if (!WrapKey(wrapping, content_key, wrapped)) return Refused("AES key wrap");
  Sealed sealed;
  if (!Seal(content_key, content, sealed)) return Refused("AES-GCM");
  const Bytes recipients = Der(tag::kSet, {RecipientInfo(agreement->ephemeral, recipient, wrapped)});
  const Bytes enveloped =
      DerSequence({kVersion, recipients, EncryptedContentInfo(sealed), Der(tag::kOctetString, {sealed.mac})});
  return DerSequence({kAuthEnvelopedData, Der(tag::ContextConstructed(0), {enveloped})});
}

}  // namespace registry::payload_push
