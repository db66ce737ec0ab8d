#include "tests/vectors/vector_ca.h"

#include <openssl/x509v3.h>

#include "schemas/base/check.h"
#include "tests/unit/simulators/device/test_registry.h"

namespace registry::vectors {
namespace {

using nlohmann::json;

// What is said, else what should be.
json Over(json should_be, const json& said) {
  should_be.merge_patch(said);  // RFC 7396: null takes an extension away
  return should_be;
}

const json kRoot = {{"from", -3600},
                    {"until", 86400},
                    {"extensions",
                     {{"basicConstraints", "critical,CA:TRUE"},
                      {"keyUsage", "critical,keyCertSign,cRLSign"},
                      {"subjectKeyIdentifier", "hash"}}}};
const json kIssuing = {{"from", -3600},
                       {"until", 86400},
                       {"extensions",
                        {{"basicConstraints", "critical,CA:TRUE,pathlen:0"},
                         {"keyUsage", "critical,keyCertSign,cRLSign,digitalSignature"},
                         {"subjectKeyIdentifier", "hash"},
                         {"authorityKeyIdentifier", "keyid"}}}};

json DeviceCertificate(const std::string& name) {
  return {{"from", -60},
          {"until", 3600},
          {"signer", "issuing"},
          {"extensions",
           {{"basicConstraints", "critical,CA:FALSE"},
            {"keyUsage", "critical,digitalSignature"},
            {"extendedKeyUsage", "clientAuth"},
            {"subjectAltName", "DNS:" + name},
            {"subjectKeyIdentifier", "hash"},
            {"authorityKeyIdentifier", "keyid"}}}};
}

void Extend(X509* certificate, X509* issuer, const std::string& name, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_nconf(nullptr, &context, name.c_str(), value.c_str());
  REG_CHECK(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

void Name(X509* certificate, const std::string& name) {
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
}

const EVP_MD* HashOf(const json& described) {
  const EVP_MD* const hash = EVP_get_digestbyname(described.value("hash", "sha256").c_str());
  REG_CHECK(hash != nullptr);
  return hash;
}

// `issuer` null: it signs itself.
Certificate Make(EVP_PKEY* key, const std::string& name, const json& described, X509* issuer,
                 EVP_PKEY* issuer_key) {
  static std::int64_t serial = 1'000'000;
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set_int64(X509_get_serialNumber(certificate.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), described.at("from").get<long>());
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), described.at("until").get<long>());
  Name(certificate.get(), name);
  X509* const above = issuer != nullptr ? issuer : certificate.get();
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(above));
  X509_set_pubkey(certificate.get(), key);
  for (const auto& [extension, value] : described.at("extensions").items())
    Extend(certificate.get(), above, extension, value);
  REG_CHECK(X509_sign(certificate.get(), issuer_key, HashOf(described)) > 0);
  return certificate;
}

std::string KeyIdOf(X509* certificate) {
  const ASN1_OCTET_STRING* const id = X509_get0_subject_key_id(certificate);
  return ToHex(Bytes(ASN1_STRING_get0_data(id), ASN1_STRING_get0_data(id) + ASN1_STRING_length(id)));
}

}  // namespace

Key NewKey(const std::string& kind) {
  Key key(kind == "rsa" ? EVP_RSA_gen(2048) : EVP_EC_gen(kind == "p384" ? "P-384" : "P-256"));
  REG_CHECK(key != nullptr);
  return key;
}

VectorCa::VectorCa(const json& described)
    : root_key_(NewKey(described.value("root", json::object()).value("key", "p256"))),
      issuing_key_(NewKey(described.value("issuing", json::object()).value("key", "p256"))),
      impostor_key_(NewKey("p256")) {
  const json root = Over(kRoot, described.value("root", json::object()));
  json issuing = Over(kIssuing, described.value("issuing", json::object()));
  root_ = Make(root_key_.get(), "Vectors Root", root, nullptr, root_key_.get());
  const Key stranger = NewKey("p256");
  const bool strange = issuing.value("signer", "root") == "impostor";
  issuing_ = Make(issuing_key_.get(), "Vectors Issuing", issuing, root_.get(),
                  strange ? stranger.get() : root_key_.get());
  issuing["extensions"]["subjectKeyIdentifier"] = KeyIdOf(issuing_.get());
  impostor_ = Make(impostor_key_.get(), "Vectors Issuing", issuing, root_.get(), stranger.get());
}

VectorCa::Signer VectorCa::Named(const std::string& who) const {
  if (who == "issuing") return {issuing_.get(), issuing_key_.get()};
  if (who == "root") return {root_.get(), root_key_.get()};
  REG_CHECK(who == "impostor");
  return {impostor_.get(), impostor_key_.get()};
}

Bytes VectorCa::root() const { return sim::test::DerOf(root_.get()); }
Bytes VectorCa::issuing() const { return sim::test::DerOf(issuing_.get()); }

Bytes VectorCa::Certify(EVP_PKEY* key, const std::string& name, const json& said) const {
  const json described = Over(DeviceCertificate(name), said);
  const Signer signer = Named(described.at("signer"));
  Bytes der = sim::test::DerOf(Make(key, name, described, signer.certificate, signer.key).get());
  if (described.value("tampered", false)) der.back() ^= 1;
  return der;
}

}  // namespace registry::vectors
