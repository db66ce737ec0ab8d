// simulators/crypto/narrow_openssl.h: fewer algorithms of OpenSSL, for a program that parses a certificate per session.
// OpenSSL 3.0 looks for the decoder of every public key anew, and for that it walks through every method it knows, of
// ciphers and digests too. That costs two signatures. Left are keys on EC curves, RSA, Ed25519 and Ed448, X25519 to agree
// on, and the ciphers, digests and key derivations of TLS 1.3, CMS and DNSSEC. Gone are DH, DSA, SM2 and X448.
// Owns: a library context with OpenSSL's default provider in it, for the life of the process.
// Threads: once, before the program's first use of OpenSSL; what was looked up before stays what it was.
// Errors: false when the default provider cannot be had; OpenSSL then stays as it was, which is slower and no less right.
// Spec: RFC 8446 §9.1 (what every TLS 1.3 has to offer), RFC 8624 §3.1 (what who validates DNSSEC has to know).
#pragma once

namespace registry::sim {

bool NarrowOpenssl();

}  // namespace registry::sim
