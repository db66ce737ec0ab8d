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
    return Refuse(Code::kValueSyntax, "csr_malformed", "neither PEM nor DER CertificationRequest");
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
const Bytes& EcdsaAlgorithm() {
  static const Bytes content = crypto::DerOid(crypto::kEcdsaWithSha256);
  return content;
}

Status CheckKeyType(const PublicKeyInfo& key, std::string_view which) {
  if (crypto::Same(key.algorithm, P256Algorithm())) return Done{};
  return Refuse(Code::kPolicy, "csr_key_type", std::string(which) + " is not an EC key on P-256 (secp256r1)");
}

Status CheckPoint(const PublicKeyInfo& key, std::string_view which) {
  if (crypto::IsOnP256(key.key)) return Done{};
  return Refuse(Code::kPolicy, "csr_point_invalid",
                std::string(which) + " is no uncompressed point on P-256");
}

Status CheckKeys(const Pkcs10& request) {
  constexpr std::string_view kKey = "the public key", kAgreement = "the key-agreement key";
  if (auto type = CheckKeyType(request.key, kKey); !type) return type;
  if (request.agreement_key) {
    if (auto type = CheckKeyType(*request.agreement_key, kAgreement); !type) return type;
  }
  if (auto point = CheckPoint(request.key, kKey); !point) return point;
  if (request.agreement_key) {
    if (auto point = CheckPoint(*request.agreement_key, kAgreement); !point) return point;
  }
  return Done{};
}

Status CheckSignature(const Pkcs10& request) {
  if (!crypto::Same(request.signature_algorithm, EcdsaAlgorithm())) {
    return Refuse(Code::kPolicy, "csr_signature_algorithm",
                  "the signature algorithm is not ecdsa-with-SHA256");
  }
  if (crypto::VerifyP256(request.key.key, crypto::Sha256({request.signed_part}), request.signature))
    return Done{};
  return Refuse(Code::kPolicy, "csr_signature_invalid",
                "the CSR's signature does not verify with its own key");
}

Bytes Copy(crypto::OctetView view) { return Bytes(view.begin(), view.end()); }

}  // namespace

Result<CheckedCsr> CheckCsr(const Bytes& csr) {
  const auto der = ToDer(csr);
  if (!der) return der.error();
  const auto request = ReadPkcs10(*der);
  if (!request) return request.error();
  if (auto keys = CheckKeys(*request); !keys) return keys.error();
  if (auto signature = CheckSignature(*request); !signature) return signature.error();
  CheckedCsr checked;
  checked.public_key = Copy(request->key.key);
  checked.spki_sha256 = crypto::ToBytes(crypto::Sha256({request->key.whole}));
  checked.agreement_key = request->agreement_key ? Copy(request->agreement_key->key) : checked.public_key;
  return checked;
}

}  // namespace registry::csr_sign
