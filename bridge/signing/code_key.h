// bridge/signing/code_key.h: the key under which authorisation codes are computed (workers/lifecycle/code_text.h), and what
// is derived from it: 32 octets, a line of base64 in a file that only its owner may touch. It is not the codes: a device's
// record has their hashes, so codes that were told stay valid under another key. What needs the same key again are
// repeated replies, and what the intake holds. file_write.h makes such a file.
// Threads: any. Errors (2400): code_key_unreadable, code_key_exposed, code_key_invalid.
#pragma once

#include <string>
#include <string_view>

#include "bridge/secret.h"
#include "schemas/base/result.h"

namespace registry::signing {

Result<Secret> LoadCodeKey(const std::string& file);
// Another key of the same size, from which this one cannot be told; the same for the same use each time.
Bytes DerivedKey(const Secret& key, std::string_view use);

}  // namespace registry::signing
