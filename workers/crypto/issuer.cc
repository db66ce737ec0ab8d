#include "workers/crypto/issuer.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <ctime>

#include "workers/crypto/owned.h"
#include "workers/crypto/p256.h"

namespace registry::crypto {
namespace {

Error Invalid(std::string_view why) {
  Failed();
  return Error::Make(Code::kFailed, "ca_certificate_invalid", why);
}

std::optional<UtcTime> ReadTime(const ASN1_TIME* time) {
  std::tm fields{};
  if (ASN1_TIME_to_tm(time, &fields) != 1) return std::nullopt;
  return UtcTime{static_cast<std::int64_t>(timegm(&fields)) * 1'000'000};
}

Bytes ReadName(const X509_NAME* name) {
  const std::uint8_t* der = nullptr;
  std::size_t size = 0;
  if (X509_NAME_get0_der(name, &der, &size) != 1) return {};
  return Bytes(der, der + size);
}

}  // namespace

Result<IssuerFields> ReadIssuer(const Bytes& certificate) {
  const std::uint8_t* cursor = certificate.data();
  const Owned<X509, X509_free> x509(d2i_X509(nullptr, &cursor, static_cast<long>(certificate.size())));
  if (!x509 || cursor != certificate.data() + certificate.size())
    return Invalid("the CA's certificate is no DER certificate");
  const ASN1_OCTET_STRING* const key_id = X509_get0_subject_key_id(x509.get());
  if (key_id == nullptr) return Invalid("the CA's certificate has no subject key identifier");
  const auto not_before = ReadTime(X509_get0_notBefore(x509.get()));
  const auto not_after = ReadTime(X509_get0_notAfter(x509.get()));
  if (!not_before || !not_after) return Invalid("the CA's certificate has no readable validity");

  IssuerFields fields;
  fields.name = ReadName(X509_get_subject_name(x509.get()));
  fields.key_id.assign(ASN1_STRING_get0_data(key_id),
                       ASN1_STRING_get0_data(key_id) + ASN1_STRING_length(key_id));
  const ASN1_BIT_STRING* const point = X509_get0_pubkey_bitstr(x509.get());
  fields.public_key.assign(ASN1_STRING_get0_data(point),
                           ASN1_STRING_get0_data(point) + ASN1_STRING_length(point));
  if (!IsOnP256(fields.public_key)) return Invalid("the CA's key is not on P-256");
  fields.authority_key =
      DerExtension("2.5.29.35", false, DerSequence({Der(tag::Context(0), {fields.key_id})}));
  fields.not_before = *not_before;
  fields.not_after = *not_after;
  return fields;
}

Bytes DerExtension(const char* oid, bool critical, OctetView value) {
  static constexpr std::uint8_t kTrue[] = {tag::kBoolean, 1, 0xff};
  return DerSequence(
      {DerOid(oid), critical ? OctetView(kTrue) : OctetView(), Der(tag::kOctetString, {value})});
}

}  // namespace registry::crypto
