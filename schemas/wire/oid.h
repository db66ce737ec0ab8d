// schemas/wire/oid.h: object identifiers both sides of a CSR must agree on.
// 2.25.<UUID> needs no registration (ITU-T X.667 §7); the UUID is 6f0d6a1e-5b0e-4c0b-9d5e-2f6c1f2b7a10.
#pragma once

namespace registry::wire {

// CSR attribute or requested extension whose value is the SubjectPublicKeyInfo of the applet's key-agreement
// key.
inline constexpr const char* kAgreementKeyOid = "2.25.147613959731729897125811988377786612240";

}  // namespace registry::wire
