#include "simulators/device/tls_session.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "schemas/base/descriptor.h"
#include "simulators/device/trust.h"

namespace registry::sim {
namespace {

constexpr std::size_t kLineMax = 512;

Error Unreachable(std::string_view why) { return Error::Make(Code::kFailed, "asp_unreachable", why); }
Error Refused(const std::string& why) {
  return Error::Make(Code::kNotAuthorised, "refused", "refused " + why);
}

// One for the process: building a context costs more than a handshake.
SSL_CTX* ClientContext() {
  static const OwnedSslContext context = [] {
    OwnedSslContext made(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_min_proto_version(made.get(), TLS1_3_VERSION);
    SSL_CTX_set_session_cache_mode(made.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_dane_enable(made.get());
    SSL_CTX_set_verify(made.get(), SSL_VERIFY_PEER, nullptr);
    return made;
  }();
  return context.get();
}

// The socket's other end may say little at a time, for ever: so nothing waits in the kernel, and every wait is for what
// is left of the session's time.
class Until {
 public:
  using Clock = std::chrono::steady_clock;
  explicit Until(std::chrono::milliseconds deadline) : end_(Clock::now() + deadline) {}

  bool Wait(int descriptor, short events) const {
    while (true) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end_ - Clock::now()).count();
      if (left <= 0) return false;
      pollfd wait{descriptor, events, 0};
      const int ready = poll(&wait, 1, static_cast<int>(std::min<std::int64_t>(left, kPollMax)));
      if (ready > 0) return true;
      if (ready < 0 && errno != EINTR) return false;
    }
  }

  // Repeats one call of the TLS library until it is done, fails, or the time is over.
  template <class Step>
  int Drive(SSL* ssl, Step step) const {
    while (true) {
      ERR_clear_error();
      const int result = step();
      if (result > 0) return result;
      const int error = SSL_get_error(ssl, result);
      if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return result;
      if (!Wait(SSL_get_fd(ssl), error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT)) return -1;
    }
  }

 private:
  static constexpr std::int64_t kPollMax = 60'000;
  const Clock::time_point end_;
};

bool Connect(int descriptor, const AspTarget& target, const Until& until) {
  const int on = 1;  // the greeting follows the handshake at once and must not wait for its acknowledgement
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(target.port);
  if (inet_pton(AF_INET, target.address.c_str(), &address.sin_addr) != 1) return false;
  if (connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return true;
  int why = errno;
  socklen_t size = sizeof why;
  return why == EINPROGRESS && until.Wait(descriptor, POLLOUT) &&
         getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &why, &size) == 0 && why == 0;
}

bool UseTlsa(SSL* ssl, const AspTarget& target) {
  if (SSL_dane_enable(ssl, target.fqdn.c_str()) != 1) return false;
  SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
  int usable = 0;
  for (const TlsaRecord& record : target.tlsa) {
    usable += SSL_dane_tlsa_add(ssl, record.usage, record.selector, record.matching, record.data.data(),
                                record.data.size()) == 1;
  }
  return usable > 0;
}

// A CA is a trust anchor for the name; a certificate is the server's own and trusted as it is (the pilot's
// container 03).
bool UseCertificate(SSL* ssl, const AspTarget& target) {
  const OwnedCertificate trusted = ParseCertificate(target.trust.certificate);
  const std::unique_ptr<X509_STORE, Freeing<X509_STORE_free>> store(X509_STORE_new());
  if (!trusted || !store || X509_STORE_add_cert(store.get(), trusted.get()) != 1 ||
      SSL_set1_verify_cert_store(ssl, store.get()) != 1) {
    return false;
  }
  X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl);
  if (target.trust.kind == wire::TrustKind::kCertificate) {
    return X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN) == 1;
  }
  return SSL_set1_host(ssl, target.fqdn.c_str()) == 1;
}

