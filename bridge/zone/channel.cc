#include "bridge/zone/channel.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "bridge/zone/transfer_tls.h"

namespace registry::zone {
namespace {

constexpr std::size_t kPartMax = std::size_t{1} << 20;  // of one call of OpenSSL, which counts in int

// Behind a handshake that has failed, before its queue of errors is cleared.
std::string TroubleOf(SSL* tls) {
  const long verdict = SSL_get_verify_result(tls);
  if (verdict != X509_V_OK) return X509_verify_cert_error_string(verdict);
  const char* const reason = ERR_reason_error_string(ERR_peek_error());
  return reason != nullptr ? reason : "the peer has ended it";
}

}  // namespace

Channel::Channel(Socket socket, SSL_CTX* tls) : socket_(std::move(socket)) {
  if (tls == nullptr) return;
  Begin(tls);
  if (tls_ != nullptr) SSL_set_accept_state(tls_.get());
}

// Its dNSName is judged, and no other name that a certificate may have (RFC 9103 §9.3.2, RFC 8310 §8.1).
Channel::Channel(Socket socket, SSL_CTX& tls, const std::string& name)
    : socket_(std::move(socket)), to_server_(true) {
  Begin(&tls);
  if (tls_ == nullptr) return;
  SSL_set_connect_state(tls_.get());
  SSL_set_hostflags(tls_.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  std::string told = name;  // what the macro SSL_set_tlsext_host_name does, without its cast
  const bool named =
      SSL_ctrl(tls_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, told.data()) == 1 &&
      SSL_set1_host(tls_.get(), name.c_str()) == 1;
  // RFC 9103 §7.1. This one of all calls says 0 when it is well.
  if (!named || SSL_set_alpn_protos(tls_.get(), kDot, sizeof kDot) != 0) socket_ = Socket();
}

void Channel::Begin(SSL_CTX* tls) {
  made_ = false;
  tls_.reset(SSL_new(tls));
  if (tls_ == nullptr || SSL_set_fd(tls_.get(), socket_.fd()) != 1) socket_ = Socket();
}

int Channel::ReadSome(std::span<std::uint8_t> to) {
  if (!in_tls()) return static_cast<int>(recv(socket_.fd(), to.data(), to.size(), 0));
  ERR_clear_error();  // the queue is the thread's, and SSL_get_error looks at all of it
  const int size = SSL_read(tls_.get(), to.data(), static_cast<int>(std::min(to.size(), kPartMax)));
  made_ = made_ || SSL_is_init_finished(tls_.get()) == 1;
  return size;
}

int Channel::WriteSome(std::span<const std::uint8_t> octets) {
  if (!in_tls()) return static_cast<int>(send(socket_.fd(), octets.data(), octets.size(), MSG_NOSIGNAL));
  ERR_clear_error();
  const int size = SSL_write(tls_.get(), octets.data(), static_cast<int>(std::min(octets.size(), kPartMax)));
  made_ = made_ || (to_server_ && SSL_is_init_finished(tls_.get()) == 1);
  return size;
}

// Of a call that took nothing.
Channel::Took Channel::Judge(int outcome) {
  if (!in_tls()) return outcome < 0 && (errno == EAGAIN || errno == EINTR) ? Took::kWouldWait : Took::kEnded;
  switch (SSL_get_error(tls_.get(), outcome)) {
    case SSL_ERROR_WANT_READ:
      waits_for_ = POLLIN;
      return Took::kWouldWait;
    case SSL_ERROR_WANT_WRITE:
      waits_for_ = POLLOUT;
      return Took::kWouldWait;
    default:
      if ((!made() || to_server_) && BIO_number_read(SSL_get_rbio(tls_.get())) > 0)
        trouble_ = TroubleOf(tls_.get());
      ERR_clear_error();
      return Took::kEnded;
  }
}

// TLS gives one record at a time, and keeps what it has read behind that: so it is asked until it would wait.
Channel::Took Channel::Receive(std::span<std::uint8_t> to, std::size_t& got) {
  waits_for_ = 0;
  filled_ = false;
  for (bool some = false; !to.empty(); some = true) {
    const int size = ReadSome(to);
    if (size <= 0) {
      const Took took = Judge(size);
      if (!some) return took;
      waits_for_ = 0;  // it is the caller's to say what is waited for next
      break;
    }
    got += static_cast<std::size_t>(size);
    to = to.subspan(static_cast<std::size_t>(size));
    filled_ = in_tls() && to.empty();
    if (!in_tls()) break;
  }
  return Took::kSome;
}

Channel::Took Channel::Send(std::span<const std::uint8_t> octets, std::size_t& sent) {
  waits_for_ = 0;
  for (bool some = false; !octets.empty(); some = true) {
    const int size = WriteSome(octets);
    if (size <= 0) {
      const Took took = Judge(size);
      return some && took == Took::kWouldWait ? Took::kSome : took;
    }
    sent += static_cast<std::size_t>(size);
    octets = octets.subspan(static_cast<std::size_t>(size));
    if (!in_tls()) break;
  }
  return Took::kSome;
}

void Channel::EndSending() {
  if (in_tls()) (void)SSL_shutdown(tls_.get());
  ERR_clear_error();
  waits_for_ = 0;
  shutdown(socket_.fd(), SHUT_WR);
}

}  // namespace registry::zone
