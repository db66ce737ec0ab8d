#include "tests/unit/simulators/device/test_registry.h"

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "schemas/base/check.h"
#include "schemas/wire/oid.h"

namespace registry::sim::test {
namespace {

X509* NewCertificate(EVP_PKEY* key, const std::string& name, long seconds) {
  X509* certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  std::uint64_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate), seconds);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_pubkey(certificate, key);
  return certificate;
}

void Extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  REG_CHECK(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

X509* MakeCa(EVP_PKEY* key, const std::string& name, X509* issuer, EVP_PKEY* issuer_key) {
  X509* ca = NewCertificate(key, name, 86400);
  X509_set_issuer_name(ca, X509_get_subject_name(issuer != nullptr ? issuer : ca));
  Extend(ca, issuer != nullptr ? issuer : ca, NID_basic_constraints, "critical,CA:TRUE");
  Extend(ca, issuer != nullptr ? issuer : ca, NID_key_usage, "critical,keyCertSign,cRLSign,digitalSignature");
  Extend(ca, issuer != nullptr ? issuer : ca, NID_subject_key_identifier, "hash");
  REG_CHECK(X509_sign(ca, issuer_key, EVP_sha256()) > 0);
  return ca;
}

X509_REQ* ReadCsr(const std::string& pem) {
  BIO* in = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509_REQ* csr = PEM_read_bio_X509_REQ(in, nullptr, nullptr, nullptr);
  BIO_free(in);
  REG_CHECK(csr != nullptr);
  return csr;
}

Bytes TakeCms(CMS_ContentInfo* cms) {
  std::uint8_t* octets = nullptr;
  const int size = i2d_CMS_ContentInfo(cms, &octets);
  REG_CHECK(size > 0);
  const Bytes der(octets, octets + size);
  OPENSSL_free(octets);
  CMS_ContentInfo_free(cms);
  return der;
}

// A recipient is named by a certificate; only its key and key identifier end up in the message.
Bytes Encrypt(const std::string& content, const Bytes& agreement_spki, EVP_PKEY* any_signer) {
  const std::uint8_t* at = agreement_spki.data();
  EVP_PKEY* key = d2i_PUBKEY(nullptr, &at, static_cast<long>(agreement_spki.size()));
  X509* recipient = NewCertificate(key, "recipient", 3600);
  Extend(recipient, recipient, NID_subject_key_identifier, "hash");
  REG_CHECK(X509_sign(recipient, any_signer, EVP_sha256()) > 0);
  BIO* in = BIO_new_mem_buf(content.data(), static_cast<int>(content.size()));
  constexpr unsigned int kFlags = CMS_BINARY | CMS_PARTIAL | CMS_USE_KEYID;
  CMS_ContentInfo* cms = CMS_encrypt(nullptr, nullptr, EVP_aes_128_gcm(), kFlags);
  CMS_RecipientInfo* info = CMS_add1_recipient_cert(cms, recipient, kFlags | CMS_KEY_PARAM);
  REG_CHECK(info != nullptr);
  EVP_PKEY_CTX* context = CMS_RecipientInfo_get0_pkey_ctx(info);
  EVP_PKEY_CTX_set_ecdh_kdf_md(context, EVP_sha256());
  REG_CHECK(CMS_final(cms, in, nullptr, kFlags) == 1);
  BIO_free(in);
  X509_free(recipient);
  EVP_PKEY_free(key);
  return TakeCms(cms);
}

}  // namespace

TestRegistry::TestRegistry() : root_key_(EVP_EC_gen("P-256")), issuing_key_(EVP_EC_gen("P-256")) {
  root_ = MakeCa(root_key_, "Test Root", nullptr, root_key_);
  issuing_ = MakeCa(issuing_key_, "Test Issuing", root_, root_key_);
}

TestRegistry::TestRegistry(Below one)
    : root_key_(one.registry.root_key_), issuing_key_(EVP_EC_gen("P-256")), root_(one.registry.root_) {
  EVP_PKEY_up_ref(root_key_);
  X509_up_ref(root_);
  issuing_ = MakeCa(issuing_key_, "Next Issuing", root_, root_key_);
}

TestRegistry::~TestRegistry() {
  X509_free(root_);
  X509_free(issuing_);
  EVP_PKEY_free(root_key_);
  EVP_PKEY_free(issuing_key_);
}

Bytes TestRegistry::root() const { return DerOf(root_); }
Bytes TestRegistry::issuing() const { return DerOf(issuing_); }

Bytes TestRegistry::Issue(const std::string& csr_pem, const std::string& name, long seconds) const {
  X509_REQ* csr = ReadCsr(csr_pem);
  EVP_PKEY* key = X509_REQ_get0_pubkey(csr);
  REG_CHECK(X509_REQ_verify(csr, key) == 1);
  X509* certificate = NewCertificate(key, name, seconds);
  if (seconds <= 0) X509_gmtime_adj(X509_getm_notBefore(certificate), seconds - 3600);
  X509_set_issuer_name(certificate, X509_get_subject_name(issuing_));
  Extend(certificate, issuing_, NID_subject_alt_name, "DNS:" + name);
  Extend(certificate, issuing_, NID_ext_key_usage, "clientAuth");
  Extend(certificate, issuing_, NID_subject_key_identifier, "hash");
  REG_CHECK(X509_sign(certificate, issuing_key_, EVP_sha256()) > 0);
  const Bytes der = DerOf(certificate);
  X509_free(certificate);
  X509_REQ_free(csr);
  return der;
}

