// workers/crypto/certificate.h: whether octets of an outsider have the form of a certificate (RFC 5280 §4.1).
// Form only, and only as deep as needed to tell a Certificate from everything else a CA key signs; it says
// nothing of what the certificate certifies. Owns nothing. Pure, any thread.
#pragma once

#include "workers/crypto/der_reader.h"

namespace registry::crypto {

// One SEQUENCE with nothing behind it, holding exactly {SEQUENCE that begins with [0]{INTEGER 2} (version 3),
// SEQUENCE, BIT STRING}. A TBSCertificate (begins with [0]), a TBSCertList (its first SEQUENCE is an
// AlgorithmIdentifier), CMS signed attributes (a SET) and JSON never have this form.
bool HasCertificateForm(OctetView octets);

}  // namespace registry::crypto
