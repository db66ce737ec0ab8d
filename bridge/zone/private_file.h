// bridge/zone/private_file.h: a file that holds a secret, opened only if nobody but its owner may touch it (design
// §5). Judged on the open descriptor, so that the file judged is the file read.
// Errors: what is wrong with it, for the caller to say in its own words. Threads: plain calls.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

namespace registry::zone {

using PrivateFile = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

enum class Privacy : std::uint8_t { kGood, kUnreadable, kExposed };

// `file` is open only after kGood.
Privacy OpenPrivate(const std::string& path, PrivateFile& file);

}  // namespace registry::zone
