#include "workers/domain/renewal.h"

#include <algorithm>

#include "schemas/base/check.h"
#include "workers/domain/standing.h"

namespace registry::domain {
namespace {

using std::chrono::microseconds;

// Without the minutes before its issue that it is valid for (CertificatePolicy::backdate).
microseconds LifeOf(const IssuedCertificate& certificate, const CertificatePolicy& certificates) {
  const microseconds whole(certificate.not_after.micros - certificate.not_before.micros);
  const microseconds life = whole > certificates.backdate ? whole - certificates.backdate : whole;
  return std::min<microseconds>(life, certificates.validity);
}

constexpr int kPercent = 100;

// In 0..65535; of a random UUID (RFC 9562 §5.4) the last octets are random.
std::int64_t ShareOf(const DeviceId& device) {
  const auto& octets = device.octets();
  return octets[octets.size() - 2] * 256 + octets[octets.size() - 1];
}

}  // namespace

bool IsOf(const TlsaRecord& record, const IssuedCertificate& certificate) {
  return record.data == (record.selector == 0 ? certificate.sha256 : certificate.spki_sha256);
}

UtcTime RenewalDue(const DeviceId& device, const IssuedCertificate& certificate,
                   const CertificatePolicy& certificates, const RenewalPolicy& policy) {
  const microseconds life = LifeOf(certificate, certificates);
  const microseconds left = life / kPercent * (kPercent - policy.from_percent);
  const microseconds jitter = life / kPercent * policy.jitter_percent / 65536 * ShareOf(device);
  return certificate.not_after - left + jitter;
}

UtcTime EndOfThoseDue(const CertificatePolicy& certificates, const RenewalPolicy& policy, UtcTime now) {
  return now + microseconds(certificates.validity) / kPercent * (kPercent - policy.from_percent);
}

bool MayBeDue(const DeviceBrief& device, const CertificatePolicy& certificates, const RenewalPolicy& policy,
              UtcTime now) {
  // None lives longer than this one would, so none is due earlier.
  IssuedCertificate longest;
  longest.not_after = device.expires;
  longest.not_before = device.expires - certificates.validity - certificates.backdate;
  return device.expires <= now || RenewalDue(device.id, longest, certificates, policy) <= now;
}

UtcTime KnownFrom(const Credential& credential, const RenewalPolicy& policy) {
  REG_CHECK(credential.served.micros != 0);
  return credential.served + policy.tlsa_ttl;
}

const Credential* ToBeCarried(const Device& device, const RenewalPolicy& policy, UtcTime now) {
  const Credential* const next = NextCredential(device);
  const bool known = next != nullptr && next->served.micros != 0 && KnownFrom(*next, policy) <= now;
  return known ? next : Live(device);
}

UtcTime WithdrawnFrom(const Device& device, const RenewalPolicy& policy) {
  const Credential* const live = Live(device);
  REG_CHECK(live != nullptr);
  return live->since + policy.tlsa_ttl;
}

}  // namespace registry::domain
