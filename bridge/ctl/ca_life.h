// bridge/ctl/ca_life.h: an issuing CA whose certificate is signed elsewhere, by a root that is offline, and the roll-over to
// it, with its TLSA record published before it signs (RFC 7671 §8.1, RFC 7583 §3.2.1; bridge/app/coming_ca.h).
//   RequestIssuing   pki/issuing-NAME.key (unless the key is in a token) and pki/issuing-NAME.csr
//   InstallIssuing   pki/issuing-NAME.pem; registry.toml names it under [[coming_issuing]]: the next start publishes it
//   SwitchIssuing    pki/crl-NAME.pem; registry.toml names it under [pki] from now on, and the pair before it as
//                    [[former_issuing]]: what that one has certified goes on
// Nothing is overwritten: what was named before stays where it is, for the way back. registry.toml is changed last and in
// one step (file_write.h), so that a start finds it as it was or as it is to be.
// Threads: any; whoever else changes the folder is waited for (folder_lock.h). Errors (2400): folder_locked, file_exists,
// file_failed, config_invalid, name_invalid, certificate_file_invalid, key_mismatch, chain_invalid, ca_missing, ca_too_early
// (also where it is not known when), ca_times_invalid, and those of keys.
#pragma once

#include <string>

#include "bridge/app/coming_ca.h"
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
struct IssuingSwitch {
  std::string folder, name;
  bool force = false;  // also too early
};
// What goes wrong because it was too early; empty: nothing does.
Result<std::string> SwitchIssuing(const IssuingSwitch& options, UtcTime now);
// Why a coming CA may not sign yet, and what to do; empty: it may.
std::string TooEarly(const app::Config& config, const app::SignFrom& from, UtcTime now);

}  // namespace registry::ctl
