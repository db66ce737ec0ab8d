#include "bridge/app/http_channel.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

namespace registry::app {
namespace {

constexpr std::size_t kReadPart = 4096, kReadMax = 16384;

bool CallWouldWait() { return errno == EAGAIN || errno == EINTR; }

}  // namespace

HttpChannel::HttpChannel(zone::Socket socket, SSL_CTX* tls) : socket_(std::move(socket)) {
  if (tls == nullptr) return;
  tls_.reset(SSL_new(tls));
  if (tls_ == nullptr || SSL_set_fd(tls_.get(), socket_.fd()) != 1) socket_ = zone::Socket();
  if (tls_ != nullptr) SSL_set_accept_state(tls_.get());
}

HttpChannel::Took HttpChannel::Judge(int outcome) {
  switch (SSL_get_error(tls_.get(), outcome)) {
    case SSL_ERROR_WANT_READ:
      waits_for_ = POLLIN;
      return Took::kWouldWait;
    case SSL_ERROR_WANT_WRITE:
      waits_for_ = POLLOUT;
      return Took::kWouldWait;
    default:
      ERR_clear_error();  // the queue is the thread's, and the next connection's
      return Took::kEnded;
  }
}

// TLS keeps what it has read behind what was asked for, which poll(2) does not see: so it is read until it would wait.
HttpChannel::Took HttpChannel::Receive(std::string& to) {
  char part[kReadPart];
  waits_for_ = 0;
  for (std::size_t all = 0; all < kReadMax;) {
    const int size = in_tls() ? SSL_read(tls_.get(), part, sizeof part)
                              : static_cast<int>(recv(socket_.fd(), part, sizeof part, 0));
    if (size <= 0) {
      const Took took = in_tls()                      ? Judge(size)
                        : size < 0 && CallWouldWait() ? Took::kWouldWait
                                                      : Took::kEnded;
      if (all == 0) return took;
      waits_for_ = 0;  // it is the caller's to say what is waited for next
      return Took::kSome;
    }
    to.append(part, static_cast<std::size_t>(size));
    all += static_cast<std::size_t>(size);
  }
  return Took::kSome;
}

HttpChannel::Took HttpChannel::Send(std::string_view octets, std::size_t& sent) {
  waits_for_ = 0;
  const int size = in_tls()
                       ? SSL_write(tls_.get(), octets.data(), static_cast<int>(octets.size()))
                       : static_cast<int>(send(socket_.fd(), octets.data(), octets.size(), MSG_NOSIGNAL));
  if (size > 0) {
    sent += static_cast<std::size_t>(size);
    return Took::kSome;
  }
  if (in_tls()) return Judge(size);
  return size < 0 && CallWouldWait() ? Took::kWouldWait : Took::kEnded;
}

void HttpChannel::EndSending() {
  if (in_tls()) (void)SSL_shutdown(tls_.get());
  ERR_clear_error();
  waits_for_ = 0;
  shutdown(socket_.fd(), SHUT_WR);
}

HttpChannel::Took HttpChannel::Drain() {
  char part[kReadPart];
  const ssize_t size = recv(socket_.fd(), part, sizeof part, 0);
  if (size > 0) return Took::kSome;
  return size < 0 && CallWouldWait() ? Took::kWouldWait : Took::kEnded;
}

std::string HttpChannel::PeerName() const {
  X509* const peer = in_tls() ? SSL_get0_peer_certificate(tls_.get()) : nullptr;
  if (peer == nullptr || SSL_get_verify_result(tls_.get()) != X509_V_OK) return "";
  const X509_NAME* const subject = X509_get_subject_name(peer);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return "";
  const ASN1_STRING* const name = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(name)),
          static_cast<std::size_t>(ASN1_STRING_length(name))};
}

}  // namespace registry::app
