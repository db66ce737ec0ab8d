// workers/crypto/trust_certificate.h: whether a certificate of an outsider can serve as what devices are told to trust: a
// CA, or the one certificate of a server. Judged by OpenSSL, as the device will; nothing here says that it is trusted.
// Pure, any thread.
#pragma once

#include <optional>
#include <string>

#include "schemas/base/bytes.h"
#include "schemas/base/utc_time.h"

namespace registry::crypto {

enum class TrustFault { kUnreadable, kNotYetValid, kExpired, kNoCa, kOtherName };

// RFC 5280 §4.2.1.9: basicConstraints says CA, and keyUsage keyCertSign where it is there.
std::optional<TrustFault> JudgeTrustedCa(const Bytes& der, UtcTime now);
// RFC 6125 §6.4: the host is among the subjectAltName's dNSNames; the subject's CN is not looked at.
std::optional<TrustFault> JudgeTrustedServer(const Bytes& der, const std::string& host, UtcTime now);

}  // namespace registry::crypto
