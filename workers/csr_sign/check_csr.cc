// What can be said of a CSR alone: its form, its keys, its signature. In this order, so that the first
// rejection names the real reason: an RSA request is refused for its key, not for its signature algorithm.
#include "workers/crypto/der_writer.h"
#include "workers/crypto/issuer.h"
#include "workers/crypto/p256.h"
#include "workers/csr_sign/csr_sign.h"
#include "workers/csr_sign/pkcs10.h"

namespace registry::csr_sign {
namespace {

constexpr std::size_t kPemMax = 2 * kCsrMax;  // base64, line ends, labels and a few explaining lines

Error Refuse(Code code, std::string_view symbol, std::string_view message) {
  return Error::Make(code, symbol, message, "/csr");
}

Error TooLarge() {
  return Refuse(Code::kRange, "csr_too_large", "the CSR is larger than 8192 octets of DER");
}

// RFC 7468 §7: "NEW CERTIFICATE REQUEST" is the label of older generators.
std::optional<Bytes> FromAnyPem(std::string_view text) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  if (text.find(kBegin) != text.rfind(kBegin)) return std::nullopt;  // which of several is meant?
  for (std::string_view label : {"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"}) {
    if (auto der = FromPem(label, text)) return der;
  }
  return std::nullopt;
}

Result<Bytes> ToDer(const Bytes& csr) {
  const bool der = !csr.empty() && csr[0] == crypto::tag::kSequence;
  if (csr.size() > (der ? kCsrMax : kPemMax)) return TooLarge();
  if (der) return csr;
  auto decoded = FromAnyPem(AsText(csr));
  if (!decoded)
    return Refuse(Code::kValueSyntax, "csr_malformed",
                  AsText(csr).find("-----BEGIN ") == std::string_view::npos
                      ? "neither PEM nor DER CertificationRequest"
                      : "not exactly one whole PEM block, labelled CERTIFICATE REQUEST");
  if (decoded->size() > kCsrMax) return TooLarge();
  return std::move(*decoded);
}

// id-ecPublicKey with the named curve secp256r1 (RFC 5480 §2.1.1); explicit parameters are refused with the
// rest.
const Bytes& P256Algorithm() {
  static const Bytes content = [] {
    Bytes oids = crypto::DerOid("1.2.840.10045.2.1");
    const Bytes curve = crypto::DerOid("1.2.840.10045.3.1.7");
    oids.insert(oids.end(), curve.begin(), curve.end());
    return oids;
  }();
  return content;
}
// ecdsa-with-SHA256, -SHA384 and -SHA512 (RFC 5758 §3.2: without parameters). Stacks that choose the hash by habit, not by
// the curve, sign with the longer ones. SHA-1 is not among them.
std::optional<crypto::Sha2> HashOf(crypto::OctetView algorithm) {
  static const std::pair<Bytes, crypto::Sha2> kKnown[] = {
      {crypto::DerOid(crypto::kEcdsaWithSha256), crypto::Sha2::k256},
      {crypto::DerOid("1.2.840.10045.4.3.3"), crypto::Sha2::k384},
      {crypto::DerOid("1.2.840.10045.4.3.4"), crypto::Sha2::k512}};
  for (const auto& [oid, hash] : kKnown) {
    if (crypto::Same(algorithm, oid)) return hash;
  }
  return std::nullopt;
}

Status CheckKeyType(const PublicKeyInfo& key, std::string_view which) {
  if (crypto::Same(key.algorithm, P256Algorithm())) return Done{};
  return Refuse(Code::kPolicy, "csr_key_type", std::string(which) + " is not an EC key on P-256 (secp256r1)");
}

// Uncompressed from here on, whichever form came: a key has one identity in certificates, TLSA and the ledger.
Result<Bytes> PointOf(const PublicKeyInfo& key, std::string_view which) {
  if (auto point = crypto::UncompressedP256(key.key)) return std::move(*point);
  return Refuse(Code::kPolicy, "csr_point_invalid",
                std::string(which) + " is no point on P-256, uncompressed or compressed");
}

Result<CheckedCsr> CheckKeys(const Pkcs10& request) {
  constexpr std::string_view kKey = "the public key", kAgreement = "the key-agreement key";
  if (auto type = CheckKeyType(request.key, kKey); !type) return type.error();
  if (request.agreement_key) {
    if (auto type = CheckKeyType(*request.agreement_key, kAgreement); !type) return type.error();
  }
  auto point = PointOf(request.key, kKey);
  if (!point) return point.error();
  auto agreement = request.agreement_key ? PointOf(*request.agreement_key, kAgreement) : point;
  if (!agreement) return agreement.error();
  CheckedCsr checked;
  checked.spki_sha256 = crypto::P256KeyDigest(*point);
  checked.agreement_sha256 = *agreement == *point ? checked.spki_sha256 : crypto::P256KeyDigest(*agreement);
  checked.public_key = std::move(*point);
  checked.agreement_key = std::move(*agreement);
  return checked;
}

Status CheckSignature(const Pkcs10& request, const Bytes& point) {
  const auto hash = HashOf(request.signature_algorithm);
  if (!hash) {
    return Refuse(Code::kPolicy, "csr_signature_algorithm",
                  "the signature algorithm is not ecdsa-with-SHA256, -SHA384 or -SHA512");
  }
  if (crypto::VerifyP256(point, crypto::Hash(*hash, {request.signed_part}), request.signature)) return Done{};
  return Refuse(Code::kPolicy, "csr_signature_invalid",
                "the CSR's signature does not verify with its own key");
}

}  // namespace

Result<CheckedCsr> CheckCsr(const Bytes& csr) {
  const auto der = ToDer(csr);
  if (!der) return der.error();
  const auto request = ReadPkcs10(*der);
  if (!request) return request.error();
  auto checked = CheckKeys(*request);
  if (!checked) return checked;
  if (auto signature = CheckSignature(*request, checked->public_key); !signature) return signature.error();
  return checked;
}

}  // namespace registry::csr_sign