Bytes TestRegistry::AgreementKeyIn(const std::string& csr_pem) {
  X509_REQ* csr = ReadCsr(csr_pem);
  ASN1_OBJECT* oid = OBJ_txt2obj(wire::kAgreementKeyOid, 1);
  const int index = X509_REQ_get_attr_by_OBJ(csr, oid, -1);
  ASN1_OBJECT_free(oid);
  Bytes spki;
  if (index >= 0) {
    const ASN1_TYPE* value = X509_ATTRIBUTE_get0_type(X509_REQ_get_attr(csr, index), 0);
    REG_CHECK(value->type == V_ASN1_SEQUENCE);
    spki.assign(value->value.sequence->data, value->value.sequence->data + value->value.sequence->length);
  }
  X509_REQ_free(csr);
  return spki;
}

Bytes SealBy(X509* signer, EVP_PKEY* signer_key, const std::string& content, const Bytes& agreement_spki) {
  const Bytes sealed = Encrypt(content, agreement_spki, signer_key);
  BIO* in = BIO_new_mem_buf(sealed.data(), static_cast<int>(sealed.size()));
  constexpr unsigned int kFlags = CMS_BINARY | CMS_NOCERTS | CMS_USE_KEYID | CMS_NOSMIMECAP;
  CMS_ContentInfo* cms = CMS_sign(signer, signer_key, nullptr, in, kFlags);
  BIO_free(in);
  REG_CHECK(cms != nullptr);
  return TakeCms(cms);
}

Bytes TestRegistry::Seal(const std::string& content, const Bytes& agreement_spki, bool signer_is_root) const {
  return SealBy(signer_is_root ? root_ : issuing_, signer_is_root ? root_key_ : issuing_key_, content,
                agreement_spki);
}

Bytes SignBy(EVP_PKEY* key, const Bytes& content) {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  REG_CHECK(EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key) == 1);
  Bytes signature(512);  // of an RSA key, too
  std::size_t size = signature.size();
  REG_CHECK(EVP_DigestSign(context, signature.data(), &size, content.data(), content.size()) == 1);
  EVP_MD_CTX_free(context);
  signature.resize(size);
  return signature;
}

Bytes TestRegistry::Sign(const Bytes& content) const { return SignBy(issuing_key_, content); }

Bytes MarkOf(std::uint64_t generation, std::vector<wire::Container> files) {
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  Bytes octets;
  for (const wire::Container& file : files) {
    octets.insert(octets.end(), {file.id, static_cast<std::uint8_t>(file.content.size() >> 8),
                                 static_cast<std::uint8_t>(file.content.size())});
    octets.insert(octets.end(), file.content.begin(), file.content.end());
  }
  return AsBytes(nlohmann::json{{"files", ToHex(Sha256(octets))}, {"generation", generation}}.dump());
}

std::vector<wire::Container> PilotFormBy(EVP_PKEY* issuing_key, const wire::RegistryPayload& payload) {
  if (!payload.endpoint) return {};
  const wire::Endpoint& endpoint = *payload.endpoint;
  if (endpoint.trust.certificate.empty() || payload.bootstrap.device_name.size() > 64) return {};
  const Bytes json = AsBytes(nlohmann::json{{"url", endpoint.fqdn}, {"port", endpoint.port}}.dump());
  std::vector<wire::Container> files = {{0x06, payload.bootstrap.root_certificate},
                                        {0x07, payload.bootstrap.issuing_certificate},
                                        {0x08, json},
                                        {0x09, SignBy(issuing_key, json)}};
  files.push_back({0x03, endpoint.trust.certificate});
  files.push_back({0x0a, SignBy(issuing_key, endpoint.trust.certificate)});
  files.push_back({0x02, payload.certificate});
  Bytes mark = MarkOf(payload.version, files);
  files.insert(files.end() - 1, {0x0f, std::move(mark)});
  return files;
}

std::vector<wire::Container> TestRegistry::Containers(const wire::RegistryPayload& payload) const {
  return PilotFormBy(issuing_key_, payload);
}

Bytes DerOf(X509* certificate) {
  std::uint8_t* octets = nullptr;
  const int size = i2d_X509(certificate, &octets);
  const Bytes der(octets, octets + size);
  OPENSSL_free(octets);
  return der;
}

Bytes Sha256(const Bytes& octets) {
  Bytes out(32);
  EVP_Digest(octets.data(), octets.size(), out.data(), nullptr, EVP_sha256(), nullptr);
  return out;
}

ServerIdentity MakeServerIdentity(const std::string& folder, const std::string& name) {
  ServerIdentity identity{folder + "/server.pem", folder + "/server.key", {}, {}};
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = NewCertificate(key, name, 86400);
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  Extend(certificate, certificate, NID_subject_alt_name, "DNS:" + name);
  REG_CHECK(X509_sign(certificate, key, EVP_sha256()) > 0);
  std::FILE* file = std::fopen(identity.certificate_file.c_str(), "w");
  PEM_write_X509(file, certificate);
  std::fclose(file);
  file = std::fopen(identity.key_file.c_str(), "w");
  PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
  identity.der = DerOf(certificate);
  std::uint8_t* octets = nullptr;
  const int size = i2d_PUBKEY(key, &octets);
  identity.spki.assign(octets, octets + size);
  OPENSSL_free(octets);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return identity;
}

}  // namespace registry::sim::test
