#include "bridge/signing/key_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "bridge/signing/private_key.h"
#include "bridge/signing/signer.h"
#include "workers/crypto/issuer.h"
#include "workers/crypto/p256.h"

namespace registry::signing {
namespace {

constexpr std::size_t kCertificateFileMax = 256 * 1024;

class KeySigner final : public domain::Signer {
 public:
  KeySigner(keys::KeySourcePtr key, Bytes certificate)
      : key_(std::move(key)), certificate_(std::move(certificate)) {}

  Result<Bytes> Sign(const Bytes& message) const override { return key_->Sign(crypto::Sha256({message})); }
  const Bytes& certificate() const override { return certificate_; }

 private:
  const keys::KeySourcePtr key_;
  const Bytes certificate_;
};

}  // namespace

Result<std::unique_ptr<domain::Signer>> MakeSigner(const PrivateKey& key, Bytes certificate) {
  return MakeSigner(key.source(), std::move(certificate));
}

Result<std::unique_ptr<domain::Signer>> MakeSigner(keys::KeySourcePtr key, Bytes certificate) {
  const auto fields = crypto::ReadIssuer(certificate);
  if (!fields) return fields.error();
  if (fields->public_key != key->point()) {
    return Error::Make(Code::kFailed, "key_mismatch", "the certificate is not this key's");
  }
  return std::unique_ptr<domain::Signer>(std::make_unique<KeySigner>(std::move(key), std::move(certificate)));
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

Result<keys::KeySourcePtr> LoadKey(const std::string& where) {
  if (keys::IsKeyUri(where)) return keys::OpenTokenKey(where);
  const auto key = PrivateKey::Load(where);
  if (!key) return key.error();
  return key->source();
}

Result<std::unique_ptr<domain::Signer>> LoadSigner(const std::string& key_where,
                                                   const std::string& certificate_file) {
  auto key = LoadKey(key_where);
  if (!key) return key.error();
  auto certificate = LoadCertificate(certificate_file);
  if (!certificate) return certificate.error();
  auto signer = MakeSigner(std::move(*key), std::move(*certificate));
  if (signer) return signer;
  Error error = signer.error();
  error.message = key_where.substr(0, key_where.find('?')) + ", " + certificate_file + ": " + error.message;
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
