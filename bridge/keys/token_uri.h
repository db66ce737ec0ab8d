// bridge/keys/token_uri.h: the name of a key in a token, as RFC 7512 writes it, and the PIN that it points to.
//   pkcs11:token=registry;object=issuing?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/registry/pin
// Needed: module-path (an absolute path), `object` or `id`. Any of the token's and the slot's attributes may narrow down
// which token. pin-source is "file:" and an absolute path, or "credential:" and the name of a credential that the service
// manager hands over (systemd.exec(5), $CREDENTIALS_DIRECTORY). pin-value is refused: a PIN in a configuration is
// told to everybody who sees it.
// Plain value, any thread. Errors (2400): key_uri_invalid; token_pin. No message holds a PIN.
#pragma once

#include <memory>
#include <string>

#include "bridge/secret.h"
#include "schemas/base/bytes.h"
#include "schemas/base/result.h"

struct p11_kit_uri;  // p11-kit's; its headers stay out of this one

namespace registry::keys {

struct TokenUri {
  std::string token;  // "pkcs11:token=registry": the token's part alone, for people
  std::string module_path;
  std::string pin_source;  // as written, decoded; empty: none
  std::string object;      // CKA_LABEL, empty: any
  Bytes id;                // CKA_ID, empty: any
  std::shared_ptr<p11_kit_uri> parsed;

  std::string KeyText() const;  // "label 'issuing', id 01"
};

Result<TokenUri> ParseTokenUri(const std::string& text);
Result<Secret> ReadPin(const TokenUri& uri);

}  // namespace registry::keys
