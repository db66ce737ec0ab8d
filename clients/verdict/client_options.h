// clients/verdict/client_options.h: the configuration of the client library: `key = value` a line, `#` before a comment,
// `zone` more than once. The keys are the same in a file, in mosquitto.conf (plugin_opt_<key>) and in the C interface;
// README.md beside this file says what each is for.
// Owns: nothing; Ready reads the files it names, once. Threads: any.
// Errors: 2005 config_malformed, naming the key or the line.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "clients/dane/resolver.h"
#include "clients/verdict/client_check.h"
#include "clients/verdict/client_identity.h"

namespace registry::clients {

struct ClientOptions {
  ClientCheck::Trust trust;
  ResolverTrust resolver;
  CheckOptions check{Freshness::kCached, NameFrom::kExtension, 65536, Whose::kOwn};
  unsigned identity_extension = kDefaultIdentityExtension;
  std::string party;        // the ASP's own name
  std::string claims_file;  // its devices, one id a line
};

class OptionReader {
 public:
  // Surrounding blanks do not matter.
  Status Set(std::string_view key, std::string_view value);
  Status SetLine(std::string_view line);  // "key = value", or nothing
  Status SetFile(const std::string& file);
  // All of it; names what is missing. Relative file names are the process's.
  Result<ClientOptions> Ready() &&;

 private:
  ClientOptions options_;
  std::string root_file_, issuing_file_, pin_, resolver_certificate_file_, anchor_file_;
};

// A whole file: SetFile and Ready.
Result<ClientOptions> ReadOptions(const std::string& file);
// What the options describe. `own` null: whose the devices are is not asked.
Result<std::unique_ptr<ClientCheck>> OpenCheck(const ClientOptions& options, const OwnDevices* own);
// One device id a line, `#` before a comment. config_malformed: a line that is none.
Result<std::set<std::string>> ReadClaims(const std::string& file);

}  // namespace registry::clients
