// bridge/app/http.h: a small HTTP server for the operator's own network: the pages /metrics, /healthz and /readyz in plain
// HTTP, and the console with its stream of events, in TLS where it is asked for (http_tls.h).
// Owns: a server thread, one per page, on which it is made, and one for all that is made for each who asks. GET and HEAD
//   only; nothing but method, path, query and Host is read from a request; one request a connection.
// Errors: http_failed when the address is taken. Out of file descriptors: said once a minute, and the connections that wait
//   are looked at again a second later.
// Limits: kHttpConnectionsMax; when they are all taken the oldest one that has not asked yet, or
//   has been answered, gives way, so that whoever
//   opens many and asks nothing keeps no probe waiting. 5 s for a request to be whole, for its page, for each part of the
//   answer to be taken. kHttpStreamsMax streams; one that takes nothing for 5 s ends,
//   and so does, within some seconds, one whose peer would not be let in any more (HttpSite::refuse, HttpTls).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "bridge/log_line.h"
#include "schemas/base/result.h"

namespace registry::app {

inline constexpr std::size_t kHttpConnectionsMax = 64, kHttpStreamsMax = 16;

struct Page {
  int status = 200;
  std::string content_type = "application/json";
  std::string body{};
  std::string headers{};  // further ones, each with its CRLF
};

struct HttpRequest {
  int status = 200;  // or the one to refuse it with
  std::string path;  // without its query
  bool head_only = false;
  std::string query{}, host{};  // as they came
  bool in_tls = false;
  std::string peer{};  // the common name of the certificate it came under; empty in plain HTTP
};

class HttpTls;

struct HttpSite {
  using Asked = std::function<Page(const HttpRequest&)>;
  std::map<std::string, std::function<Page()>> pages;  // by path; each made once for all who ask meanwhile
  // Judges a request before anything is made of it: a page that refuses it. On the server's thread: it waits for nothing.
  std::function<std::optional<Page>(const HttpRequest&)> refuse = {};
  Asked asked = {};         // what is none of the pages, one after the other; without it, 404
  std::string stream = {};  // path of the stream (HTML §9.2, server-sent events); empty: there is none
  std::string stream_headers = {};
  std::shared_ptr<const HttpTls> tls = nullptr;  // null: plain HTTP
};

class HttpServer {
 public:
  using Pages = std::map<std::string, std::function<Page()>>;  // by path
  // Port 0 takes any free one. `log` is called on the server's thread.
  static Result<std::unique_ptr<HttpServer>> Start(const std::string& address, std::uint16_t port,
                                                   const Pages& pages, LogLine log = {});
  static Result<std::unique_ptr<HttpServer>> Serve(const std::string& address, std::uint16_t port,
                                                   HttpSite site, LogLine log = {});
  virtual ~HttpServer() = default;  // stops, waiting for no peer
  virtual std::uint16_t port() const = 0;
  // Says it to every stream that is open then. Any thread.
  virtual void Say(std::string text) = 0;
};

}  // namespace registry::app
