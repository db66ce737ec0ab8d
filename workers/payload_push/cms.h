// workers/payload_push/cms.h: the two CMS layers around a registry payload; schemas/PAYLOAD.md is the format's page.
//   inner: AuthEnvelopedData (RFC 5083, 5084), one KeyAgreeRecipientInfo named by key identifier (RFC 5652 §6.2.2),
//          dhSinglePass-stdDH-sha256kdf with AES-128 key wrap (RFC 5753 §7.1.4), AES-128-GCM;
//   outer: SignedData (RFC 5652 §5), signer named by key identifier, no certificates, signed attributes.
// Written in DER here rather than by OpenSSL's CMS code: that wants a certificate for the recipient and the signer's
// private key in the process, and takes three times the CPU. OpenSSL's CMS is the judge in the tests.
// Secrets (content key, ephemeral key, nonce) come from OpenSSL's generator, never from the Context: a seeded source that
// makes decisions repeatable must not make keys repeatable. Any thread. Errors: 2400 payload_failed; the signer's own.
#pragma once

#include "workers/domain/decision.h"

namespace registry::payload_push {

// DER ContentInfo of AuthEnvelopedData. `recipient` is an uncompressed P-256 point.
Result<Bytes> Encrypt(const Bytes& content, const Bytes& recipient);

// DER ContentInfo of SignedData with eContentType id-data over `content`.
Result<Bytes> SignContent(const Bytes& content, const domain::Signer& signer, UtcTime signing_time);

}  // namespace registry::payload_push
