// bridge/zone/key_generate.h: a new key of one of the zone's algorithms, in a file that its owner alone may read.
// PEM, PKCS #8 (RFC 5208 §5, RFC 8410 §7), 0600. What is written passes through secret memory only (bridge/secret.h).
// Errors: "file_exists", "file_failed"; "zone_key_unsuitable" for an algorithm that OpenSSL makes no key of.
// Threads: any, one for each path.
#pragma once

#include <string>

#include "bridge/zone/algorithm.h"
#include "schemas/base/result.h"

namespace registry::zone {

Status CreateKeyFileOf(std::uint8_t algorithm, const std::string& path);

}  // namespace registry::zone
