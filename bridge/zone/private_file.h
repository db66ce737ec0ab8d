// bridge/zone/private_file.h: a file that holds a secret, opened only if nobody but its owner may touch it (design
// §5). Judged on the open descriptor, so that the file judged is the file read. Errors: the caller's two symbols.
// Threads: plain calls.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "schemas/base/result.h"

namespace registry::zone {

using PrivateFile = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

struct PrivateFileErrors {
  const char* what;        // "the zone key"
  const char* unreadable;  // symbols
  const char* exposed;
};

Result<PrivateFile> OpenPrivate(const std::string& path, const PrivateFileErrors& errors);

}  // namespace registry::zone
