#include "workers/dns/desired.h"

#include <algorithm>

#include "workers/domain/lifecycle.h"
#include "workers/domain/standing.h"

namespace registry::dns {
namespace {

// RFC 7671 §5.1: usage 3 (DANE-EE), the record itself vouches for the certificate.
// RFC 6698 §2.1.3: matching type 1, SHA-256.
domain::TlsaRecord RecordOf(const domain::IssuedCertificate& certificate, TlsaProfile profile) {
  if (profile == TlsaProfile::kCertificate) return {3, 0, 1, certificate.sha256};
  return {3, 1, 1, certificate.spki_sha256};
}

std::vector<domain::TlsaRecord> RecordsOf(const domain::Device& device, TlsaProfile profile) {
  std::vector<domain::TlsaRecord> records;
  for (const domain::Credential& credential : device.credentials) {
    if (credential.phase == domain::CredentialPhase::kWithdrawn) continue;
    const domain::TlsaRecord record = RecordOf(credential.certificate, profile);
    // RFC 2181 §5: an RRset has no record twice; two certificates of one key have one 3 1 1.
    if (std::find(records.begin(), records.end(), record) == records.end()) records.push_back(record);
  }
  return records;
}

// Why a device that the zone knows is not to be trusted now; empty: it may be.
std::string_view NoteOf(const domain::Device& device) {
  if (device.state == domain::State::kDeactivated) return "state=deactivated";
  if (domain::Live(device) == nullptr || !domain::Withheld(device)) return {};
  return domain::OnHold(device) ? "state=suspended" : "state=expired";
}

}  // namespace

domain::ZoneChange Wanted(const domain::Device& device, TlsaProfile profile) {
  const std::string_view note = NoteOf(device);
  if (!note.empty()) return {device.id, device.zone.wanted, {}, std::string(note)};
  return {device.id, device.zone.wanted, RecordsOf(device, profile), {}};
}

}  // namespace registry::dns
