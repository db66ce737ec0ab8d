#include "clients/conformance/certify.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

#include "clients/conformance/link.h"

namespace registry::conformance {
namespace {

template <auto Free>
struct FreeWith {
  template <class T>
  void operator()(T* value) const {
    Free(value);
  }
};
using Request = std::unique_ptr<X509_REQ, FreeWith<X509_REQ_free>>;
using Certificate = std::unique_ptr<X509, FreeWith<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;

constexpr long kValidSeconds = 30L * 86400;

Error Refused(const char* symbol, const char* why) { return Error::Make(Code::kPolicy, symbol, why); }

std::optional<Bytes> DerOf(std::string_view text) {
  if (text.find("-----BEGIN ") == std::string_view::npos) return FromBase64(text);
  for (const char* label : {"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"}) {
    if (auto der = FromPem(label, text)) return der;
  }
  return std::nullopt;
}

// RFC 5480 §2.1.1.1: namedCurve secp256r1.
bool OnP256(EVP_PKEY* key) {
  char name[64] = {};
  std::size_t size = 0;
  return key != nullptr && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
         EVP_PKEY_get_group_name(key, name, sizeof name, &size) == 1 &&
         OBJ_txt2nid(name) == NID_X9_62_prime256v1;
}

bool SignedWell(const X509_REQ* request) {
  const int algorithm = X509_REQ_get_signature_nid(request);
  return algorithm == NID_ecdsa_with_SHA256 || algorithm == NID_ecdsa_with_SHA384 ||
         algorithm == NID_ecdsa_with_SHA512;
}

Bytes PublicKeyOf(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  Bytes copy(der, der + std::max(size, 0));
  OPENSSL_free(der);
  return copy;
}

EVP_PKEY* IssuingKey() {
  static const Key key(EVP_EC_gen("P-256"));
  return key.get();
}

// The common name has at most 64 octets (RFC 5280 Appendix A), which a device's name may exceed.
bool NameIt(X509* certificate, const std::string& device) {
  X509_NAME* subject = X509_get_subject_name(certificate);
  const auto* text = reinterpret_cast<const unsigned char*>(device.data());
  return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, text, static_cast<int>(device.size()), -1,
                                    0) == 1 &&
         X509_set_issuer_name(certificate, subject) == 1;
}

bool AddName(X509* certificate, const std::string& name) {
  X509_EXTENSION* extension =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, ("DNS:" + name).c_str());
  const bool added = extension != nullptr && X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

bool Number(X509* certificate, std::string* serial) {
  Bytes octets(16);
  if (RAND_bytes(octets.data(), static_cast<int>(octets.size())) != 1) return false;
  octets[0] = static_cast<std::uint8_t>(0x40 | (octets[0] & 0x3f));  // positive, and of full length
  *serial = ToHex(octets);
  const std::unique_ptr<BIGNUM, FreeWith<BN_free>> number(
      BN_bin2bn(octets.data(), static_cast<int>(octets.size()), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

}  // namespace

Result<SeenCsr> ReadCsr(std::string_view text) {
  const auto der = DerOf(text);
  if (!der) return Refused("csr_malformed", "neither PEM nor base64 of DER");
  const unsigned char* at = der->data();
  const Request request(d2i_X509_REQ(nullptr, &at, static_cast<long>(der->size())));
  if (!request || at != der->data() + der->size()) return Refused("csr_malformed", "no CertificationRequest");
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  if (!OnP256(key)) return Refused("csr_key_type", "the key is not on P-256");
  if (!SignedWell(request.get()))
    return Refused("csr_signature_algorithm", "not ECDSA with SHA-256, 384 or 512");
  if (X509_REQ_verify(request.get(), key) != 1)
    return Refused("csr_signature_invalid", "not signed by its own key");
  return SeenCsr{PublicKeyOf(key)};
}

Result<wire::CertificateIssued> CertificateFor(const SeenCsr& csr, const DeviceId& device,
                                               const std::string& name) {
  const unsigned char* at = csr.public_key.data();
  const Key key(d2i_PUBKEY(nullptr, &at, static_cast<long>(csr.public_key.size())));
  const Certificate certificate(X509_new());
  wire::CertificateIssued issued;
  if (!key || !certificate || X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
      !Number(certificate.get(), &issued.serial) || !NameIt(certificate.get(), device.text()) ||
      X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0) == nullptr ||
      X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kValidSeconds) == nullptr ||
      X509_set_pubkey(certificate.get(), key.get()) != 1 || !AddName(certificate.get(), name) ||
      X509_sign(certificate.get(), IssuingKey(), EVP_sha256()) == 0) {
    return Error::Make(Code::kFailed, "certificate_failed", "OpenSSL makes no certificate");
  }
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate.get(), &der);
  issued.device = device;
  issued.certificate = Bytes(der, der + std::max(size, 0));
  OPENSSL_free(der);
  issued.not_after = WallClock() + std::chrono::seconds(kValidSeconds);
  return issued;
}

}  // namespace registry::conformance
