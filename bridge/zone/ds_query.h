// bridge/zone/ds_query.h: asks one name server, over TCP, which DS set the parent publishes for the zone.
// Over TCP, because nobody off the path can put an answer into it; what comes is not validated. Ask the parent's own
// servers, or a validating resolver.
// Errors: "zone_address_invalid", "zone_socket_failed" with the system's reason, "zone_parent_failed" for an answer that
// says nothing: another RCODE than NOERROR, or octets that are no answer to the question.
// Threads: any; waits at most `deadline`, and ends early when `stopping` says so (asked every 100 ms).
// Spec: RFC 4034 §5.1, RFC 7766 §8.
#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "bridge/zone/wire.h"
#include "schemas/base/result.h"

namespace registry::zone {

struct ParentAddress {
  std::string address;  // IP address
  std::uint16_t port = 53;
};

struct DsAnswer {
  std::vector<Bytes> rdatas;  // empty: there is no DS
  std::uint32_t ttl = 0;      // the longest of them, seconds
};

Result<DsAnswer> AskDs(const ParentAddress& server, const Name& zone, std::chrono::milliseconds deadline,
                       const std::function<bool()>& stopping);
// Of the answer's octets, without the length in front.
Result<DsAnswer> DsAnswerFrom(View octets, std::uint16_t id, const Name& zone);

}  // namespace registry::zone
