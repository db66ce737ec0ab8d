#include "bridge/signing/ca.h"

#include <arpa/inet.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>

#include "workers/crypto/owned.h"

namespace registry::signing {
namespace {

using OwnedX509 = crypto::Owned<X509, X509_free>;

Error Failure(const std::string& step) {
  std::array<char, 256> reason{};
  ERR_error_string_n(ERR_get_error(), reason.data(), reason.size());
  crypto::Failed();
  return Error::Make(Code::kFailed, "certificate_failed", step + ": " + reason.data());
}

struct Extension {
  int nid;
  std::string value;
};

struct Contents {
  std::string common_name;
  std::vector<Extension> extensions;
  Validity validity;
};

bool SetSerial(X509* certificate) {
  std::array<std::uint8_t, 20> octets{};
  if (RAND_bytes(octets.data(), octets.size()) != 1) return false;
  octets[0] = static_cast<std::uint8_t>((octets[0] & 0x3f) | 0x40);
  const crypto::Owned<BIGNUM, BN_free> number(BN_bin2bn(octets.data(), octets.size(), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool SetValidity(X509* certificate, const Validity& validity) {
  const auto start = validity.now - std::chrono::hours(1);
  const auto end = start + std::chrono::duration_cast<std::chrono::seconds>(validity.length);
  return ASN1_TIME_set(X509_getm_notBefore(certificate), static_cast<std::time_t>(start.seconds())) !=
             nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), static_cast<std::time_t>(end.seconds())) != nullptr;
}

bool SetSubject(X509* certificate, const std::string& common_name) {
  return X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(common_name.data()),
                                    static_cast<int>(common_name.size()), -1, 0) == 1;
}

bool AddExtension(X509* certificate, X509* issuer, const Extension& extension) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const crypto::Owned<X509_EXTENSION, X509_EXTENSION_free> made(
      X509V3_EXT_conf_nid(nullptr, &context, extension.nid, extension.value.c_str()));
  return made && X509_add_ext(certificate, made.get(), -1) == 1;
}

Result<Bytes> Encode(X509* certificate) {
  Bytes der(static_cast<std::size_t>(std::max(i2d_X509(certificate, nullptr), 0)));
  std::uint8_t* cursor = der.data();
  if (der.empty() || i2d_X509(certificate, &cursor) <= 0) return Failure("encode certificate");
  return der;
}

// `issuer` null: self-signed.
Result<Bytes> Make(const Contents& contents, EVP_PKEY* subject_key, X509* issuer,
                   const PrivateKey& issuer_key) {
  if (contents.common_name.empty() ||
      contents.common_name.size() > 64) {  // RFC 5280 appendix A, ub-common-name
    return Error::Make(Code::kFailed, "name_invalid",
                       "a common name has 1 to 64 octets: " + contents.common_name);
  }
  const OwnedX509 certificate(X509_new());
  X509* const x509 = certificate.get();
  X509* const signer = issuer != nullptr ? issuer : x509;
  const bool filled = x509 != nullptr && X509_set_version(x509, X509_VERSION_3) == 1 && SetSerial(x509) &&
                      SetValidity(x509, contents.validity) && SetSubject(x509, contents.common_name) &&
                      X509_set_issuer_name(x509, X509_get_subject_name(signer)) == 1 &&
                      X509_set_pubkey(x509, subject_key) == 1;
  if (!filled) return Failure("fill certificate of " + contents.common_name);
  for (const Extension& extension : contents.extensions) {
    if (!AddExtension(x509, signer, extension)) return Failure("extension " + extension.value);
  }
  if (X509_sign(x509, issuer_key.get(), EVP_sha256()) <= 0) return Failure("sign " + contents.common_name);
  return Encode(x509);
}

Result<Bytes> MakeBelow(const Authority& ca, const Contents& contents, EVP_PKEY* key) {
  const std::uint8_t* cursor = ca.certificate.data();
  const OwnedX509 issuer(d2i_X509(nullptr, &cursor, static_cast<long>(ca.certificate.size())));
  if (!issuer) return Failure("read CA certificate");
  return Make(contents, key, issuer.get(), ca.key);
}

std::vector<Extension> AuthorityExtensions(const std::string& constraints, const std::string& usage) {
  return {{NID_basic_constraints, "critical," + constraints},
          {NID_key_usage, "critical," + usage},
          {NID_subject_key_identifier, "hash"}};
}

std::vector<Extension> EndEntityExtensions(const std::string& purpose) {
  return {{NID_basic_constraints, "critical,CA:FALSE"},
          {NID_key_usage, "critical,digitalSignature"},
          {NID_ext_key_usage, purpose},
          {NID_subject_key_identifier, "hash"},
          {NID_authority_key_identifier, "keyid:always"}};
}

bool IsAddress(const std::string& host) {
  std::array<std::uint8_t, 16> octets{};
  return inet_pton(AF_INET, host.c_str(), octets.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), octets.data()) == 1;
}

}  // namespace

Result<Authority> CreateRoot(const std::string& common_name, const Validity& validity) {
  auto key = PrivateKey::Generate();
  if (!key) return key.error();
  auto certificate = Make({common_name, AuthorityExtensions("CA:TRUE", "keyCertSign,cRLSign"), validity},
                          key->get(), nullptr, *key);
  if (!certificate) return certificate.error();
  return Authority{std::move(*key), std::move(*certificate)};
}

Result<Authority> CreateIssuing(const Authority& root, const std::string& common_name,
                                const Validity& validity) {
  auto key = PrivateKey::Generate();
  if (!key) return key.error();
  Contents contents{common_name,
                    AuthorityExtensions("CA:TRUE,pathlen:0", "digitalSignature,keyCertSign,cRLSign"),
                    validity};
  contents.extensions.push_back({NID_authority_key_identifier, "keyid:always"});
  auto certificate = MakeBelow(root, contents, key->get());
  if (!certificate) return certificate.error();
  return Authority{std::move(*key), std::move(*certificate)};
}

Result<Bytes> CreateServerCertificate(const Authority& ca, const PrivateKey& key,
                                      const std::vector<std::string>& hosts, const Validity& validity) {
  std::string names;
  for (const std::string& host : hosts) {
    // The text goes into OpenSSL's extension syntax, where a comma would start another name.
    const bool address = IsAddress(host);
    if (!address && !ValidDomainName(host))
      return Error::Make(Code::kFailed, "name_invalid", "not a host: " + host);
    names.append(names.empty() ? "" : ",").append(address ? "IP:" : "DNS:").append(host);
  }
  if (names.empty())
    return Error::Make(Code::kFailed, "name_invalid", "a server needs a host name or address");
  Contents contents{hosts.front().substr(0, 64), EndEntityExtensions("serverAuth"), validity};
  contents.extensions.push_back({NID_subject_alt_name, names});
  return MakeBelow(ca, contents, key.get());
}

Result<Bytes> CreatePartyCertificate(const Authority& ca, const PrivateKey& key, const PartyId& party,
                                     const Validity& validity) {
  return MakeBelow(ca, {party.text(), EndEntityExtensions("clientAuth"), validity}, key.get());
}

Result<Bytes> CreatePartyCertificate(const Authority& ca, const PartyRequest& request, const PartyId& party,
                                     const Validity& validity) {
  return MakeBelow(ca, {party.text(), EndEntityExtensions("clientAuth"), validity}, request.key());
}

}  // namespace registry::signing
