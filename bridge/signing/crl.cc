#include "bridge/signing/crl.h"

#include "workers/crypto/der_writer.h"
#include "workers/crypto/issuer.h"

namespace registry::signing {
namespace {

using crypto::Der;
using crypto::DerExtension;
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
Bytes Entries(const std::vector<domain::Revocation>& revocations, UtcTime this_update) {
  Bytes content;
  for (const domain::Revocation& revocation : revocations) {
    if (revocation.certificate_not_after <= this_update) continue;
    const Bytes entry = Entry(revocation);
    content.insert(content.end(), entry.begin(), entry.end());
  }
  return content.empty() ? Bytes() : DerSequence({content});
}

}  // namespace

Result<Bytes> BuildCrl(const domain::Signer& signer, const std::vector<domain::Revocation>& revocations,
                       UtcTime this_update, UtcTime next_update, std::uint64_t number) {
  const auto issuer = crypto::ReadIssuer(signer.certificate());
  if (!issuer) return issuer.error();
  const Bytes algorithm = DerSequence({crypto::DerOid(crypto::kEcdsaWithSha256)});
  const Bytes extensions =
      DerSequence({issuer->authority_key, DerExtension("2.5.29.20", false, crypto::DerInteger(number))});
  const Bytes list =
      DerSequence({crypto::DerInteger(1), algorithm, issuer->name, crypto::DerTime(this_update),
                   crypto::DerTime(next_update), Entries(revocations, this_update),
                   Der(tag::ContextConstructed(0), {extensions})});
  const auto signature = signer.Sign(list);
  if (!signature) return signature.error();
  return DerSequence({list, algorithm, crypto::DerBitString(*signature)});
}

}  // namespace registry::signing
