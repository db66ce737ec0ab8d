// clients/verdict/tls_guard.h: a TLS server that lets nobody in but whom a ClientCheck accepts, decided inside the
// handshake: TLS 1.3 only, a client certificate demanded, dane_clientid asked for, the alert handshake_failure for whoever
// is refused.
// Owns: the verdict lives with its SSL object; `check` outlives the context and its connections.
// Threads: Guard before the first connection; handshakes from any thread. A handshake waits for the DNS when the answer is
//   not cached. A server with many clients on one thread had better accept without it and ask ClientCheck afterwards, as
//   asp-sim does.
// Errors: 2400 tls_refused.
// Resumption is switched off: a resumed session shows no certificate, so nobody would see that a device is deactivated.
// Spec: RFC 8446 §4.4.2, §2.2; draft-ietf-dance-client-auth-13 ("Changes to Client and Server Behavior").
#pragma once

#include <openssl/ssl.h>

#include "clients/verdict/client_check.h"

namespace registry::clients {

// For who judges after the handshake: a certificate of any kind will do, and dane_clientid is asked for. `verify_mode` is
// OpenSSL's: whether a client must have one.
Status TakeAnyClient(SSL_CTX* context, int verify_mode, unsigned identity_extension);
Status Guard(SSL_CTX* context, const ClientCheck& check, unsigned identity_extension);
// Null before the client's certificate has come.
const Judgement* JudgementIn(const SSL* connection);

}  // namespace registry::clients
