// simulators/lab/static_zone.h: small zones that do not change while the lab runs (the lab's root, one per
// ASP), signed once by ldns-keygen and ldns-signzone, so that the chain of trust down to the registry's zone
// is a real one. Errors: "command_failed" with what the tool said. Any thread.
#pragma once

#include <string>
#include <vector>

#include "schemas/base/result.h"

namespace registry::lab {

struct SignedZone {
  std::string name;    // without the trailing dot, "" for the root
  std::string file;    // signed, master file format
  std::string ds;      // of the KSK, presentation form, RFC 4034 §5.3
  std::string dnskey;  // of the KSK
};

// `records` are lines of a master file besides SOA and NS, names written in full with the trailing dot.
Result<SignedZone> SignZone(const std::string& folder, const std::string& name,
                            const std::vector<std::string>& records);

}  // namespace registry::lab
