// simulators/lab/one_device.h: what an active device has, as the registry and the DNS say: name, certificate, TLSA record,
// and whether the resolver could validate it.
// Threads: any; two programs are run for it (registryctl, dig), each with a deadline.
// Errors: what could not be had is said in its place.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "schemas/base/result.h"
#include "simulators/lab/layout.h"

namespace registry::lab {

// What `dig` printed for a TLSA question.
struct ShownTlsa {
  std::string record;      // "3 0 1 98FC…", empty without one
  bool validated = false;  // RFC 4035 §3.2.3: the AD bit
};
ShownTlsa TlsaOf(const std::string& dig);

// Lines of a name and what it is, in this order: "name", "certificate", "TLSA", "DNSSEC".
using Described = std::vector<std::pair<std::string, std::string>>;
Described DescribeDevice(const Layout& layout, const std::string& program_folder, const std::string& device);

}  // namespace registry::lab
