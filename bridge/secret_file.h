// bridge/secret_file.h: the one way in which a file that holds a secret is read: a regular file of the user this process
// runs as, that nobody else may read or write. Judged on the open descriptor, so that the file judged is the file read.
// Errors: which kind, and a sentence that begins with the path and says what to do. Threads: any.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "bridge/secret.h"

namespace registry {

enum class SecretTrouble : std::uint8_t { kNone, kMissing, kNoFile, kOwner, kExposed, kTooLarge };

struct SecretRead {
  SecretTrouble trouble = SecretTrouble::kNone;
  std::string why;
  Secret secret;  // complete when there is no trouble
  bool ok() const { return trouble == SecretTrouble::kNone; }
};

SecretRead ReadSecret(const std::string& path, std::size_t octets_max);
// Of what is public in such a file (the point of a zone's key, say), for whoever may read it.
SecretRead ReadUnjudged(const std::string& path, std::size_t octets_max);

// "… belongs to user id 7: …", with the way out: whoever is root becomes that user, whose other files it would spoil
// otherwise; whoever is not gets root's file given.
std::string WrongOwner(const std::string& path, uid_t owner);

}  // namespace registry
