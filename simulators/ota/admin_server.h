// simulators/ota/admin_server.h: the operator's end of HTTP sessions: cards come, are known by their pre-shared keys, and
// fetch one command script after the other until there is none.
//   POST /ota                        200, script 1, X-Admin-Next-URI: /ota/1      or 204: there is nothing
//   POST /ota/1, the card's answer   200, script 2, X-Admin-Next-URI: /ota/2      or 204: it is over
// A card whose session broke off says its last answer again (X-Admin-Resume: true): an answer that had come in already gets
//   the script that followed it, so that nothing is carried out twice; one that is not known begins anew.
// Owns: the listening socket, and kThreads threads `ota-http`, each with one session at a time. The platform outlives it.
// Threads: Open and the destructor from one; the platform is called on those threads.
// Fault model: break_off, from a seed: the connection ends before or after an answer is said.
// Errors: Open: 2400 no_socket. A request that is none gets 400, and its connection ends.
// Limits: kThreads sessions at a time, more wait; kSessionMost for each.
// Spec: GlobalPlatform Amendment B §3 (RAM over HTTP); ETSI TS 102 226 §5.2 (scripts).
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "schemas/base/result.h"
#include "simulators/ota/script.h"

namespace registry::sim::ota {

class AdminPlatform {
 public:
  virtual ~AdminPlatform() = default;
  virtual std::optional<Bytes> PskOf(const std::string& identity) = 0;
  // platform.h, Poll.
  virtual std::optional<Script> Poll(const std::string& identity,
                                     const std::optional<ScriptAnswer>& answer) = 0;
};

inline constexpr const char* kAdminProtocol = "globalplatform-remote-admin/1.0";
inline constexpr const char* kAdminUri = "/ota";
inline constexpr std::chrono::milliseconds kSessionMost{10000};

class AdminServer {
 public:
  static constexpr std::size_t kThreads = 4;
  struct Options {
    double break_off = 0;  // probability per answer
    std::uint64_t seed = 1;
  };
  virtual ~AdminServer() = default;
  static Result<std::unique_ptr<AdminServer>> Open(const std::string& socket_path, AdminPlatform& platform,
                                                   const Options& options);
};

}  // namespace registry::sim::ota
