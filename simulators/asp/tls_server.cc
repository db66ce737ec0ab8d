#include "simulators/asp/tls_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <list>
#include <optional>
#include <vector>

#include "clients/verdict/client_identity.h"
#include "clients/verdict/tls_guard.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"
#include "simulators/asp/tls_channel.h"

namespace registry::sim {
namespace {

constexpr std::size_t kLineMax = 512;
constexpr std::chrono::milliseconds kAlertWithin{500};
constexpr std::string_view kHello = "hello ";
constexpr const char* kCiphers12 = "ECDHE+AESGCM:ECDHE+CHACHA20";

using Clock = std::chrono::steady_clock;
using Progress = TlsChannel::Progress;

Error Failed(std::string_view what) { return Error::Make(Code::kFailed, "tls_server_failed", what); }

// One client, between its connection and its end.
struct Knock {
  enum class Stage { kHandshake, kGreeting, kRefusedHandshake };

  std::unique_ptr<TlsChannel> channel;
  TlsSession session;
  Stage stage = Stage::kHandshake;
  Clock::time_point until;
};

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
  void WatchLoop();
  void Accept() REQUIRES(mutex_);
  void MakeReady(std::list<Knock>::iterator knock) REQUIRES(mutex_);
  int PollMilliseconds(Clock::time_point now) const REQUIRES(mutex_);
  void ServeLoop();
  std::optional<Knock> TakeReady();  // nullopt: stopping
  void Park(Knock knock);
  void Serve(Knock knock);
  Progress GoOn(Knock& knock) const;
  void Answer(Knock& knock, Progress read);
  Result<std::string> Decide(const TlsChannel& channel, std::string& name) const;

