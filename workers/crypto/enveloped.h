// workers/crypto/enveloped.h: whether octets of an outsider are a CMS that is encrypted to somebody. Judged by OpenSSL, as
// the device that opens it will; for whom it is and what is in it cannot be seen. Pure, any thread.
#pragma once

#include "schemas/base/bytes.h"

namespace registry::crypto {

// One ContentInfo and nothing behind it: EnvelopedData (RFC 5652 §6) or AuthEnvelopedData (RFC 5083 §2).
bool IsEnveloped(const Bytes& der);

}  // namespace registry::crypto
