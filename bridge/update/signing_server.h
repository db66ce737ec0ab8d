// bridge/update/signing_server.h: the operator's server that holds the zone and signs it: what it serves, and changes
//   to it.
// Threads: one. Every call has a deadline.
// Errors: zone_update_failed, with the reason in words for an operator: unreachable, RCODE, no authority. Nothing is
//   lost by one: whoever called looks and asks again. A change whose prerequisites do not hold (YXDOMAIN, NXDOMAIN,
//   YXRRSET, NXRRSET) or that the server takes no part of is no error but Outcome::kRefused. A name that it has no
//   authority for (a delegation), or that it answers with an RCODE, is no error either, but Seen::refusal, as long as it
//   answers for the zone itself.
// Signed: with an RRSIG that has not expired.
// Spec: RFC 2136 §3.8, RFC 4034 §3.1.5, RFC 4035 §3.1.1 (DO brings the RRSIGs).
#pragma once

#include "bridge/update/device_records.h"
#include "bridge/update/dialogue.h"
#include "bridge/update/update_message.h"

namespace registry::update {

struct Version {
  std::uint32_t serial = 0;
  std::int64_t signed_until = 0;  // when the SOA's RRSIG expires, Unix time; 0: it has none
};

class SigningServer {
 public:
  enum class Outcome { kDone, kRefused };

  SigningServer(zone::Name zone, Dialogue dialogue)
      : zone_(std::move(zone)), dialogue_(std::move(dialogue)) {}

  Result<Version> AskVersion();
  // One for each name, in order.
  Result<std::vector<Seen>> Look(const std::vector<zone::Name>& names);
  Result<Outcome> Change(const UpdateMessage& message, std::string& refusal);

  bool with_former_key() const { return dialogue_.with_former_key(); }

 private:
  const zone::Name zone_;
  Dialogue dialogue_;
};

}  // namespace registry::update
