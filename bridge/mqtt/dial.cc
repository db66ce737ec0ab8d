#include "bridge/mqtt/dial.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>
#include <vector>

#include "bridge/mqtt/tls_files.h"
#include "schemas/base/descriptor.h"

namespace registry::mqtt {
namespace {

using SteadyClock = std::chrono::steady_clock;
using GiveUp = std::function<bool()>;

constexpr std::chrono::seconds kStep{5};  // for TCP, and for TLS
constexpr std::chrono::milliseconds kAlert{
    500};  // for the broker's word on our certificate, after the handshake
constexpr int kLookMilliseconds = 20;

std::string Words(int code) { return std::system_category().message(code); }

bool WaitFor(int fd, short what, SteadyClock::time_point until, const GiveUp& give_up) {
  while (!give_up() && SteadyClock::now() < until) {
    pollfd look{fd, what, 0};
    if (poll(&look, 1, kLookMilliseconds) > 0) return true;
  }
  return false;
}

// Empty when connected, else why not.
std::string Connect(int fd, const addrinfo& to, const GiveUp& give_up) {
  if (fd < 0) return Words(errno);
  if (connect(fd, to.ai_addr, to.ai_addrlen) == 0) return "";
  if (errno != EINPROGRESS) return Words(errno);
  if (!WaitFor(fd, POLLOUT, SteadyClock::now() + kStep, give_up)) return "no answer in time";
  int code = 0;
  socklen_t size = sizeof(code);
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) != 0) code = errno;
  return code == 0 ? "" : Words(code);
}

std::string Numeric(const addrinfo& address) {
  char text[NI_MAXHOST] = {};
  const int code =
      getnameinfo(address.ai_addr, address.ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST);
  return code == 0 ? text : "?";
}

using SslContext = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using Ssl = std::unique_ptr<SSL, decltype(&SSL_free)>;

bool IsAddress(const std::string& host) {
  in6_addr parsed{};
  return inet_pton(AF_INET, host.c_str(), &parsed) == 1 || inet_pton(AF_INET6, host.c_str(), &parsed) == 1;
}

// With the session's own files, and the same demands on the broker's certificate.
SslContext ContextOf(const SessionOptions& options) {
  SslContext context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  if (!context) return context;
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  const bool taken =
      SSL_CTX_load_verify_locations(context.get(), options.ca_file.c_str(), nullptr) == 1 &&
      SSL_CTX_use_certificate_chain_file(context.get(), options.certificate_file.c_str()) == 1 &&
      SSL_CTX_use_PrivateKey_file(context.get(), options.key_file.c_str(), SSL_FILETYPE_PEM) == 1;
  if (!taken) context.reset();
  return context;
}

Ssl SslOf(SSL_CTX* context, const std::string& host, int fd) {
  Ssl ssl(SSL_new(context), SSL_free);
  if (!ssl || SSL_set_fd(ssl.get(), fd) != 1) return Ssl(nullptr, SSL_free);
  if (IsAddress(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), host.c_str());
  } else {
    std::string name = host;  // what the macro SSL_set_tlsext_host_name does, without its cast
    SSL_ctrl(ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
    SSL_set1_host(ssl.get(), host.c_str());
  }
  return ssl;
}

// What OpenSSL says of the failure that has just happened.
std::string TlsReason(const SSL* ssl) {
  const long verdict = SSL_get_verify_result(ssl);
  if (verdict != X509_V_OK) {
    return std::string("certificate verify failed: ") + X509_verify_cert_error_string(verdict);
  }
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  return reason != nullptr ? reason : "the other side closed the connection";
}

// Repeats `step` until it is done (true), fails (false, with the reason) or its time is over (false, with `late`).
bool Drive(SSL* ssl, const std::function<int()>& step, SteadyClock::time_point until, const GiveUp& give_up,
           std::string& reason) {
  for (;;) {
    ERR_clear_error();
    const int result = step();
    if (result == 1) return true;
    const int error = SSL_get_error(ssl, result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
      reason = TlsReason(ssl);
      return false;
    }
    if (!WaitFor(SSL_get_fd(ssl), error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, until, give_up))
      return false;
  }
}

// In TLS 1.3 a client's certificate is judged after the client's handshake is over (RFC 8446 §4.4.2.4), so that verdict
// comes with the first reading. A broker that is content says nothing before it has heard CONNECT.
std::string Verdict(SSL* ssl, const GiveUp& give_up) {
  std::string reason;
  char octet = 0;
  Drive(
      ssl, [&] { return SSL_read(ssl, &octet, 1); }, SteadyClock::now() + kAlert, give_up, reason);
  return reason.empty() ? "" : "TLS: ended by the broker right after the handshake: " + reason;
}

// Which of the session's own files is to blame, where OpenSSL did not take them.
std::string FileFault(const SessionOptions& options) {
  const auto faults = TlsFileFaults(options.ca_file, options.certificate_file, options.key_file);
  return faults.empty() ? "OpenSSL did not start" : faults.front();
}

std::string Handshake(const SessionOptions& options, int fd, const GiveUp& give_up) {
  const SslContext context = ContextOf(options);
  if (!context) return "TLS: " + FileFault(options);
  const Ssl ssl = SslOf(context.get(), options.host, fd);
  if (!ssl) return "TLS: OpenSSL did not start";
  std::string reason = "no answer in time";
  if (!Drive(
          ssl.get(), [&] { return SSL_connect(ssl.get()); }, SteadyClock::now() + kStep, give_up, reason)) {
    return "TLS: " + reason;
  }
  std::string verdict = Verdict(ssl.get(), give_up);
  if (verdict.empty()) SSL_shutdown(ssl.get());
  return verdict;
}

std::string HostAndPort(const SessionOptions& options) {
  const bool v6 = options.host.find(':') != std::string::npos;
  return (v6 ? "[" + options.host + "]" : options.host) + ":" + std::to_string(options.port);
}

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

// IPv4 first, as Paho C does.
std::vector<const addrinfo*> InOrder(const Addresses& addresses) {
  std::vector<const addrinfo*> order;
  for (const addrinfo* each = addresses.get(); each != nullptr; each = each->ai_next) order.push_back(each);
  std::stable_partition(order.begin(), order.end(),
                        [](const addrinfo* a) { return a->ai_family == AF_INET; });
  return order;
}

}  // namespace

Dialled Dial(const SessionOptions& options, const GiveUp& give_up) {
  const std::string where = HostAndPort(options);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code = getaddrinfo(options.host.c_str(), std::to_string(options.port).c_str(), &hints, &found);
  const Addresses addresses(found, freeaddrinfo);
  if (code != 0)
    return {where, std::string("name look-up: ") + (code == EAI_SYSTEM ? Words(errno) : gai_strerror(code))};
  const auto at = [&](const std::string& address) {
    return address == options.host ? where : where + " (" + address + ")";
  };
  Dialled last{where, "name look-up: no address"};
  for (const addrinfo* address : InOrder(addresses)) {
    const Descriptor socket(::socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const std::string refused = Connect(socket.fd(), *address, give_up);
    if (refused.empty()) return {at(Numeric(*address)), Handshake(options, socket.fd(), give_up)};
    last = {at(Numeric(*address)), "TCP: " + refused};
  }
  return last;
}

}  // namespace registry::mqtt
