// workers/csr_sign/csr_sign.h: a CSR becomes a certificate (design §5), or a clear rejection.
// Pure and safe from any thread. Spec: RFC 2986 (PKCS#10), RFC 5280 (profile), RFC 5480 (EC keys).
// Rejections (code, symbol): 2004 csr_too_large (> kCsrMax octets), 2005 csr_malformed (neither PEM nor one
// whole DER
//   CertificationRequest), 2306 csr_key_type (not P-256), 2306 csr_point_invalid, 2306 csr_signature_invalid,
//   2306 csr_signature_algorithm, 2306 key_blocked, 2302 key_in_use (certified before, or another device's),
//   2303 device_unknown, 2303 job_unknown, 2201 not_sponsor, 2304 state_prohibits (message names state, statuses and rule),
//   2005 job_of_other_device, 2400 issuer_invalid (zone or URL unusable, issuing certificate expired).
#pragma once

#include <string>
#include <vector>

#include "workers/dns/desired.h"
#include "workers/domain/decision.h"
#include "workers/domain/policy.h"

namespace registry::csr_sign {

inline constexpr std::size_t kCsrMax = std::size_t{8} * 1024;  // octets of DER; a P-256 request is about 300

// The arc under which a CSR carries the applet's static key-agreement key: an attribute (RFC 2986 §4.1) or a
// requested extension (RFC 2985 §5.4.2) whose value is a SubjectPublicKeyInfo on P-256:
// wire::kAgreementKeyOid, schemas/wire/oid.h.

struct CheckedCsr {
  Bytes public_key;        // uncompressed point, 65 octets, also when the CSR had it compressed
  Bytes spki_sha256;       // of the DER SubjectPublicKeyInfo around that
  Bytes agreement_key;     // uncompressed point; equals public_key when the CSR names none
  Bytes agreement_sha256;  // as spki_sha256, of the key-agreement key
};
// Everything that can be said of a CSR alone; takes PEM or DER, signed with ECDSA and SHA-256, SHA-384 or SHA-512.
Result<CheckedCsr> CheckCsr(const Bytes& csr);

// Whether it can be a certificate's CRL distribution point: empty, or a URL of http or https (RFC 5280 §4.2.1.13) that is
// an IA5String (§4.2.1.6) without white space.
bool ValidCrlUrl(const std::string& url);

// Which of so many CRLs tells of a certificate: decided by its serial number, for ever. `shards` is not 0.
std::uint32_t CrlShardOf(const Bytes& serial, std::uint32_t shards);
// The URL or file of a shard's CRL, from that of the whole one: "…/crl.pem" has "…/crl-3-of-16.pem". The count is in it:
// under another count a certificate is of another shard, and must not be looked up in a list that never tells of it.
std::string CrlShardName(const std::string& whole, std::uint32_t shard, std::uint32_t shards);

// Certificate templates and issuer fields are parsed once here; immutable afterwards.
class Issuer {
 public:
  // Of the policy it keeps the zone and what is said of certificates. The signer outlives the issuer.
  static Result<Issuer> Create(const domain::Policy& policy, const domain::Signer& signer);
  Result<domain::IssuedCertificate> Issue(const DeviceId& device, const CheckedCsr& csr,
                                          const domain::Context& context) const;

 private:
  Issuer() = default;
  Bytes ToBeSigned(const std::string& name, const CheckedCsr& csr,
                   const domain::IssuedCertificate& issued) const;

  std::string zone_;
  domain::CertificatePolicy policy_;
  const domain::Signer* signer_ = nullptr;
  Bytes issuer_name_, authority_key_extension_;
  std::vector<Bytes> crl_extensions_;  // by shard; one where there are none
  UtcTime not_after_;                  // of the issuing certificate
};

// A named job has to be the device's own, and sent to the party that answers it. An answer that comes after its job gave
// up is still a good key, unless another key.generate waits by then (job_unknown): the applet has another key now. A key
// is certified once:
// after a revocation the device needs a new one. The key-agreement key is claimed for the device (until the
// end of its wipe, see lifecycle::ReleaseEsim).
// Certificate, TLSA wanted, step "certified", jobs of key.generate erased, a kZoneVisible job put, `device.certified` to
// the claiming ASP. Of an attached device without a certificate it is the live one. A device that has one is given another
// only when it was asked for a key: the next one (workers/domain/renewal.h), of the profile whose MNO was asked. Without
// that it is refused (state_prohibits). A CSR of the MNO that is being asked which is refused stays in the device's trace
// and history (workers/domain/csr_refusal.h); nothing else does.
Result<domain::Reply> Decide(const wire::CsrSubmit& command, domain::Case& at, const Issuer& issuer);

}  // namespace registry::csr_sign
