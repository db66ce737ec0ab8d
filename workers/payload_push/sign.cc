#include "workers/crypto/der_writer.h"
#include "workers/crypto/digest.h"
#include "workers/crypto/issuer.h"
#include "workers/payload_push/cms.h"

namespace registry::payload_push {
namespace {

using crypto::Der;
using crypto::DerOid;
using crypto::DerSequence;
namespace tag = crypto::tag;

const Bytes& DataOid() {
  static const Bytes oid = DerOid("1.2.840.113549.1.7.1");
  return oid;
}
const Bytes& DigestAlgorithm() {
  static const Bytes algorithm = DerSequence({DerOid("2.16.840.1.101.3.4.2.1")});  // SHA-256, RFC 5754 §2
  return algorithm;
}

Bytes Attribute(const Bytes& oid, const Bytes& value) { return DerSequence({oid, Der(tag::kSet, {value})}); }

// RFC 5652 §11. As [0] they stand in the message; what is signed is the same with the tag of a SET (§5.4).
Bytes SignedAttributes(const Bytes& content, UtcTime signing_time) {
  static const Bytes kContentType = DerOid("1.2.840.113549.1.9.3"),
                     kMessageDigest = DerOid("1.2.840.113549.1.9.4"),
                     kSigningTime = DerOid("1.2.840.113549.1.9.5");
  const auto digest = crypto::Sha256({content});
  return crypto::DerSetOf({Attribute(kContentType, DataOid()),
                           Attribute(kMessageDigest, Der(tag::kOctetString, {digest})),
                           Attribute(kSigningTime, crypto::DerTime(signing_time))});
}

// Of the certificate that was used last, which is the same for years: reading one costs a tenth of a signature.
Result<Bytes> KeyIdOf(const Bytes& certificate) {
  thread_local Bytes known_certificate, known_id;
  if (known_id.empty() || certificate != known_certificate) {
    auto issuer = crypto::ReadIssuer(certificate);
    if (!issuer) return issuer.error();
    known_certificate = certificate;
    known_id = std::move(issuer->key_id);
  }
  return known_id;
}

}  // namespace

Result<Bytes> SignContent(const Bytes& content, const domain::Signer& signer, UtcTime signing_time) {
  static const Bytes kSignedData = DerOid("1.2.840.113549.1.7.2");
  static const Bytes kVersion3 =
      crypto::DerInteger(3);  // RFC 5652 §5.1, §5.3: the signer is named by key identifier
  static const Bytes kSignatureAlgorithm = DerSequence({DerOid(crypto::kEcdsaWithSha256)});
  const auto key_id = KeyIdOf(signer.certificate());
  if (!key_id) return key_id.error();
  Bytes attributes = SignedAttributes(content, signing_time);
  const auto signature = signer.Sign(attributes);
  if (!signature) return signature.error();
  attributes[0] = tag::ContextConstructed(0);
  const Bytes signer_info =
      DerSequence({kVersion3, Der(tag::Context(0), {*key_id}), DigestAlgorithm(), attributes,
                   kSignatureAlgorithm, Der(tag::kOctetString, {*signature})});
  const Bytes encapsulated =
      DerSequence({DataOid(), Der(tag::ContextConstructed(0), {Der(tag::kOctetString, {content})})});
  const Bytes signed_data = DerSequence(
      {kVersion3, Der(tag::kSet, {DigestAlgorithm()}), encapsulated, Der(tag::kSet, {signer_info})});
  return DerSequence({kSignedData, Der(tag::ContextConstructed(0), {signed_data})});
}

}  // namespace registry::payload_push
