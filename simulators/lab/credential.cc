#include "simulators/lab/credential.h"

#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <memory>

#include "schemas/base/bytes.h"

namespace registry::lab {
namespace {

constexpr long kValidSeconds = 365L * 86400;

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;

Error Failed(const std::string& what) { return Error::Make(Code::kFailed, "credential_failed", what); }

bool AddExtension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

Certificate SelfSigned(EVP_PKEY* key, const std::string& dns_name) {
  Certificate certificate(X509_new());
  X509* raw = certificate.get();
  const auto* name = reinterpret_cast<const unsigned char*>(dns_name.c_str());
  X509_NAME* subject = X509_get_subject_name(raw);
  const bool made =
      X509_set_version(raw, X509_VERSION_3) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(raw), 1) == 1 &&
      X509_gmtime_adj(X509_getm_notBefore(raw), -3600) != nullptr &&
      X509_gmtime_adj(X509_getm_notAfter(raw), kValidSeconds) != nullptr &&
      X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, name, -1, -1, 0) == 1 &&
      X509_set_issuer_name(raw, subject) == 1 && X509_set_pubkey(raw, key) == 1 &&
      AddExtension(raw, NID_subject_alt_name, "DNS:" + dns_name + ",IP:127.0.0.1") &&
      AddExtension(raw, NID_ext_key_usage, "serverAuth") &&
      AddExtension(raw, NID_subject_key_identifier, "hash") && X509_sign(raw, key, EVP_sha256()) > 0;
  return made ? std::move(certificate) : nullptr;
}

bool WritePem(const std::string& file, int mode, const auto& write) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (fd < 0) return false;
  FILE* out = ::fdopen(fd, "w");
  const bool written = write(out) == 1;
  return std::fclose(out) == 0 && written;
}

Bytes SpkiSha256(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  Bytes digest(SHA256_DIGEST_LENGTH);
  SHA256(der, static_cast<std::size_t>(size), digest.data());
  OPENSSL_free(der);
  return digest;
}

}  // namespace

Result<Credential> MakeCredential(const std::string& stem, const std::string& dns_name) {
  const Key key(EVP_EC_gen("P-256"));
  if (!key) return Failed("cannot make a P-256 key");
  const Certificate certificate = SelfSigned(key.get(), dns_name);
  if (!certificate) return Failed("cannot make a certificate for " + dns_name);
  Credential made;
  made.key_file = stem + ".key";
  made.certificate_file = stem + ".pem";
  const bool written =
      WritePem(made.key_file, 0600,
               [&](FILE* out) {
                 return PEM_write_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
               }) &&
      WritePem(made.certificate_file, 0644,
               [&](FILE* out) { return PEM_write_X509(out, certificate.get()); });
  if (!written) return Failed("cannot write " + stem + ".key and .pem");
  const Bytes digest = SpkiSha256(key.get());
  made.spki_sha256_hex = ToHex(digest);
  made.spki_sha256_base64 = ToBase64(digest);
  return made;
}

}  // namespace registry::lab
