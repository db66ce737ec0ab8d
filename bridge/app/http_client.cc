#include "bridge/app/http_client.h"

#include <civetweb.h>

#include <array>

namespace registry::app {
namespace {

constexpr int kAnswerWithinMs = 3000;

}  // namespace

std::string Fetch(const std::string& address, std::uint16_t port, const std::string& path) {
  std::array<char, 256> why{};
  mg_init_library(0);
  mg_connection* const peer = mg_connect_client(address.c_str(), port, 0, why.data(), why.size());
  if (peer == nullptr) return {};
  std::string body;
  if (mg_printf(peer, "GET %s HTTP/1.0\r\n\r\n", path.c_str()) > 0 &&
      mg_get_response(peer, why.data(), why.size(), kAnswerWithinMs) >= 0) {
    std::array<char, 4096> part;
    for (int got = 0; (got = mg_read(peer, part.data(), part.size())) > 0;) {
      body.append(part.data(), static_cast<std::size_t>(got));
    }
  }
  mg_close_connection(peer);
  return body;
}

}  // namespace registry::app
