#include "simulators/asp/tls_channel.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace registry::sim {

TlsChannel::TlsChannel(SSL_CTX* context, int socket) : socket_(socket), ssl_(SSL_new(context)) {
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(socket_, F_SETFL, O_NONBLOCK);
  SSL_set_fd(ssl_, socket_);
}

TlsChannel::~TlsChannel() {
  SSL_free(ssl_);
  close(socket_);
}

template <class Step>
int TlsChannel::Drive(Step step) {
  while (true) {
    ERR_clear_error();
    const int result = step();
    if (result > 0) return result;
    const int error = SSL_get_error(ssl_, result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
      const int why = ERR_GET_REASON(ERR_peek_last_error());
      reason_ = why == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE ? "certificate_required" : "connection_failed";
      return -1;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
    pollfd wait{socket_, static_cast<short>(error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT), 0};
    if (left <= 0 || poll(&wait, 1, static_cast<int>(std::min<long>(left, 60'000))) < 0) {
      reason_ = "too_slow";
      return -1;
    }
  }
}

bool TlsChannel::Accept() {
  return Drive([this] { return SSL_accept(ssl_); }) > 0;
}

std::optional<std::string> TlsChannel::ReadLine(std::size_t max) {
  std::string line;
  char part[512];
  while (line.find('\n') == std::string::npos) {
    if (line.size() > max) {
      reason_ = "line_too_long";
      return std::nullopt;
    }
    const int size = Drive([&] { return SSL_read(ssl_, part, sizeof part); });
    if (size <= 0) return std::nullopt;
    line.append(part, static_cast<std::size_t>(size));
  }
  return line.substr(0, line.find('\n'));
}

bool TlsChannel::Write(const std::string& text) {
  return Drive([&] { return SSL_write(ssl_, text.data(), static_cast<int>(text.size())); }) > 0;
}

void TlsChannel::LetAlertArrive(Clock::time_point deadline) {
  constexpr int kPartsMax = 64;
  char part[1024];
  shutdown(socket_, SHUT_WR);
  for (int parts = 0; parts < kPartsMax; ++parts) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd wait{socket_, POLLIN, 0};
    if (left <= 0 || poll(&wait, 1, static_cast<int>(left)) <= 0 || read(socket_, part, sizeof part) <= 0)
      return;
  }
}

void TlsChannel::Close() {
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

}  // namespace registry::sim
