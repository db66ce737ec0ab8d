#include "simulators/asp/tls_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "simulators/asp/tls_channel.h"

namespace registry::sim {
namespace {

constexpr std::size_t kLineMax = 512;
constexpr std::chrono::milliseconds kAlertWithin{500};
constexpr std::string_view kHello = "hello ";

Error Failed(std::string_view what) { return Error::Make(Code::kFailed, "tls_server_failed", what); }

class Server : public TlsServer {
 public:
  Server(TlsServerOptions options, const ClientCheck& check, OnSession on_session)
      : options_(std::move(options)), check_(check), on_session_(std::move(on_session)) {}
  ~Server() override;
  Status Open();
  std::uint16_t port() const override { return port_; }

 private:
  Status Listen();
  Status LoadContext();
  void AcceptLoop();
  void ServeLoop();
  int TakeWaiting();  // -1: stopping
  void Serve(int socket);
  Result<std::string> Decide(TlsChannel& channel, std::string& name) const;

  const TlsServerOptions options_;
  const ClientCheck& check_;
  const OnSession on_session_;
  SSL_CTX* context_ = nullptr;
  int listener_ = -1, wake_ = -1;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<int> waiting_;  // guarded by mutex_
  bool stopping_ = false;    // guarded by mutex_
  std::vector<std::thread> threads_;
};

Status Server::Open() {
  if (auto loaded = LoadContext(); !loaded) return loaded;
  if (auto listening = Listen(); !listening) return listening;
  threads_.emplace_back([this] { AcceptLoop(); });
  for (std::size_t i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { ServeLoop(); });
  return Done{};
}

Server::~Server() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (wake_ >= 0) eventfd_write(wake_, 1);
  for (std::thread& thread : threads_) thread.join();
  for (const int socket_fd : waiting_) close(socket_fd);
  if (listener_ >= 0) close(listener_);
  if (wake_ >= 0) close(wake_);
  SSL_CTX_free(context_);
}

Status Server::LoadContext() {
  context_ = SSL_CTX_new(TLS_server_method());
  if (context_ == nullptr || SSL_CTX_set_min_proto_version(context_, TLS1_3_VERSION) != 1 ||
      SSL_CTX_use_certificate_chain_file(context_, options_.certificate_file.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context_, options_.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    ERR_clear_error();
    return Failed("certificate or key file cannot be used");
  }
  SSL_CTX_set_num_tickets(context_, 0);  // every session shows its certificate again: revocation must be seen
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(
      context_, [](X509_STORE_CTX*, void*) { return 1; }, nullptr);
  return Done{};
}

Status Server::Listen() {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  wake_ = eventfd(0, EFD_CLOEXEC);
  const int on = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  socklen_t size = sizeof address;
  address.sin_family = AF_INET;
  address.sin_port = htons(options_.port);
  if (inet_pton(AF_INET, options_.address.c_str(), &address.sin_addr) != 1 ||
      bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, SOMAXCONN) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return Failed("cannot listen on " + options_.address + ":" + std::to_string(options_.port));
  }
  port_ = ntohs(address.sin_port);
  return Done{};
}

void Server::AcceptLoop() {
  pollfd fds[2] = {{listener_, POLLIN, 0}, {wake_, POLLIN, 0}};
  while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
    if (fds[1].revents != 0) return;
    const int accepted = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (accepted < 0) continue;
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= options_.waiting_max) {
      close(accepted);
      continue;
    }
    waiting_.push_back(accepted);
    changed_.notify_one();
  }
}

int Server::TakeWaiting() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
  if (stopping_) return -1;
  const int taken = waiting_.front();
  waiting_.pop_front();
  return taken;
}

void Server::ServeLoop() {
  for (int taken = TakeWaiting(); taken >= 0; taken = TakeWaiting()) Serve(taken);
}

Result<std::string> Server::Decide(TlsChannel& channel, std::string& name) const {
  X509* certificate = channel.peer();
  if (certificate == nullptr)
    return Error::Make(Code::kNotAuthorised, "certificate_required", "no certificate");
  // Read before anything is judged: closing on unread octets would reset the connection and lose the answer.
  const auto hello = channel.ReadLine(kLineMax);
  if (!hello) return Error::Make(Code::kSyntax, channel.reason(), "no greeting");
  auto named = check_.NameOf(certificate);
  if (!named) return named;
  name = *named;
  if (!hello->starts_with(kHello) || hello->substr(kHello.size()) != name) {
    return Error::Make(Code::kSyntax, "name_mismatch", "the greeting names another device");
  }
  if (auto good = check_.Check(certificate, name); !good) return good.error();
  return name;
}

void Server::Serve(int socket) {
  TlsSession session;
  session.begun = TlsChannel::Clock::now();
  TlsChannel channel(context_, socket);
  channel.Until(session.begun + options_.handshake_within);
  if (!channel.Accept()) {
    session.reason = channel.reason();
    if (session.reason != "too_slow") channel.LetAlertArrive(TlsChannel::Clock::now() + kAlertWithin);
    return on_session_(session);
  }
  channel.Until(TlsChannel::Clock::now() + options_.exchange_within);
  const auto name = Decide(channel, session.name);
  session.reason = name ? "" : name.error().symbol;
  channel.Write(name ? "welcome " + *name + "\n" : "refused " + session.reason + "\n");
  channel.Close();
  on_session_(session);
}

}  // namespace

Result<std::unique_ptr<TlsServer>> TlsServer::Start(const TlsServerOptions& options, const ClientCheck& check,
                                                    OnSession on_session) {
  auto server = std::make_unique<Server>(options, check, std::move(on_session));
  if (auto open = server->Open(); !open) return open.error();
  return std::unique_ptr<TlsServer>(std::move(server));
}

}  // namespace registry::sim
