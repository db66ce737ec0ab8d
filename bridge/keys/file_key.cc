#include <openssl/evp.h>

#include "bridge/keys/key_source.h"
#include "schemas/base/mutex.h"
#include "workers/crypto/owned.h"

namespace registry::keys {
namespace {

using OwnedContext = crypto::Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

constexpr std::size_t kSignatureMax = 72;  // DER of two 33-octet integers

class KeyInMemory final : public KeySource {
 public:
  KeyInMemory(std::shared_ptr<EVP_PKEY> key, Bytes point)
      : KeySource(std::move(point)), key_(std::move(key)) {}

  Result<Bytes> Sign(const crypto::Sha256Digest& digest) const override {
    OwnedContext context = Borrow();
    Bytes signature(kSignatureMax);
    std::size_t size = signature.size();
    const bool signed_ok =
        context && EVP_PKEY_sign(context.get(), signature.data(), &size, digest.data(), digest.size()) == 1;
    if (!signed_ok) {
      crypto::Failed();
      return Error::Make(Code::kFailed, "signing_failed", "OpenSSL refused to sign");
    }
    signature.resize(size);
    Return(std::move(context));
    return signature;
  }

 private:
  // A context serves one signature at a time; there are never more of them than threads that signed at once. One that is
  // reused makes a signature in 30 µs instead of 38.
  OwnedContext Borrow() const {
    {
      const MutexLock lock(mutex_);
      if (!idle_.empty()) {
        OwnedContext context = std::move(idle_.back());
        idle_.pop_back();
        return context;
      }
    }
    OwnedContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
    if (context && EVP_PKEY_sign_init(context.get()) != 1) context.reset();
    return context;
  }
  void Return(OwnedContext context) const {
    const MutexLock lock(mutex_);
    idle_.push_back(std::move(context));
  }

  const std::shared_ptr<EVP_PKEY> key_;
  mutable Mutex mutex_;
  mutable std::vector<OwnedContext> idle_ GUARDED_BY(mutex_);
};

}  // namespace

KeySourcePtr FileKey(std::shared_ptr<EVP_PKEY> key, Bytes point) {
  return std::make_shared<KeyInMemory>(std::move(key), std::move(point));
}

}  // namespace registry::keys
