#include "tests/support/software_signer.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace registry::test {

struct SoftwareSigner::Key {
  EVP_PKEY* pkey = nullptr;
  ~Key() { EVP_PKEY_free(pkey); }
};

namespace {

void AddExtension(X509* certificate, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  REG_CHECK(extension != nullptr);
  REG_CHECK(X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

Bytes SelfSigned(EVP_PKEY* pkey, const std::string& common_name) {
  X509* certificate = X509_new();
  REG_CHECK(certificate != nullptr);
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 10 * 365 * 86400L);
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  X509_set_pubkey(certificate, pkey);
  AddExtension(certificate, NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(certificate, NID_key_usage, "critical,digitalSignature,keyCertSign,cRLSign");
  AddExtension(certificate, NID_subject_key_identifier, "hash");
  REG_CHECK(X509_sign(certificate, pkey, EVP_sha256()) > 0);
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  REG_CHECK(size > 0);
  Bytes bytes(der, der + size);
  OPENSSL_free(der);
  X509_free(certificate);
  return bytes;
}

}  // namespace

SoftwareSigner::SoftwareSigner(const std::string& common_name) : key_(std::make_unique<Key>()) {
  key_->pkey = EVP_EC_gen("P-256");
  REG_CHECK(key_->pkey != nullptr);
  certificate_ = SelfSigned(key_->pkey, common_name);
}

SoftwareSigner::~SoftwareSigner() = default;

Result<Bytes> SoftwareSigner::Sign(const Bytes& message) const {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  REG_CHECK(EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key_->pkey) == 1);
  std::size_t size = 0;
  REG_CHECK(EVP_DigestSign(context, nullptr, &size, message.data(), message.size()) == 1);
  Bytes signature(size);
  REG_CHECK(EVP_DigestSign(context, signature.data(), &size, message.data(), message.size()) == 1);
  signature.resize(size);
  EVP_MD_CTX_free(context);
  return signature;
}

}  // namespace registry::test
