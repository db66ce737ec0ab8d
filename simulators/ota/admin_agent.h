// simulators/ota/admin_agent.h: the card's end of an HTTP session (admin_server.h): its administration agent. It remembers
// its last answer, and says it again when a session broke off.
// Owns: nothing; the card's agent outlives it. Threads: one at a time, the card's. Waiting: up to the deadline.
// Errors: session_broken, the other end did not come to an end; a later Run goes on there.
// Spec: GlobalPlatform Amendment B §3. A card retries by itself, `tries_most` times, and then waits to be asked again.
#pragma once

#include "schemas/base/result.h"
#include "simulators/ota/admin_server.h"
#include "simulators/ota/card_agent.h"

namespace registry::sim::ota {

class PskStream;
struct HttpMessage;

class AdminAgent {
 public:
  AdminAgent(CardAgent& card, std::string identity) : card_(card), identity_(std::move(identity)) {}
  Status Run(const std::string& socket_path, std::chrono::milliseconds deadline, int tries_most = 3);

 private:
  bool Try(const std::string& socket_path, std::chrono::milliseconds deadline);
  bool Converse(PskStream& stream);
  HttpMessage Request(bool resumes) const;

  CardAgent& card_;
  const std::string identity_;
  std::string next_uri_;  // empty: it begins
  Bytes answer_;          // to what came from there
};

}  // namespace registry::sim::ota
