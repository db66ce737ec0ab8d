// bridge/signing/file_write.h: files that are either the old ones or the new ones, also after a power cut.
// Threads: any, one writer per path. Errors (2400): file_exists, file_failed (message: path and errno's
// sentence).
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "schemas/base/result.h"

namespace registry::signing {

// Writes beside `path`, fsyncs, renames over it, fsyncs the folder. Readers see one whole version, always.
Status ReplaceFile(const std::string& path, std::string_view content, mode_t mode);

// Creates `path`; refuses one that exists. Nobody but the owner can open it even for the moment of its
// writing.
Status CreateFile(const std::string& path, std::string_view content, mode_t mode);

// The same of 32 random octets, as long as HMAC-SHA-256's output (RFC 8945 §6), in a line of base64 that the owner alone
// may read.
Status CreateSecretFile(const std::string& path);

// The parts of it, for whoever keeps a file open. False with errno.
bool WriteAll(int fd, std::string_view content);
bool SyncFolder(const std::string& folder);  // names given or taken away in it last from then on
bool SyncFolderOf(const std::string& path);  // the folder that holds it

}  // namespace registry::signing
