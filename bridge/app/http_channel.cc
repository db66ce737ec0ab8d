#include "bridge/app/http_channel.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include <cerrno>

namespace registry::app {
namespace {

constexpr std::size_t kReadMax = 16384;

}  // namespace

HttpChannel::Took HttpChannel::Receive(std::string& to) {
  std::uint8_t part[kReadMax];
  std::size_t got = 0;
  const Took took = Channel::Receive(part, got);
  to.append(reinterpret_cast<const char*>(part), got);
  return took;
}

HttpChannel::Took HttpChannel::Send(std::string_view octets, std::size_t& sent) {
  return Channel::Send({reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size()}, sent);
}

HttpChannel::Took HttpChannel::Drain() {
  char part[4096];
  const ssize_t size = recv(socket_.fd(), part, sizeof part, 0);
  if (size > 0) return Took::kSome;
  return size < 0 && (errno == EAGAIN || errno == EINTR) ? Took::kWouldWait : Took::kEnded;
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

bool HttpChannel::StillTrusted(SSL_CTX& context) const {
  X509* const peer = in_tls() ? SSL_get0_peer_certificate(tls_.get()) : nullptr;
  const std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> judged(X509_STORE_CTX_new(),
                                                                               X509_STORE_CTX_free);
  const bool trusted = peer != nullptr && judged &&
                       X509_STORE_CTX_init(judged.get(), SSL_CTX_get_cert_store(&context), peer,
                                           SSL_get_peer_cert_chain(tls_.get())) == 1 &&
                       X509_STORE_CTX_set_default(judged.get(), "ssl_client") == 1 &&
                       X509_verify_cert(judged.get()) == 1;
  ERR_clear_error();
  return trusted;
}

}  // namespace registry::app
