#include "workers/dns/desired.h"

#include "schemas/base/check.h"
#include "workers/domain/standing.h"

namespace registry::dns {

domain::ZoneChange Published(const domain::Device& device, TlsaProfile profile) {
  const domain::IssuedCertificate* const live = domain::LiveCertificate(device);
  REG_CHECK(live != nullptr);
  // RFC 7671 §5.1: usage 3 (DANE-EE), the record itself vouches for the certificate.
  // RFC 6698 §2.1.3: matching type 1, SHA-256.
  domain::TlsaRecord record;
  record.usage = 3;
  record.matching = 1;
  if (profile == TlsaProfile::kCertificate) {
    record.selector = 0;
    record.data = live->sha256;
  } else {
    record.selector = 1;
    record.data = live->spki_sha256;
  }
  return {device.id, device.zone.wanted, {record}, {}};
}

domain::ZoneChange Deactivated(const domain::Device& device) {
  return {device.id, device.zone.wanted, {}, "state=deactivated"};
}

domain::ZoneChange Gone(const domain::Device& device) { return {device.id, device.zone.wanted, {}, {}}; }

}  // namespace registry::dns
