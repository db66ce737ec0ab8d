#include "bridge/app/http.h"

#include <civetweb.h>

namespace registry::app {
namespace {

const char* Sentence(int status) {
  return status == 200 ? "OK" : status == 405 ? "Method Not Allowed" : "Service Unavailable";
}

void Send(mg_connection* connection, const Page& page, bool with_body) {
  const std::string head = "HTTP/1.1 " + std::to_string(page.status) + " " + Sentence(page.status) +
                           "\r\nContent-Type: " + page.content_type +
                           "\r\nContent-Length: " + std::to_string(page.body.size()) +
                           "\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n";
  mg_write(connection, head.data(), head.size());
  if (with_body) mg_write(connection, page.body.data(), page.body.size());
}

int Answer(mg_connection* connection, void* context) {
  const auto& page_of = *static_cast<const std::function<Page()>*>(context);
  const std::string method = mg_get_request_info(connection)->request_method;
  Page page{405, "text/plain", "GET or HEAD\n"};
  if (method == "GET" || method == "HEAD") page = page_of();
  Send(connection, page, method != "HEAD");
  return page.status;
}

class CivetServer : public HttpServer {
 public:
  explicit CivetServer(Pages pages) : pages_(std::move(pages)) {}
  ~CivetServer() override {
    if (context_ != nullptr) mg_stop(context_);
  }

  Status Listen(const std::string& address, std::uint16_t port) {
    const bool v6 = address.find(':') != std::string::npos;
    const std::string where = (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
    const char* options[] = {"listening_ports",    where.c_str(), "num_threads", "2",
                             "request_timeout_ms", "5000",        nullptr};
    mg_callbacks callbacks{};
    callbacks.log_message = [](const mg_connection*, const char*) {
      return 1;
    };  // failures are returned below
    mg_init_library(0);
    context_ = mg_start(&callbacks, nullptr, options);
    mg_server_port bound{};
    if (context_ == nullptr || mg_get_server_ports(context_, 1, &bound) != 1) {
      return Error::Make(Code::kFailed, "http_failed", "cannot listen for HTTP on " + where);
    }
    port_ = static_cast<std::uint16_t>(bound.port);
    for (auto& [path, page] : pages_) mg_set_request_handler(context_, (path + "$").c_str(), Answer, &page);
    return Done{};
  }

  std::uint16_t port() const override { return port_; }

 private:
  Pages pages_;
  mg_context* context_ = nullptr;
  std::uint16_t port_ = 0;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::Start(const std::string& address, std::uint16_t port,
                                                      Pages pages) {
  auto server = std::make_unique<CivetServer>(std::move(pages));
  if (auto listening = server->Listen(address, port); !listening) return listening.error();
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace registry::app
