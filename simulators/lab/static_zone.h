// simulators/lab/static_zone.h: small zones whose records do not change while the lab runs (root, top-level domain, one
// per ASP), signed by ldns-keygen and ldns-signzone, so that the chain of trust down to the registry's zone is a real one.
// Errors: "command_failed" with what the tool said. Any thread.
#pragma once

#include <string>
#include <vector>

#include "schemas/base/result.h"

namespace registry::lab {

struct KeySigningKey {
  std::string stem;    // of its files in the zone's folder
  std::string ds;      // presentation form, RFC 4034 §5.3
  std::string dnskey;  // likewise
};

struct SignedZone {
  std::string name;    // without the trailing dot, "" for the root
  std::string file;    // signed, master file format
  std::string ds;      // of the KSK it was signed with first
  std::string dnskey;  // of the same
  KeySigningKey ksk = {};
  std::string zsk = {};  // stem
};

// `records` are lines of a master file besides SOA and NS, names written in full with the trailing dot.
Result<SignedZone> SignZone(const std::string& folder, const std::string& name,
                            const std::vector<std::string>& records);

// A key of a zone that is signed already. The zone does not have it before SignAgain.
Result<KeySigningKey> MakeKeySigningKey(const std::string& folder, const std::string& zone);
// The zone's file made anew, in its place: these KSKs, at least one, are its DNSKEY set beside the ZSK, and each signs it. A
// server reads it when it starts.
Status SignAgain(const SignedZone& zone, const std::vector<KeySigningKey>& ksks);

}  // namespace registry::lab
