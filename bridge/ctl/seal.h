// bridge/ctl/seal.h: files that only one reader can open: CMS AuthEnvelopedData (RFC 5083) with AES-256-GCM (RFC 5084), in
// DER or BER, to a certificate (RSA or EC) or under a passphrase (RFC 3211, PBKDF2). `openssl cms -decrypt -binary -inform
// DER` opens them, too. Nobody has signed them: who made a backup is known by where it comes from.
// Threads: one. Errors (2400): file_failed; recipient_invalid, passphrase_invalid, seal_failed.
// Limits: a file is opened in memory. An empty file stays one. A passphrase has kPassphraseMin octets or more; it is the
//   first line of a file of one's own that nobody else can read.
#pragma once

#include <memory>
#include <string>

#include "bridge/secret.h"
#include "schemas/base/result.h"

namespace registry::ctl {

inline constexpr std::size_t kPassphraseMin = 12;

class Seal {
 public:
  static Result<std::unique_ptr<Seal>> ToCertificate(const std::string& pem_file);
  static Result<std::unique_ptr<Seal>> UnderPassphrase(const std::string& file);
  virtual ~Seal() = default;
  virtual std::string kind() const = 0;  // "certificate", "passphrase"
  virtual Result<std::string> Close(std::string_view content) const = 0;
  virtual Status CloseFile(const std::string& from, const std::string& to) const = 0;  // a new file, synced
};

class Opener {
 public:
  static Result<std::unique_ptr<Opener>> WithKey(const std::string& pem_file);
  static Result<std::unique_ptr<Opener>> WithPassphrase(const std::string& file);
  virtual ~Opener() = default;
  // seal_failed: it is for another reader, or not what was sealed.
  virtual Result<std::string> Open(const std::string& sealed_file) const = 0;
  virtual Status OpenFile(const std::string& from, const std::string& to) const = 0;  // a new file, synced
};

}  // namespace registry::ctl
