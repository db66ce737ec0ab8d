// workers/domain/renewal.h: the change from one certificate to the next (life.md §4), as far as values alone say it: when a
// device is due for a new key, when its next certificate may be brought to it, and when the old one's TLSA may go.
// Spec: RFC 6698 §2.1.2 (what a record vouches for), RFC 7671 §8.1 (the new record stands beside the old one for a TTL
// before the new certificate is used).
// Pure, any thread.
#pragma once

#include "workers/domain/changeset.h"
#include "workers/domain/device_places.h"
#include "workers/domain/policy.h"

namespace registry::domain {

bool IsOf(const TlsaRecord& record, const IssuedCertificate& certificate);

// From this time on a new key is asked for: RenewalPolicy::from_percent of the certificate's time, and up to
// jitter_percent of it later, by a share that is the device's own for ever.
UtcTime RenewalDue(const DeviceId& device, const IssuedCertificate& certificate,
                   const CertificatePolicy& certificates, const RenewalPolicy& policy);
// Of the certificates that live no longer than policy says now, those that end later are not due before `now`. One that
// was issued to live longer is renewed when as little of its time is left as of a new one.
UtcTime EndOfThoseDue(const CertificatePolicy& certificates, const RenewalPolicy& policy, UtcTime now);

// Whether it can be due, as far as its end says: all that an index of ends knows.
bool MayBeDue(const DeviceBrief& device, const CertificatePolicy& certificates, const RenewalPolicy& policy,
              UtcTime now);

// Until then a resolver may still answer with what the zone held before the certificate was served. It must be served.
UtcTime KnownFrom(const Credential& credential, const RenewalPolicy& policy);
// What a payload made now brings: the next certificate once everybody knows it, else the live one. nullptr: none.
const Credential* ToBeCarried(const Device& device, const RenewalPolicy& policy, UtcTime now);
// The TLSA of those that retire may go then: a TTL after the live one took over, so who was about to check the old one
// still finds it. There must be a live one.
UtcTime WithdrawnFrom(const Device& device, const RenewalPolicy& policy);

}  // namespace registry::domain
