#include "simulators/device/payload.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "schemas/wire/codec.h"
#include "simulators/device/der.h"

namespace registry::sim {
namespace {

Error Refuse(std::string_view symbol, std::string_view why) {
  ERR_clear_error();
  return Error::Make(Code::kFailed, symbol, why);
}

OwnedCms ParseCms(const Bytes& der, int type) {
  const std::uint8_t* at = der.data();
  OwnedCms cms(d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(der.size())));
  const bool whole = cms && at == der.data() + der.size() && OBJ_obj2nid(CMS_get0_type(cms.get())) == type;
  return whole ? std::move(cms) : nullptr;
}

Bytes Written(BIO* bio) {
  char* octets = nullptr;
  const long size = BIO_get_mem_data(bio, &octets);
  return Bytes(octets, octets + size);
}

Result<Bytes> VerifySigned(const Bytes& der, const RegistryTrust& trust) {
  const OwnedCms cms = ParseCms(der, NID_pkcs7_signed);
  if (!cms) return Refuse("signature_invalid", "not one whole SignedData");
  const std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> signers(
      sk_X509_new_null(), [](STACK_OF(X509) * stack) { sk_X509_free(stack); });
  sk_X509_push(signers.get(), trust.issuing.get());
  const OwnedBio out(BIO_new(BIO_s_mem()));
  // The signer is exactly the issuing certificate; its own chain was checked with the bootstrap.
  constexpr unsigned int kFlags = CMS_NO_SIGNER_CERT_VERIFY | CMS_NOINTERN | CMS_BINARY;
  if (CMS_verify(cms.get(), signers.get(), nullptr, nullptr, out.get(), kFlags) != 1) {
    return Refuse("signature_invalid", "not signed by the registry's issuing key");
  }
  return Written(out.get());
}

Result<Bytes> Decrypt(const Bytes& der, const CardKey& agreement) {
  const OwnedCms cms = ParseCms(der, NID_id_smime_ct_authEnvelopedData);
  if (!cms) return Refuse("payload_undecryptable", "not one whole AuthEnvelopedData");
  const OwnedBio out(BIO_new(BIO_s_mem()));
  if (CMS_decrypt(cms.get(), agreement.handle(), nullptr, nullptr, out.get(), CMS_BINARY) != 1) {
    return Refuse("payload_undecryptable", "not for this device's key-agreement key");
  }
  return Written(out.get());
}

Result<wire::RegistryPayload> Decode(const Bytes& plain) {
  const auto json = nlohmann::json::parse(plain.begin(), plain.end(), nullptr, false);
  if (json.is_discarded()) return Refuse("payload_malformed", "not JSON");
  auto payload = wire::Decode<wire::RegistryPayload>(json);
  if (!payload) return Refuse("payload_malformed", payload.error().message + " at " + payload.error().field);
  return payload;
}

Status Question(const wire::RegistryPayload& payload, const PayloadExpectation& expected) {
  if (payload.bootstrap.device_name != expected.device_name) {
    return Refuse("payload_wrong_device", "it names another device");
  }
  if (payload.version <= expected.last_version)
    return Refuse("payload_replayed", "not newer than what is installed");
  if (payload.expires <= expected.now) return Refuse("payload_expired", "its time is over");
  return Done{};
}

// What a path of RFC 5280 does not ask. RFC 8446 §4.4.2.2: a certificate that says what its key is for must let it sign.
// The registry makes no CA of a device, and signs with ECDSA and SHA-256.
bool ForADevice(X509* certificate) {
  return (X509_get_extension_flags(certificate) & (EXFLAG_INVALID | EXFLAG_CA)) == 0 &&
         (X509_get_key_usage(certificate) & KU_DIGITAL_SIGNATURE) != 0 &&
         X509_get_signature_nid(certificate) == NID_ecdsa_with_SHA256;
}

}  // namespace

Status CheckCertificate(X509* certificate, const CertificateView& view, const RegistryTrust& trust,
                        const Bytes& signing_point, const std::string& device_name) {
  if (view.spki != P256Spki(signing_point)) return Refuse("payload_certificate", "not for this card's key");
  if (!ForADevice(certificate)) return Refuse("payload_certificate", "not what a device's certificate is");
  if (!trust.Issued(certificate)) return Refuse("payload_certificate", "not issued by the registry");
  if (X509_check_host(certificate, device_name.data(), device_name.size(),
                      X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_WILDCARDS, nullptr) != 1) {
    return Refuse("payload_certificate", "not for this device's name");
  }
  return Done{};
}

Status CheckDates(X509* certificate, const RegistryTrust& trust, UtcTime now) {
  for (const X509* one :
       {static_cast<const X509*>(certificate), static_cast<const X509*>(trust.issuing.get()),
        static_cast<const X509*>(trust.root.get())}) {
    if (!InTime(one, now)) return Refuse("payload_certificate", "a certificate is not in time");
  }
  return Done{};
}

Result<std::string> OpenSealed(const std::string& sealed, const CardKey& certified) {
  const auto der = FromBase64(sealed);
  const OwnedCms cms = der ? ParseCms(*der, NID_id_smime_ct_authEnvelopedData) : nullptr;
  if (!cms) return Refuse("wifi_undecryptable", "not base64 of one whole AuthEnvelopedData");
  const OwnedBio out(BIO_new(BIO_s_mem()));
  if (CMS_decrypt(cms.get(), certified.handle(), nullptr, nullptr, out.get(), CMS_BINARY) != 1)
    return Refuse("wifi_undecryptable", "not for this device's certified key");
  const Bytes plain = Written(out.get());
  return std::string(plain.begin(), plain.end());
}

Result<Bytes> IssuingNamedIn(const Bytes& cms, const CardKey& agreement) {
  const OwnedCms signed_data = ParseCms(cms, NID_pkcs7_signed);
  ASN1_OCTET_STRING** const content = signed_data ? CMS_get0_content(signed_data.get()) : nullptr;
  if (content == nullptr || *content == nullptr)
    return Refuse("signature_invalid", "not one whole SignedData");
  const std::uint8_t* const octets = ASN1_STRING_get0_data(*content);
  const auto plain = Decrypt(Bytes(octets, octets + ASN1_STRING_length(*content)), agreement);
  if (!plain) return plain.error();
  auto payload = Decode(*plain);
  if (!payload) return payload.error();
  return std::move(payload->bootstrap.issuing_certificate);
}

Result<wire::RegistryPayload> OpenPayload(const Bytes& cms, const RegistryTrust& trust,
                                          const CardKey& agreement, const PayloadExpectation& expected) {
  const auto sealed = VerifySigned(cms, trust);
  if (!sealed) return sealed.error();
  const auto plain = Decrypt(*sealed, agreement);
  if (!plain) return plain.error();
  auto payload = Decode(*plain);
  if (!payload) return payload;
  if (auto good = Question(*payload, expected); !good) return good.error();
  if (payload->certificate == expected.installed && expected.installed_parsed != nullptr) {
    // Decoding its key again would cost more than all else; but time goes on.
    if (auto dated = CheckDates(expected.installed_parsed, trust, expected.now); !dated) return dated.error();
    return payload;
  }
  const OwnedCertificate certificate = ParseCertificate(payload->certificate);
  const auto view = CertificateView::Of(payload->certificate);
  if (!certificate || !view) return Refuse("payload_certificate", "malformed");
  auto good = CheckCertificate(certificate.get(), *view, trust, expected.signing_point, expected.device_name);
  if (good) good = CheckDates(certificate.get(), trust, expected.now);
  if (!good) return good.error();
  return payload;
}

}  // namespace registry::sim
