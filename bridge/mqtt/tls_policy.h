// bridge/mqtt/tls_policy.h: TLS 1.3 or nothing, for every TLS context this process makes from now on (design
// §3). Paho C 1.3.12 can ask for "1.2" or "whatever OpenSSL has", not for "at least 1.3", so the rule is set
// one level below: in OpenSSL's own configuration, from memory, which SSL_CTX_new reads (config(5), "SSL
// Configuration"). The registry makes no other TLS contexts.
// Threads: any; the first call does the work. Errors: tls_policy when OpenSSL refuses.
#pragma once

#include "schemas/base/result.h"

namespace registry::mqtt {

Status RequireTls13();

}  // namespace registry::mqtt