bool Prepare(SSL* ssl, const AspTarget& target, const ClientCredentials& credentials) {
  // SSL_set_tlsext_host_name without the macro's old-style cast.
  SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
           const_cast<char*>(target.fqdn.c_str()));
  const bool trust =
      target.trust.kind == wire::TrustKind::kTlsa ? UseTlsa(ssl, target) : UseCertificate(ssl, target);
  if (!trust || credentials.certificate == nullptr || credentials.key == nullptr) return trust;
  return SSL_use_certificate(ssl, credentials.certificate) == 1 &&
         SSL_use_PrivateKey(ssl, credentials.key->handle()) == 1;
}

// Where trust is "this certificate", another of the same CA must not pass.
bool IsTheOne(SSL* ssl, const AspTarget& target) {
  if (target.trust.kind != wire::TrustKind::kCertificate) return true;
  const X509* peer = SSL_get0_peer_certificate(ssl);
  const OwnedCertificate wanted = ParseCertificate(target.trust.certificate);
  return peer != nullptr && wanted && X509_cmp(peer, wanted.get()) == 0;
}

// In TLS 1.3 the server judges the client's certificate after the client's handshake is over, so its refusal
// may come as an alert on the first read.
Error Broken(std::string_view when) {
  const unsigned long code = ERR_peek_last_error();
  const int reason = ERR_GET_REASON(code);
  ERR_clear_error();
  if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED) {
    return Refused("certificate_required");
  }
  if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET) {
    return Refused("alert_" + std::to_string(reason - SSL_AD_REASON_OFFSET));
  }
  return Unreachable(when);
}

Result<std::string> Exchange(SSL* ssl, const std::string& name, const Until& until) {
  const std::string hello = "hello " + name + "\n";
  const auto write = [&] { return SSL_write(ssl, hello.data(), static_cast<int>(hello.size())); };
  if (until.Drive(ssl, write) <= 0) return Broken("connection lost");
  std::string line;
  char part[kLineMax];
  while (line.find('\n') == std::string::npos) {
    const int size = until.Drive(ssl, [&] { return SSL_read(ssl, part, sizeof part); });
    if (size <= 0) return Broken("no answer");
    line.append(part, static_cast<std::size_t>(size));
    if (line.size() > kLineMax) return Unreachable("the answer is too long");
  }
  return line.substr(0, line.find('\n'));
}

Status Judge(const std::string& line, const std::string& name) {
  if (line == "welcome " + name) return Done{};
  if (line.starts_with("refused ")) return Refused(line.substr(8));
  return Unreachable("the answer is not of this protocol");
}

}  // namespace

Status TalkToAsp(const AspTarget& target, const ClientCredentials& credentials, const std::string& name,
                 std::chrono::milliseconds deadline) {
  ERR_clear_error();
  const Until until(deadline);
  const Descriptor socket_fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket_fd.fd() < 0 || !Connect(socket_fd.fd(), target, until)) return Unreachable("no connection");
  const OwnedSsl ssl(SSL_new(ClientContext()));
  if (!ssl || !Prepare(ssl.get(), target, credentials) || SSL_set_fd(ssl.get(), socket_fd.fd()) != 1) {
    ERR_clear_error();
    return Error::Make(Code::kPolicy, "asp_untrusted", "the endpoint's trust cannot be used");
  }
  if (until.Drive(ssl.get(), [&] { return SSL_connect(ssl.get()); }) != 1) {
    if (SSL_get_verify_result(ssl.get()) == X509_V_OK) return Broken("handshake failed");
    ERR_clear_error();
    return Error::Make(Code::kPolicy, "asp_untrusted",
                       X509_verify_cert_error_string(SSL_get_verify_result(ssl.get())));
  }
  if (!IsTheOne(ssl.get(), target)) return Error::Make(Code::kPolicy, "asp_untrusted", "another certificate");
  const auto line = Exchange(ssl.get(), name, until);
  SSL_shutdown(ssl.get());
  ERR_clear_error();
  return line ? Judge(*line, name) : Status(line.error());
}

}  // namespace registry::sim
