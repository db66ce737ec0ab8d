// clients/verdict/client_identity.h: the TLS extension dane_clientid: a client's name, sent by the client, under which its
// server looks for the TLSA record. TLS 1.3 only: the server asks in CertificateRequest, the client answers in Certificate.
// IANA has not given the extension a number yet, so both ends are told one; the draft's is "TBD".
// Owns: what a connection was told lives with its SSL object. Threads: set up before the first connection; what a connection
//   was told, on its thread.
// Errors: 2005 identity_malformed (a name that cannot be sent), 2400 tls_refused (OpenSSL takes no such extension).
// Spec: draft-ietf-dance-client-auth-13, "TLS DANE Client Identity Extension" (opaque ClientName<0..2^8-1>); RFC 8446 §4.2,
//   §4.4.2.
#pragma once

#include <openssl/ssl.h>

#include <optional>
#include <string>

#include "schemas/base/result.h"

namespace registry::clients {

// RFC 8446 §11: from 0xff00 on numbers are for private use. This one is the registry's choice until IANA's.
inline constexpr unsigned kDefaultIdentityExtension = 0xff5a;

// A server: every CertificateRequest asks for the name.
Status AskForIdentity(SSL_CTX* context, unsigned extension);
// What this connection's client sent; empty text: it sent a zero-length name. nullopt: it sent no such extension.
std::optional<std::string> IdentitySent(const SSL* connection);
// A client: `name` goes with its certificate, to servers that ask for it. It is copied.
Status SendIdentity(SSL_CTX* context, unsigned extension, const std::string& name);
// Clients of many names over one context: a connection of it sends the name that it was given before its handshake, and none
// without one.
Status OfferIdentity(SSL_CTX* context, unsigned extension);
Status GiveIdentity(SSL* connection, const std::string& name);

}  // namespace registry::clients
