// bridge/ctl/ca_life.h: an issuing CA whose certificate is signed elsewhere, by a root that is offline.
//   RequestIssuing   pki/issuing-NAME.key (unless the key is in a token) and pki/issuing-NAME.csr
//   InstallIssuing   pki/issuing-NAME.pem, pki/crl-NAME.pem; registry.toml names them from now on, and the pair before it as
//                    [[former_issuing]]: what it has certified goes on (roll-over)
// Nothing is overwritten: what was named before stays where it is, for the way back. Installing changes registry.toml last
// and in one step (file_write.h), so that a start finds the old pair or the new one.
// Threads: any; whoever else changes the folder is waited for (folder_lock.h). Errors (2400): folder_locked, file_exists,
// file_failed, config_invalid, name_invalid, certificate_file_invalid, key_mismatch, chain_invalid, and those of keys.
#pragma once

#include <string>

#include "schemas/base/result.h"
#include "schemas/base/utc_time.h"

namespace registry::ctl {

struct IssuingRequest {
  std::string folder;
  std::string name;  // of the files, and the last word of the CA's
  std::string key;   // the URI of a key in a token; empty: a new key file
};
struct IssuingRequested {
  std::string request, key;  // files, or the URI
};
Result<IssuingRequested> RequestIssuing(const IssuingRequest& options);
// `certificate`: a PEM file, the answer to that request.
Status InstallIssuing(const IssuingRequest& options, const std::string& certificate, UtcTime now);

}  // namespace registry::ctl
