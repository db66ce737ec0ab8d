#include "simulators/device/tls_connection.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "schemas/base/descriptor.h"

namespace registry::sim {
namespace {

Error NotReached(std::string_view why) { return Error::Make(Code::kFailed, "asp_unreachable", why); }

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

class OpenConnection : public TlsConnection {
 public:
  explicit OpenConnection(std::chrono::milliseconds deadline)
      : until_(deadline), socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {}
  ~OpenConnection() override {
    if (ssl_ && SSL_is_init_finished(ssl_.get())) SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }

  Status Begin(const AspTarget& target, const ClientCredentials& credentials, TlsVersion version) {
    ERR_clear_error();
    if (socket_.fd() < 0 || !Connect(socket_.fd(), target, until_)) return NotReached("no connection");
    if (SSL_CTX* const context = SharedClientContext(version)) ssl_.reset(SSL_new(context));
    if (!ssl_ || !Prepare(ssl_.get(), target, credentials) || SSL_set_fd(ssl_.get(), socket_.fd()) != 1) {
      ERR_clear_error();
      return Error::Make(Code::kPolicy, "asp_untrusted",
                         "the endpoint's trust, or the device's certificate, cannot be used");
    }
    if (until_.Drive(ssl_.get(), [this] { return SSL_connect(ssl_.get()); }) != 1)
      return WhyBroken(ssl_.get(), credentials, "handshake failed");
    return Done{};
  }

  Status Write(std::string_view text) override {
    const auto write = [&] { return SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())); };
    return until_.Drive(ssl_.get(), write) > 0 ? Status(Done{}) : Broken("connection lost");
  }

  Result<std::string> ReadLine() override {
    char part[kLineMax];
    std::size_t end = 0;
    while ((end = read_.find('\n')) == std::string::npos) {
      const int size = until_.Drive(ssl_.get(), [&] { return SSL_read(ssl_.get(), part, sizeof part); });
      const bool over = size <= 0 && SSL_get_error(ssl_.get(), size) == SSL_ERROR_ZERO_RETURN;
      if (over && !read_.empty()) return std::exchange(read_, {});
      if (size <= 0) return Broken("no answer");
      read_.append(part, static_cast<std::size_t>(size));
      if (read_.size() > kLineMax) return NotReached("the answer is too long");
    }
    std::string line = read_.substr(0, end);
    read_.erase(0, end + 1);
    return line;
  }

  std::string Described() const override {
    return std::string(SSL_get_version(ssl_.get())) + " " + SSL_get_cipher_name(ssl_.get());
  }

 private:
  // The device's key is not asked any more.
  Error Broken(std::string_view when) const { return WhyBroken(ssl_.get(), {}, when); }

  const Until until_;
  const Descriptor socket_;
  OwnedSsl ssl_;
  std::string read_;  // and not yet handed on
};

}  // namespace

Result<std::unique_ptr<TlsConnection>> TlsConnection::Open(const AspTarget& target,
                                                           const ClientCredentials& credentials,
                                                           TlsVersion version,
                                                           std::chrono::milliseconds deadline) {
  auto connection = std::make_unique<OpenConnection>(deadline);
  if (auto begun = connection->Begin(target, credentials, version); !begun) return begun.error();
  return std::unique_ptr<TlsConnection>(std::move(connection));
}

}  // namespace registry::sim
