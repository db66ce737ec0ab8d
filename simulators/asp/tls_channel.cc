#include "simulators/asp/tls_channel.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace registry::sim {
namespace {

constexpr int kPartsMax = 64;  // of what a refused client still says

}  // namespace

TlsChannel::TlsChannel(SSL_CTX* context, int socket)
    : socket_(socket), ssl_(SSL_new(context)), wants_(POLLIN) {
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(socket_, F_SETFL, O_NONBLOCK);
  SSL_set_fd(ssl_, socket_);
}

TlsChannel::~TlsChannel() {
  SSL_free(ssl_);
  close(socket_);
}

TlsChannel::Progress TlsChannel::After(int result) {
  if (result > 0) return Progress::kDone;
  const int error = SSL_get_error(ssl_, result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
    wants_ = error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
    return Progress::kWait;
  }
  const int why = ERR_GET_REASON(ERR_peek_last_error());
  reason_ = why == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE ? "certificate_required" : "connection_failed";
  return Progress::kFailed;
}

TlsChannel::Progress TlsChannel::Accept() {
  ERR_clear_error();
  return After(SSL_accept(ssl_));
}

TlsChannel::Progress TlsChannel::ReadLine(std::size_t max) {
  char part[512];
  while (line_.find('\n') == std::string::npos) {
    if (line_.size() > max) {
      reason_ = "line_too_long";
      return Progress::kFailed;
    }
    ERR_clear_error();
    const int size = SSL_read(ssl_, part, sizeof part);
    if (const Progress read = After(size); read != Progress::kDone) return read;
    line_.append(part, static_cast<std::size_t>(size));
  }
  line_.resize(line_.find('\n'));
  return Progress::kDone;
}

void TlsChannel::Write(const std::string& text) {
  SSL_write(ssl_, text.data(), static_cast<int>(text.size()));
  ERR_clear_error();
}

TlsChannel::Progress TlsChannel::LetAlertArrive() {
  if (!leaving_) shutdown(socket_, SHUT_WR);
  leaving_ = true;
  char part[1024];
  for (; parts_ < kPartsMax; ++parts_) {
    const ssize_t size = read(socket_, part, sizeof part);
    if (size > 0) continue;
    if (size == 0 || errno != EAGAIN) return Progress::kDone;
    wants_ = POLLIN;
    return Progress::kWait;
  }
  return Progress::kDone;
}

void TlsChannel::Close() {
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

}  // namespace registry::sim
