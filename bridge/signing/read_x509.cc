#include "bridge/signing/read_x509.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <ctime>

#include "workers/crypto/owned.h"

namespace registry::signing {
namespace {

using OwnedCrl = crypto::Owned<X509_CRL, X509_CRL_free>;
using OwnedX509 = crypto::Owned<X509, X509_free>;

Error Invalid(std::string_view why) {
  crypto::Failed();
  return Error::Make(Code::kFailed, "crl_invalid", why);
}

std::optional<UtcTime> TimeOf(const ASN1_TIME* time) {
  std::tm broken_down{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &broken_down) != 1) return std::nullopt;
  return UtcTime{std::int64_t{timegm(&broken_down)} * 1'000'000};
}

Bytes Octets(const ASN1_INTEGER* number) {
  const unsigned char* const octets = ASN1_STRING_get0_data(number);
  return {octets, octets + ASN1_STRING_length(number)};
}

// RFC 5280 §5.3.1; no reason means unspecified.
std::uint8_t ReasonOf(const X509_REVOKED* entry) {
  const crypto::Owned<ASN1_ENUMERATED, ASN1_ENUMERATED_free> reason(
      static_cast<ASN1_ENUMERATED*>(X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, nullptr, nullptr)));
  const long value = reason ? ASN1_ENUMERATED_get(reason.get()) : 0;
  return value >= 0 && value <= 10 ? static_cast<std::uint8_t>(value) : 0;
}

Result<domain::Revocation> EntryOf(const X509_REVOKED* entry, UtcTime issuer_end) {
  const ASN1_INTEGER* const serial = X509_REVOKED_get0_serialNumber(entry);
  const auto at = TimeOf(X509_REVOKED_get0_revocationDate(entry));
  if (ASN1_STRING_type(serial) != V_ASN1_INTEGER || !at) return Invalid("an entry cannot be read");
  return domain::Revocation{Octets(serial), *at, ReasonOf(entry), issuer_end};
}

}  // namespace

Result<CertificateFacts> ReadCertificate(const Bytes& der) {
  const unsigned char* at = der.data();
  const OwnedX509 certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  const auto end = certificate ? TimeOf(X509_get0_notAfter(certificate.get())) : std::nullopt;
  if (!end) {
    crypto::Failed();
    return Error::Make(Code::kFailed, "certificate_file_invalid", "holds no certificate");
  }
  return CertificateFacts{Octets(X509_get0_serialNumber(certificate.get())), *end};
}

bool IsIssuedBy(const Bytes& der, const Bytes& issuer_certificate) {
  const unsigned char *at = der.data(), *issuer_at = issuer_certificate.data();
  const OwnedX509 certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  const OwnedX509 issuer(d2i_X509(nullptr, &issuer_at, static_cast<long>(issuer_certificate.size())));
  const bool issued =
      certificate && issuer && X509_verify(certificate.get(), X509_get0_pubkey(issuer.get())) == 1;
  return issued || crypto::Failed();
}

Result<PublishedCrl> ReadCrl(const Bytes& der, const Bytes& issuer_certificate) {
  const unsigned char* at = der.data();
  const OwnedCrl crl(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));
  if (!crl || at != der.data() + der.size()) return Invalid("is no CRL");
  at = issuer_certificate.data();
  const OwnedX509 issuer(d2i_X509(nullptr, &at, static_cast<long>(issuer_certificate.size())));
  const auto end = issuer ? TimeOf(X509_get0_notAfter(issuer.get())) : std::nullopt;
  if (!end) return Error::Make(Code::kFailed, "ca_certificate_invalid", "is no certificate");
  if (X509_NAME_cmp(X509_CRL_get_issuer(crl.get()), X509_get_subject_name(issuer.get())) != 0)
    return Invalid("is another CA's");
  if (X509_CRL_verify(crl.get(), X509_get0_pubkey(issuer.get())) != 1)
    return Invalid("its signature is not of the CA's key");
  PublishedCrl published;
  const auto begun = TimeOf(X509_CRL_get0_lastUpdate(crl.get()));
  if (!begun) return Invalid("its thisUpdate cannot be read");
  published.number = CrlNumber(der);
  published.this_update = *begun;
  published.next_update = TimeOf(X509_CRL_get0_nextUpdate(crl.get()));
  STACK_OF(X509_REVOKED)* const revoked = X509_CRL_get_REVOKED(crl.get());
  for (int i = 0; i < sk_X509_REVOKED_num(revoked); ++i) {
    auto entry = EntryOf(sk_X509_REVOKED_value(revoked, i), *end);
    if (!entry) return entry.error();
    published.entries.push_back(std::move(*entry));
  }
  return published;
}

Result<PublishedCrl> ReadPemCrl(std::string_view pem, const Bytes& issuer_certificate) {
  const auto der = FromPem("X509 CRL", pem);
  return der ? ReadCrl(*der, issuer_certificate) : Invalid("holds no CRL in PEM");
}

}  // namespace registry::signing
