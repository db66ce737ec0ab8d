// bridge/app/http.h: /metrics, /healthz and /readyz over plain HTTP, for the operator's own network.
// Owns: two server threads. Pages are called on them, from any of them. GET and HEAD only; nothing is read
//   from requests.
// Errors: http_failed when the address is taken. Limits: two requests at a time, 5 s each.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "schemas/base/result.h"

namespace registry::app {

struct Page {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
};

class HttpServer {
 public:
  using Pages = std::map<std::string, std::function<Page()>>;  // by path

  // Port 0 takes any free one.
  static Result<std::unique_ptr<HttpServer>> Start(const std::string& address, std::uint16_t port,
                                                   Pages pages);
  virtual ~HttpServer() = default;  // stops
  virtual std::uint16_t port() const = 0;
};

}  // namespace registry::app
