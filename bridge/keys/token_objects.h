// bridge/keys/token_objects.h: the objects of one key in a token: which they are, and what they say.
// Pure but for the token. Errors (2400): token_key, the message says why; key_unavailable.
#pragma once

#include "bridge/keys/token.h"

namespace registry::keys {

// The only one of that class with that label and id, where they are not empty.
Result<CK_OBJECT_HANDLE> FindOnly(Token::Lease& lease, const TokenUri& uri, CK_OBJECT_CLASS type);
// A private key on P-256 that may sign.
Status CheckPrivateKey(Token::Lease& lease, const TokenUri& uri, CK_OBJECT_HANDLE key);
// Of the public key that stands beside the private one: that with its CKA_ID. `key` 0: of the one that the URI names.
Result<Bytes> PointBeside(Token::Lease& lease, const TokenUri& uri, CK_OBJECT_HANDLE key);

// DER of secp256r1's OID, which is what CKA_EC_PARAMS says (RFC 5480 §2.1.1).
Bytes P256Params();

}  // namespace registry::keys
