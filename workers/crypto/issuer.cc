// Read by hand: OpenSSL's d2i_X509 decodes the public key through its decoders, five times the cost of a signature.
#include "workers/crypto/issuer.h"

#include <algorithm>
#include <string>

#include "workers/crypto/p256.h"

namespace registry::crypto {
namespace {

Error Invalid(std::string_view why) { return Error::Make(Code::kFailed, "ca_certificate_invalid", why); }

std::string_view Text(OctetView octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

// RFC 5280 §4.1.2.5: YYMMDDHHMMSSZ with years 1950 to 2049, or YYYYMMDDHHMMSSZ.
std::optional<UtcTime> ReadTime(const std::optional<DerElement>& element) {
  if (!element) return std::nullopt;
  std::string digits(Text(element->content));
  if (element->tag == tag::kUtcTime && digits.size() == 13) {
    digits.insert(0, digits[0] >= '5' ? "19" : "20");
  }
  if (digits.size() != 15 || digits.back() != 'Z') return std::nullopt;
  const auto part = [&](std::size_t at, std::size_t size) { return digits.substr(at, size); };
  return FromRfc3339(part(0, 4) + "-" + part(4, 2) + "-" + part(6, 2) + "T" + part(8, 2) + ":" + part(10, 2) +
                     ":" + part(12, 2) + "Z");
}

// The subjectKeyIdentifier among the extensions, as its octets.
std::optional<OctetView> FindKeyId(OctetView extensions) {
  static const Bytes kSubjectKeyId = DerOid("2.5.29.14");
  DerReader reader(extensions);
  while (!reader.AtEnd()) {
    const auto extension = reader.Next(tag::kSequence);
    if (!extension) return std::nullopt;
    DerReader inside(extension->content);
    const auto id = inside.Next(tag::kOid);
    if (!id || !Same(id->whole, kSubjectKeyId)) continue;
    const auto value = inside.Next(tag::kOctetString);  // never critical, so no BOOLEAN stands before it
    const auto key_id = value ? OnlyElement(value->content, tag::kOctetString) : std::nullopt;
    if (!key_id || key_id->content.empty()) return std::nullopt;
    return key_id->content;
  }
  return std::nullopt;
}

struct Parts {
  DerElement validity, subject, key, extensions;
};

// TBSCertificate, RFC 5280 §4.1, version 3.
std::optional<Parts> Split(const Bytes& certificate) {
  if (!IsStrictDer(certificate)) return std::nullopt;
  const auto outer = OnlyElement(certificate, tag::kSequence);
  if (!outer) return std::nullopt;
  const auto inner = DerReader(outer->content).Next(tag::kSequence);
  if (!inner) return std::nullopt;
  DerReader reader(inner->content);
  const bool head = reader.Next(tag::ContextConstructed(0)) && reader.Next(tag::kInteger) &&
                    reader.Next(tag::kSequence) && reader.Next(tag::kSequence);
  if (!head) return std::nullopt;
  const auto validity = reader.Next(tag::kSequence);
  const auto subject = reader.Next(tag::kSequence);
  const auto key = reader.Next(tag::kSequence);
  const auto explicit_extensions = reader.Next(tag::ContextConstructed(3));
  const auto extensions =
      explicit_extensions ? OnlyElement(explicit_extensions->content, tag::kSequence) : std::nullopt;
  if (!validity || !subject || !key || !extensions) return std::nullopt;
  return Parts{*validity, *subject, *key, *extensions};
}

Bytes Copy(OctetView view) { return Bytes(view.begin(), view.end()); }

}  // namespace

Result<IssuerFields> ReadIssuer(const Bytes& certificate) {
  const auto parts = Split(certificate);
  if (!parts) return Invalid("the CA's certificate is no DER certificate of version 3");
  const auto key_id = FindKeyId(parts->extensions.content);
  if (!key_id) return Invalid("the CA's certificate has no subject key identifier");
  DerReader times(parts->validity.content);
  const auto not_before = ReadTime(times.Next());
  const auto not_after = ReadTime(times.Next());
  if (!not_before || !not_after) return Invalid("the CA's certificate has no readable validity");
  // On P-256 the SubjectPublicKeyInfo is a fixed head and the point: comparing it whole checks curve and form at once.
  const OctetView point = parts->key.whole.last(std::min(kPointSize, parts->key.whole.size()));
  if (!Same(parts->key.whole, P256PublicKeyInfo(point)) || !IsOnP256(point)) {
    return Invalid("the CA's key is not on P-256");
  }
  IssuerFields fields;
  fields.name = Copy(parts->subject.whole);
  fields.key_id = Copy(*key_id);
  fields.public_key = Copy(point);
  fields.authority_key =
      DerExtension("2.5.29.35", false, DerSequence({Der(tag::Context(0), {fields.key_id})}));
  fields.not_before = *not_before;
  fields.not_after = *not_after;
  return fields;
}

Bytes DerExtension(const char* oid, bool critical, OctetView value) {
  return DerExtension(OctetView(DerOid(oid)), critical, value);
}

Bytes DerExtension(OctetView oid, bool critical, OctetView value) {
  static constexpr std::uint8_t kTrue[] = {tag::kBoolean, 1, 0xff};
  return DerSequence({oid, critical ? OctetView(kTrue) : OctetView(), Der(tag::kOctetString, {value})});
}

}  // namespace registry::crypto
