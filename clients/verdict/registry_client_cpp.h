// clients/verdict/registry_client_cpp.h: the C interface of registry_client.h for C++17 and later: an owner, and text
// instead of buffers. Installed as <registry/client.hpp>. Everything that registry_client.h says holds here.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#ifdef REGISTRY_CLIENT_INSTALLED
#include <registry/client.h>
#else
#include "clients/verdict/registry_client.h"
#endif

namespace registry_client_cpp {

struct Verdict {
  registry_verdict code = REGISTRY_FAILED;
  std::string device;  // empty when it could not be told
  bool accepted() const { return code == REGISTRY_ACCEPTED; }
  std::string symbol() const { return registry_verdict_symbol(code); }
};

class Client {
 public:
  // nullopt: the configuration cannot be used, and `why` says why.
  static std::optional<Client> OpenFile(const std::string& file, std::string& why) {
    char reason[512] = "";
    Client client(registry_client_open_file(file.c_str(), reason, sizeof reason));
    why = reason;
    return client.client_ ? std::optional(std::move(client)) : std::nullopt;
  }

  bool Guard(SSL_CTX* context) { return registry_client_guard(client_.get(), context) == 0; }
  static Verdict Of(const SSL* connection) {
    const char* const device = registry_client_device_of(connection);
    return {registry_client_verdict_of(connection), device != nullptr ? device : ""};
  }
  Verdict Judge(X509* certificate, const std::optional<std::string>& sent_name = std::nullopt) {
    char device[37] = "";
    const registry_verdict code =
        registry_client_judge(client_.get(), certificate, sent_name ? sent_name->c_str() : nullptr, device);
    return {code, device};
  }
  bool Claimed(const std::string& device) {
    return registry_client_claimed(client_.get(), device.c_str()) == 0;
  }
  // How many notifications about devices it held; nullopt: it cannot be read.
  std::optional<int> Hear(std::string_view payload) {
    const int heard = registry_client_hear(client_.get(), payload.data(), payload.size(), nullptr, nullptr);
    return heard >= 0 ? std::optional(heard) : std::nullopt;
  }
  std::string Metrics() const {
    std::string text(registry_client_metrics(client_.get(), nullptr, 0) + 256, '\0');
    text.resize(registry_client_metrics(client_.get(), text.data(), text.size()));
    return text;
  }

 private:
  struct Close {
    void operator()(registry_client* client) const { registry_client_close(client); }
  };
  explicit Client(registry_client* client) : client_(client) {}
  std::unique_ptr<registry_client, Close> client_;
};

}  // namespace registry_client_cpp
