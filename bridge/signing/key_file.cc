#include "bridge/signing/key_file.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

#include "bridge/signing/private_key.h"
#include "bridge/signing/signer.h"
#include "schemas/base/mutex.h"
#include "workers/crypto/issuer.h"
#include "workers/crypto/owned.h"
#include "workers/crypto/p256.h"

namespace registry::signing {
namespace {

using OwnedContext = crypto::Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

constexpr std::size_t kCertificateFileMax = 256 * 1024;
constexpr std::size_t kSignatureMax = 72;  // DER of two 33-octet integers

class FileSigner final : public domain::Signer {
 public:
  FileSigner(PrivateKey key, Bytes certificate)
      : key_(std::move(key)), certificate_(std::move(certificate)) {}

  Result<Bytes> Sign(const Bytes& message) const override {
    const auto digest = crypto::Sha256({message});
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
  const Bytes& certificate() const override { return certificate_; }

 private:
  // A context serves one signature at a time; there are never more of them than threads that signed at once.
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

  const PrivateKey key_;
  const Bytes certificate_;
  mutable Mutex mutex_;
  mutable std::vector<OwnedContext> idle_ GUARDED_BY(mutex_);
};

}  // namespace

Result<std::unique_ptr<domain::Signer>> MakeSigner(PrivateKey key, Bytes certificate) {
  const auto fields = crypto::ReadIssuer(certificate);
  if (!fields) return fields.error();
  if (fields->public_key != key.point()) {
    return Error::Make(Code::kFailed, "key_mismatch", "the certificate is not this key's");
  }
  return std::unique_ptr<domain::Signer>(
      std::make_unique<FileSigner>(std::move(key), std::move(certificate)));
}

Status CheckSigner(const domain::Signer& signer) {
  const auto fields = crypto::ReadIssuer(signer.certificate());
  if (!fields) return fields.error();
  // Text, so that the signature is good for nothing else.
  const Bytes message = AsBytes("does this key sign for its certificate?");
  const auto signature = signer.Sign(message);
  if (!signature) return signature.error();
  if (crypto::VerifyP256(fields->public_key, crypto::Sha256({message}), *signature)) return Done{};
  return Error::Make(Code::kFailed, "key_mismatch",
                     "what the key signs does not verify with the certificate");
}

Result<std::unique_ptr<domain::Signer>> LoadSigner(const std::string& key_file,
                                                   const std::string& certificate_file) {
  auto key = PrivateKey::Load(key_file);
  if (!key) return key.error();
  auto certificate = LoadCertificate(certificate_file);
  if (!certificate) return certificate.error();
  auto signer = MakeSigner(std::move(*key), std::move(*certificate));
  if (signer) return signer;
  Error error = signer.error();
  error.message = key_file + ", " + certificate_file + ": " + error.message;
  return error;
}

Status CreateKeyFile(const std::string& key_file) {
  const auto key = PrivateKey::Generate();
  if (!key) return key.error();
  return key->Save(key_file);
}

Result<Bytes> LoadCertificate(const std::string& certificate_file) {
  const auto refuse = [&](std::string_view why) {
    return Error::Make(Code::kFailed, "certificate_file_invalid", certificate_file + std::string(why));
  };
  std::ifstream file(certificate_file, std::ios::binary);
  if (!file) return refuse(std::string(": cannot be read: ") + std::strerror(errno));
  std::string text(kCertificateFileMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  auto der = text.size() > kCertificateFileMax ? std::nullopt : FromPem("CERTIFICATE", text);
  if (!der) return refuse(" holds no PEM certificate");
  return std::move(*der);
}

}  // namespace registry::signing
