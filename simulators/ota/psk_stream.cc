#include "simulators/ota/psk_stream.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "simulators/link/connection.h"

namespace registry::sim::ota {
namespace {

constexpr const char* kCipher = "PSK-AES128-CBC-SHA256";
constexpr int kLookAgainMs = 100;  // whether it is to stop
constexpr int kSelfIndex = 0;      // of the connection's application data

using OwnedContext = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

class OnTls : public PskStream {
 public:
  using Clock = std::chrono::steady_clock;
  OnTls(Descriptor socket, PskOf psk_of, Stops stops, std::chrono::milliseconds deadline)
      : socket_(std::move(socket)),
        psk_of_(std::move(psk_of)),
        stops_(std::move(stops)),
        end_(Clock::now() + deadline) {}
  ~OnTls() override {
    if (ssl_ && shaken_) SSL_shutdown(ssl_.get());  // says goodbye, and does not wait for the other's
    ERR_clear_error();
  }

  bool Shake(SSL_CTX* context, bool client);
  void BeClient(const std::string& identity) { identity_ = identity; }
  std::optional<Bytes> PskFor(const std::string& identity) {
    identity_ = identity;
    return psk_of_(identity);
  }

  const std::string& identity() const override { return identity_; }
  bool Say(const HttpMessage& message) override;
  bool Hear(HttpMessage& message) override;

 private:
  bool Wait(short events) const;
  template <class Step>
  int Drive(Step step) const;

  const Descriptor socket_;
  const PskOf psk_of_;
  const Stops stops_;
  const Clock::time_point end_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, SSL_free};
  std::string identity_, received_;
  bool shaken_ = false;
};

OnTls& Self(SSL* ssl) { return *static_cast<OnTls*>(SSL_get_ex_data(ssl, kSelfIndex)); }

unsigned TakePsk(SSL* ssl, const std::string& identity, unsigned char* psk, unsigned psk_most) {
  const auto known = Self(ssl).PskFor(identity);
  if (!known || known->size() > psk_most) return 0;
  std::copy(known->begin(), known->end(), psk);
  return static_cast<unsigned>(known->size());
}

unsigned ServersPsk(SSL* ssl, const char* identity, unsigned char* psk, unsigned psk_most) {
  return TakePsk(ssl, identity, psk, psk_most);
}

unsigned ClientsPsk(SSL* ssl, const char*, char* identity, unsigned identity_most, unsigned char* psk,
                    unsigned psk_most) {
  const std::string own = Self(ssl).identity();
  if (own.size() + 1 > identity_most) return 0;
  std::memcpy(identity, own.c_str(), own.size() + 1);
  return TakePsk(ssl, own, psk, psk_most);
}

OwnedContext MakeContext(bool client) {
  OwnedContext context(SSL_CTX_new(client ? TLS_client_method() : TLS_server_method()), SSL_CTX_free);
  const bool good = context && SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1 &&
                    SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION) == 1 &&
                    SSL_CTX_set_cipher_list(context.get(), kCipher) == 1;
  if (!good) return {nullptr, SSL_CTX_free};
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);
  if (client) {
    SSL_CTX_set_psk_client_callback(context.get(), ClientsPsk);
  } else {
    SSL_CTX_set_psk_server_callback(context.get(), ServersPsk);
  }
  return context;
}

// One of each for the process: making one costs more than a handshake.
SSL_CTX* Context(bool client) {
  static const OwnedContext of_clients = MakeContext(true), of_servers = MakeContext(false);
  return (client ? of_clients : of_servers).get();
}

bool OnTls::Wait(short events) const {
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end_ - Clock::now()).count();
    if (left <= 0 || (stops_ && stops_())) return false;
    pollfd wait{socket_.fd(), events, 0};
    const int ready = poll(&wait, 1, static_cast<int>(std::min<std::int64_t>(left, kLookAgainMs)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

template <class Step>
int OnTls::Drive(Step step) const {
  while (true) {
    ERR_clear_error();
    const int result = step();
    if (result > 0) return result;
    const int error = SSL_get_error(ssl_.get(), result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return -1;
    if (!Wait(error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT)) return -1;
  }
}

bool OnTls::Shake(SSL_CTX* context, bool client) {
  ssl_.reset(context != nullptr ? SSL_new(context) : nullptr);
  if (!ssl_ || SSL_set_fd(ssl_.get(), socket_.fd()) != 1 ||
      SSL_set_ex_data(ssl_.get(), kSelfIndex, this) != 1)
    return false;
  shaken_ = Drive([&] { return client ? SSL_connect(ssl_.get()) : SSL_accept(ssl_.get()); }) > 0;
  return shaken_;
}

bool OnTls::Say(const HttpMessage& message) {
  const std::string octets = WriteHttp(message);
  return Drive([&] { return SSL_write(ssl_.get(), octets.data(), static_cast<int>(octets.size())); }) > 0;
}

bool OnTls::Hear(HttpMessage& message) {
  char buffer[4096];
  while (true) {
    const HttpRead read = ReadHttp(received_, message);
    if (read != HttpRead::kMore) return read == HttpRead::kWhole;
    const int got = Drive([&] { return SSL_read(ssl_.get(), buffer, sizeof buffer); });
    if (got <= 0) return false;
    received_.append(buffer, static_cast<std::size_t>(got));
  }
}

}  // namespace

std::unique_ptr<PskStream> PskStream::Connect(const std::string& socket_path, const std::string& identity,
                                              const Bytes& psk, std::chrono::milliseconds deadline) {
  UnixAddress address;
  Descriptor made(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // On a Unix-domain socket it connects at once or not at all.
  if (made.fd() < 0 || !address.Set(socket_path) ||
      connect(made.fd(), reinterpret_cast<const sockaddr*>(address.storage), address.size) != 0) {
    return nullptr;
  }
  auto stream = std::make_unique<OnTls>(
      std::move(made), [psk](const std::string&) { return std::optional(psk); }, Stops(), deadline);
  stream->BeClient(identity);
  if (!stream->Shake(Context(true), true)) return nullptr;
  return stream;
}

std::unique_ptr<PskStream> PskStream::Accept(Descriptor socket, PskOf psk_of, Stops stops,
                                             std::chrono::milliseconds deadline) {
  auto stream = std::make_unique<OnTls>(std::move(socket), std::move(psk_of), std::move(stops), deadline);
  if (!stream->Shake(Context(false), false)) return nullptr;
  return stream;
}

}  // namespace registry::sim::ota