  const TlsServerOptions options_;
  const ClientCheck& check_;
  const OnSession on_session_;
  SSL_CTX* context_ = nullptr;
  int listener_ = -1, wake_ = -1;
  std::uint16_t port_ = 0;
  Mutex mutex_;
  CondVar changed_;
  std::list<Knock> ready_ GUARDED_BY(mutex_);   // have octets, or no time left
  std::list<Knock> parked_ GUARDED_BY(mutex_);  // wait for their client, the oldest first
  std::size_t served_ GUARDED_BY(mutex_) = 0;   // taken from ready_, perhaps parked again already
  OwnThread watcher_{mutex_, changed_}, servers_{mutex_, changed_};
};

Status Server::Open() {
  if (auto loaded = LoadContext(); !loaded) return loaded;
  if (auto listening = Listen(); !listening) return listening;
  watcher_.Start("tls-watch", [this] { WatchLoop(); });
  servers_.Start(
      "tls-serve", [this] { ServeLoop(); }, options_.threads);
  return Done{};
}

Server::~Server() {
  watcher_.Stop([this] {
    if (wake_ >= 0) eventfd_write(wake_, 1);
  });
  servers_.Stop();
  ready_.clear();
  parked_.clear();
  if (listener_ >= 0) close(listener_);
  if (wake_ >= 0) close(wake_);
  SSL_CTX_free(context_);
}

Status Server::LoadContext() {
  context_ = SSL_CTX_new(TLS_server_method());
  const int lowest = options_.also_tls12 ? TLS1_2_VERSION : TLS1_3_VERSION;
  if (context_ == nullptr || SSL_CTX_set_min_proto_version(context_, lowest) != 1 ||
      SSL_CTX_set_cipher_list(context_, kCiphers12) != 1 ||
      SSL_CTX_use_certificate_chain_file(context_, options_.certificate_file.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context_, options_.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    ERR_clear_error();
    return Failed("certificate or key file cannot be used");
  }
  SSL_CTX_set_options(context_, SSL_OP_NO_RENEGOTIATION);
  return clients::TakeAnyClient(context_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                                clients::kDefaultIdentityExtension);
}

Status Server::Listen() {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
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

// Waits for all clients at once, so that a silent one costs no thread.
void Server::WatchLoop() {
  std::vector<pollfd> polled;
  std::vector<std::list<Knock>::iterator> knocks;  // of which pollfd; nobody else takes one out of parked_
  while (true) {
    int milliseconds = 0;
    {
      const MutexLock lock(mutex_);
      if (watcher_.stopping()) return;
      polled.assign({{listener_, POLLIN, 0}, {wake_, POLLIN, 0}});
      knocks.clear();
      for (auto knock = parked_.begin(); knock != parked_.end(); ++knock) {
        polled.push_back({knock->channel->fd(), knock->channel->wants(), 0});
        knocks.push_back(knock);
      }
      milliseconds = PollMilliseconds(Clock::now());
    }
    if (poll(polled.data(), polled.size(), milliseconds) < 0) continue;
    eventfd_t ignored = 0;
    if (polled[1].revents != 0) eventfd_read(wake_, &ignored);
    const MutexLock lock(mutex_);
    const auto now = Clock::now();
    for (std::size_t i = 0; i < knocks.size(); ++i) {
      if (polled[i + 2].revents != 0 || knocks[i]->until <= now) MakeReady(knocks[i]);
    }
    if (polled[0].revents != 0) Accept();
  }
}

// A client in the middle of something gives way to a new one, the oldest first.
void Server::Accept() {
  const int accepted = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (accepted < 0) return;
  if (parked_.size() + ready_.size() + served_ >= options_.waiting_max) {
    if (parked_.empty()) {
      close(accepted);
      return;
    }
    parked_.front().until = Clock::time_point::min();
    MakeReady(parked_.begin());
  }
  Knock knock;
  knock.channel = std::make_unique<TlsChannel>(context_, accepted);
  knock.session.begun = Clock::now();
  knock.until = knock.session.begun + options_.handshake_within;
  parked_.push_back(std::move(knock));
}

void Server::MakeReady(std::list<Knock>::iterator knock) {
  ready_.splice(ready_.end(), parked_, knock);
  changed_.NotifyOne();
}

// Until somebody's time is over.
int Server::PollMilliseconds(Clock::time_point now) const {
  if (parked_.empty()) return -1;
  const auto first = std::min_element(parked_.begin(), parked_.end(),
                                      [](const Knock& a, const Knock& b) { return a.until < b.until; });
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(first->until - now).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

std::optional<Knock> Server::TakeReady() {
  MutexLock lock(mutex_);
  servers_.Wait(lock, [this]() REQUIRES(mutex_) { return !ready_.empty(); });
  if (servers_.stopping()) return std::nullopt;
  Knock taken = std::move(ready_.front());
  ready_.pop_front();
  ++served_;
  return taken;
}

void Server::Park(Knock knock) {
  {
    const MutexLock lock(mutex_);
    parked_.push_back(std::move(knock));
  }
  eventfd_write(wake_, 1);
}

void Server::ServeLoop() {
  for (auto taken = TakeReady(); taken; taken = TakeReady()) {
    Serve(std::move(*taken));
    const MutexLock lock(mutex_);
    --served_;
  }
}

Progress Server::GoOn(Knock& knock) const {
  if (knock.stage == Knock::Stage::kRefusedHandshake) return knock.channel->LetAlertArrive();
  if (knock.stage == Knock::Stage::kHandshake) {
    if (const Progress shaken = knock.channel->Accept(); shaken != Progress::kDone) return shaken;
    knock.stage = Knock::Stage::kGreeting;
    knock.until = Clock::now() + options_.exchange_within;
  }
  // Read before anything is judged: closing on unread octets would reset the connection and lose the answer.
  return knock.channel->ReadLine(kLineMax);
}

void Server::Serve(Knock knock) {
  Progress gone = GoOn(knock);
  if (gone == Progress::kWait) {
    if (Clock::now() < knock.until) return Park(std::move(knock));
    if (knock.stage != Knock::Stage::kRefusedHandshake) knock.channel->Fail("too_slow");
    gone = Progress::kFailed;
  } else if (gone == Progress::kFailed && knock.stage == Knock::Stage::kHandshake) {
    knock.stage = Knock::Stage::kRefusedHandshake;
    knock.until = Clock::now() + kAlertWithin;
    return Serve(std::move(knock));
  }
  if (knock.stage == Knock::Stage::kGreeting) {
    Answer(knock, gone);
  } else {
    knock.session.reason = knock.channel->reason();
  }
  on_session_(knock.session);
}

void Server::Answer(Knock& knock, Progress read) {
  const auto name =
      read == Progress::kDone
          ? Decide(*knock.channel, knock.session.name)
          : Result<std::string>(Error::Make(Code::kSyntax, knock.channel->reason(), "no greeting"));
  knock.session.reason = name ? "" : name.error().symbol;
  const std::string broker =
      options_.mqtt_port != 0 ? " mqtt " + std::to_string(options_.mqtt_port) : std::string();
  knock.channel->Write(name ? "welcome " + *name + broker + "\n" : "refused " + knock.session.reason + "\n");
  knock.channel->Close();
}

Result<std::string> Server::Decide(const TlsChannel& channel, std::string& name) const {
  X509* certificate = channel.peer();
  if (certificate == nullptr)
    return Error::Make(Code::kNotAuthorised, "certificate_required", "no certificate");
  auto named = check_.NameOf(certificate, clients::IdentitySent(channel.connection()));
  if (!named) return named;
  name = *named;
  const std::string& hello = channel.line();
  if (!hello.starts_with(kHello) || hello.substr(kHello.size()) != name) {
    return Error::Make(Code::kSyntax, "name_mismatch", "the greeting names another device");
  }
  if (auto good = check_.Check(certificate, name); !good) return good.error();
  return name;
}

}  // namespace

Result<std::unique_ptr<TlsServer>> TlsServer::Start(const TlsServerOptions& options, const ClientCheck& check,
                                                    OnSession on_session) {
  auto server = std::make_unique<Server>(options, check, std::move(on_session));
  if (auto open = server->Open(); !open) return open.error();
  return std::unique_ptr<TlsServer>(std::move(server));
}

}  // namespace registry::sim
