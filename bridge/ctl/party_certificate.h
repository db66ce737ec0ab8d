// bridge/ctl/party_certificate.h: a party's certificate by the interface CA, with a key that is made here or with that
// of the party's own request (bridge/signing/party_request.h). What is made is recorded before it is written anywhere.
// Threads: one at a time per folder (folder_lock.h). Errors (2400): party_name, party_request, file_exists, those of
//   interface_ca.h and bridge/signing.
#pragma once

#include <string>

#include "bridge/ctl/interface_ca.h"

namespace registry::ctl {

struct PartyIdentity {
  std::string name;
  std::string request;  // file; empty: a key is made
  UtcTime now;
};
// `stem` of the files, below the folder `interface`: STEM.pem and, unless the party has its key, STEM.key. A key that is
// there already is the one that is certified.
Status IssueToParty(const std::string& interface, const std::string& stem, const signing::Authority& ca,
                    const PartyIdentity& party);

}  // namespace registry::ctl
