// tests/support/csr_maker.h: certification requests made by OpenSSL, the other side's implementation, good and bad.
#pragma once

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <functional>
#include <memory>
#include <string>

#include "schemas/base/bytes.h"
#include "schemas/base/check.h"
#include "schemas/wire/oid.h"

namespace registry::test {

using Key = std::shared_ptr<EVP_PKEY>;
inline Key NewEcKey(const char* curve = "P-256") { return Key(EVP_EC_gen(curve), EVP_PKEY_free); }
inline Key NewRsaKey() { return Key(EVP_RSA_gen(2048), EVP_PKEY_free); }

inline Bytes PublicKeyInfo(const Key& key) {
  Bytes der(static_cast<std::size_t>(i2d_PUBKEY(key.get(), nullptr)));
  std::uint8_t* cursor = der.data();
  i2d_PUBKEY(key.get(), &cursor);
  return der;
}
inline Bytes PointOf(const Key& key) {
  const Bytes info = PublicKeyInfo(key);
  return Bytes(info.end() - 65, info.end());
}

enum class AgreementIn { kNowhere, kAttribute, kExtension };

struct CsrOptions {
  Key key = NewEcKey();
  Key agreement;  // null: none
  AgreementIn agreement_in = AgreementIn::kAttribute;
  const EVP_MD* digest = EVP_sha256();
  std::string common_name = "whatever the applet calls itself";
  // Changes the request before it is signed.
  std::function<void(X509_REQ*)> more = [](X509_REQ*) {};
};

inline void AddAgreementAttribute(X509_REQ* request, const Bytes& info) {
  REG_CHECK(X509_REQ_add1_attr_by_txt(request, wire::kAgreementKeyOid, V_ASN1_SEQUENCE, info.data(),
                                      static_cast<int>(info.size())) == 1);
}

inline void AddAgreementExtension(X509_REQ* request, const Bytes& info) {
  ASN1_OBJECT* const oid = OBJ_txt2obj(wire::kAgreementKeyOid, 1);
  ASN1_OCTET_STRING* const value = ASN1_OCTET_STRING_new();
  ASN1_OCTET_STRING_set(value, info.data(), static_cast<int>(info.size()));
  X509_EXTENSION* const extension = X509_EXTENSION_create_by_OBJ(nullptr, oid, 0, value);
  STACK_OF(X509_EXTENSION)* const list = sk_X509_EXTENSION_new_null();
  sk_X509_EXTENSION_push(list, extension);
  REG_CHECK(X509_REQ_add_extensions(request, list) == 1);
  sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
  ASN1_OCTET_STRING_free(value);
  ASN1_OBJECT_free(oid);
}

// DER.
inline Bytes MakeCsr(const CsrOptions& options = {}) {
  const std::unique_ptr<X509_REQ, decltype(&X509_REQ_free)> request(X509_REQ_new(), &X509_REQ_free);
  X509_REQ_set_version(request.get(), X509_REQ_VERSION_1);
  X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(options.common_name.data()),
                             static_cast<int>(options.common_name.size()), -1, 0);
  REG_CHECK(X509_REQ_set_pubkey(request.get(), options.key.get()) == 1);
  if (options.agreement && options.agreement_in == AgreementIn::kAttribute) {
    AddAgreementAttribute(request.get(), PublicKeyInfo(options.agreement));
  }
  if (options.agreement && options.agreement_in == AgreementIn::kExtension) {
    AddAgreementExtension(request.get(), PublicKeyInfo(options.agreement));
  }
  options.more(request.get());
  REG_CHECK(X509_REQ_sign(request.get(), options.key.get(), options.digest) > 0);
  Bytes der(static_cast<std::size_t>(i2d_X509_REQ(request.get(), nullptr)));
  std::uint8_t* cursor = der.data();
  i2d_X509_REQ(request.get(), &cursor);
  return der;
}

}  // namespace registry::test
