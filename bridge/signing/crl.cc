#include "bridge/signing/crl.h"

#include "workers/crypto/der_writer.h"
#include "workers/crypto/issuer.h"

namespace registry::signing {
namespace {

using crypto::Der;
using crypto::DerExtension;
using crypto::DerReader;
using crypto::DerSequence;
namespace tag = crypto::tag;

constexpr std::uint8_t kUnspecified = 0;

Bytes Entry(const domain::Revocation& revocation) {
  const Bytes serial = crypto::DerInteger(crypto::OctetView(revocation.serial));
  const Bytes date = crypto::DerTime(revocation.at);
  // RFC 5280 §5.3.1: the reason is left out rather than said to be unspecified.
  if (revocation.reason == kUnspecified) return DerSequence({serial, date});
  const std::uint8_t reason[] = {tag::kEnumerated, 1, revocation.reason};
  return DerSequence({serial, date, DerSequence({DerExtension("2.5.29.21", false, reason)})});
}

// Absent when empty (RFC 5280 §5.1.2.6).
Bytes Entries(const std::vector<domain::Revocation>& revocations, UtcTime this_update, UtcTime next_update) {
  const std::chrono::microseconds period = next_update - this_update;
  Bytes content;
  for (const domain::Revocation& revocation : revocations) {
    if (MayBeForgotten(revocation, this_update, period)) continue;
    const Bytes entry = Entry(revocation);
    content.insert(content.end(), entry.begin(), entry.end());
  }
  return content.empty() ? Bytes() : DerSequence({content});
}

// IssuingDistributionPoint (RFC 5280 §5.2.5), critical: who does not know it must not take this CRL for a whole one. Its
// one name is the one that the certificates have.
Bytes Scope(const std::string& distribution_point) {
  if (distribution_point.empty()) return {};
  const Bytes full_name =
      Der(tag::ContextConstructed(0), {Der(tag::Context(6), {crypto::View(distribution_point)})});
  return DerExtension("2.5.29.28", true, DerSequence({Der(tag::ContextConstructed(0), {full_name})}));
}

// An INTEGER of at most 63 bits.
std::optional<std::uint64_t> Number(crypto::OctetView octets) {
  const auto integer = crypto::OnlyElement(octets, tag::kInteger);
  if (!integer || integer->content.empty() || integer->content.size() > 8) return std::nullopt;
  if ((integer->content[0] & 0x80) != 0) return std::nullopt;
  std::uint64_t number = 0;
  for (const std::uint8_t octet : integer->content) number = number << 8 | octet;
  return number;
}

}  // namespace

// RFC 5280 §3.3: an entry stays until it has appeared on one regularly scheduled CRL issued beyond the certificate's
// validity. CRLs are issued at least once per `period`, so one within that time after the end has been such.
bool MayBeForgotten(const domain::Revocation& revocation, UtcTime this_update,
                    std::chrono::microseconds period) {
  return revocation.certificate_not_after + period <= this_update;
}

Result<Bytes> BuildCrl(const domain::Signer& signer, const std::vector<domain::Revocation>& revocations,
                       UtcTime this_update, UtcTime next_update, std::uint64_t number,
                       const std::string& distribution_point) {
  const auto issuer = crypto::ReadIssuer(signer.certificate());
  if (!issuer) return issuer.error();
  const Bytes algorithm = DerSequence({crypto::DerOid(crypto::kEcdsaWithSha256)});
  const Bytes extensions =
      DerSequence({issuer->authority_key, DerExtension("2.5.29.20", false, crypto::DerInteger(number)),
                   Scope(distribution_point)});
  const Bytes list =
      DerSequence({crypto::DerInteger(1), algorithm, issuer->name, crypto::DerTime(this_update),
                   crypto::DerTime(next_update), Entries(revocations, this_update, next_update),
                   Der(tag::ContextConstructed(0), {extensions})});
  const auto signature = signer.Sign(list);
  if (!signature) return signature.error();
  return DerSequence({list, algorithm, crypto::DerBitString(*signature)});
}

std::optional<std::uint64_t> CrlNumber(const Bytes& der) {
  static const Bytes kCrlNumber = crypto::DerOid("2.5.29.20");
  const auto list = crypto::OnlyElement(der, tag::kSequence);
  const auto signed_part = list ? DerReader(list->content).Next(tag::kSequence) : std::nullopt;
  if (!signed_part) return std::nullopt;
  DerReader parts(signed_part->content);
  while (!parts.AtEnd() && !parts.Peek(tag::ContextConstructed(0))) {
    if (!parts.Next()) return std::nullopt;
  }
  const auto wrapped = parts.Next();
  const auto extensions = wrapped ? crypto::OnlyElement(wrapped->content, tag::kSequence) : std::nullopt;
  if (!extensions) return std::nullopt;
  for (DerReader reader(extensions->content); !reader.AtEnd();) {
    const auto extension = reader.Next(tag::kSequence);
    if (!extension) return std::nullopt;
    DerReader inside(extension->content);
    const auto id = inside.Next(tag::kOid);
    if (!id || !crypto::Same(id->whole, kCrlNumber)) continue;
    if (inside.Peek(tag::kBoolean)) inside.Next();
    const auto value = inside.Next(tag::kOctetString);
    return value ? Number(value->content) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace registry::signing
