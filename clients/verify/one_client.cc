#include "clients/verify/one_client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "clients/dane/quiet_pipe.h"
#include "clients/verdict/client_identity.h"
#include "clients/verdict/tls_guard.h"
#include "schemas/base/descriptor.h"

namespace registry::clients {
namespace {

using Clock = std::chrono::steady_clock;

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct FreeConnection {
  void operator()(SSL* connection) const { SSL_free(connection); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Context = std::unique_ptr<SSL_CTX, FreeContext>;

Error DoorFailed(std::string_view symbol, std::string_view what) {
  return Error::Make(Code::kFailed, symbol, what);
}

// For those who only want to be looked at: whoever checks its server needs a real one.
bool UseKeyOfTheMoment(SSL_CTX* context) {
  const std::unique_ptr<EVP_PKEY, FreeKey> key(EVP_EC_gen("P-256"));
  const OwnedX509 made(X509_new());
  X509_NAME* const name = X509_get_subject_name(made.get());
  const auto* const text = reinterpret_cast<const unsigned char*>("registry-verify");
  return key && X509_set_version(made.get(), X509_VERSION_3) == 1 &&
         ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1) == 1 &&
         X509_gmtime_adj(X509_getm_notBefore(made.get()), -60) != nullptr &&
         X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600) != nullptr &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0) == 1 &&
         X509_set_issuer_name(made.get(), name) == 1 && X509_set_pubkey(made.get(), key.get()) == 1 &&
         X509_sign(made.get(), key.get(), EVP_sha256()) > 0 &&
         SSL_CTX_use_certificate(context, made.get()) == 1 && SSL_CTX_use_PrivateKey(context, key.get()) == 1;
}

bool UseFiles(SSL_CTX* context, const DoorOptions& options) {
  return SSL_CTX_use_certificate_chain_file(context, options.certificate_file.c_str()) == 1 &&
         SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM) == 1;
}

Result<Context> MakeContext(const DoorOptions& options) {
  Context context(SSL_CTX_new(TLS_server_method()));
  const bool of_the_moment = options.certificate_file.empty() && options.key_file.empty();
  if (!context || !(of_the_moment ? UseKeyOfTheMoment(context.get()) : UseFiles(context.get(), options))) {
    ERR_clear_error();
    return Error::Make(Code::kValueSyntax, "server_key_malformed",
                       "the server's certificate and key cannot be used");
  }
  auto taken = TakeAnyClient(context.get(), SSL_VERIFY_PEER, options.identity_extension);
  if (!taken) return taken.error();
  return context;
}

// The port; nullopt: not there.
std::optional<std::uint16_t> Listen(int fd, const DoorOptions& options) {
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  socklen_t size = sizeof address;
  address.sin_family = AF_INET;
  address.sin_port = htons(options.port);
  const bool ok = inet_pton(AF_INET, options.address.c_str(), &address.sin_addr) == 1 &&
                  bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 && listen(fd, 1) == 0 &&
                  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  return ok ? std::optional(ntohs(address.sin_port)) : std::nullopt;
}

bool WaitUntil(int fd, short events, Clock::time_point until) {
  pollfd wanted{fd, events, 0};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  return left > 0 && poll(&wanted, 1, static_cast<int>(std::min<std::int64_t>(left, 3'600'000))) > 0;
}

bool Shaken(SSL* connection, Clock::time_point until) {
  while (true) {
    ERR_clear_error();
    const int result = SSL_accept(connection);
    if (result == 1) return true;
    const int error = SSL_get_error(connection, result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return false;
    const short events = error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
    if (!WaitUntil(SSL_get_fd(connection), events, until)) return false;
  }
}

std::string LastTlsError() {
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason != nullptr ? std::string("the TLS handshake failed: ") + reason
                           : "the client went away, or was too slow";
}

}  // namespace

Result<SeenClient> WaitForClient(const DoorOptions& options,
                                 const std::function<void(std::uint16_t)>& listening) {
  const auto until = Clock::now() + options.within;
  auto context = MakeContext(options);
  if (!context) return context.error();
  const Descriptor door(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto port = Listen(door.fd(), options);
  if (!port) {
    return DoorFailed("listen_failed",
                      "cannot listen on " + options.address + ':' + std::to_string(options.port));
  }
  listening(*port);
  if (!WaitUntil(door.fd(), POLLIN, until)) return DoorFailed("no_client", "no client came in time");
  const Descriptor client(accept4(door.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  const QuietPipe quiet;
  const std::unique_ptr<SSL, FreeConnection> connection(SSL_new(context->get()));
  SSL_set_fd(connection.get(), client.fd());
  if (!Shaken(connection.get(), until)) return DoorFailed("handshake_failed", LastTlsError());
  SeenClient seen{OwnedX509(SSL_get1_peer_certificate(connection.get())), IdentitySent(connection.get()),
                  SSL_get_version(connection.get())};
  SSL_shutdown(connection.get());
  ERR_clear_error();
  return seen;
}

}  // namespace registry::clients
