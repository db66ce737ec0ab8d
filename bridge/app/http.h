// bridge/app/http.h: /metrics, /healthz and /readyz over plain HTTP, for the operator's own network.
// Owns: a server thread, and one per page, on which it is made. GET and HEAD only; nothing but method and path is read
//   from a request; one request a connection.
// Errors: http_failed when the address is taken. Out of file descriptors: said once a minute, and the connections that wait
//   are looked at again a second later.
// Limits: kHttpConnectionsMax; when they are all taken the oldest one that has not asked yet, or
//   has been answered, gives way, so that whoever
//   opens many and asks nothing keeps no probe waiting. 5 s for a request to be whole, for its page, for each part of the
//   answer to be taken.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "bridge/log_line.h"
#include "schemas/base/result.h"

namespace registry::app {

inline constexpr std::size_t kHttpConnectionsMax = 64;

struct Page {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
};

class HttpServer {
 public:
  using Pages = std::map<std::string, std::function<Page()>>;  // by path
  // Port 0 takes any free one. `log` is called on the server's thread.
  static Result<std::unique_ptr<HttpServer>> Start(const std::string& address, std::uint16_t port,
                                                   const Pages& pages, LogLine log = {});
  virtual ~HttpServer() = default;  // stops, waiting for no peer
  virtual std::uint16_t port() const = 0;
};

}  // namespace registry::app
