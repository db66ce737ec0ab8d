#include "simulators/ota/admin_server.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <random>

#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"
#include "simulators/link/connection.h"
#include "simulators/ota/psk_stream.h"

namespace registry::sim::ota {
namespace {

constexpr int kAcceptTickMs = 100, kBacklog = 128;
constexpr const char* kScriptType = "application/vnd.globalplatform.card-content-mgt;version=1.0";

std::string UriOf(std::uint64_t number) { return std::string(kAdminUri) + "/" + std::to_string(number); }

// Of "POST /ota/1 HTTP/1.1"; empty: it is no such request.
std::string UriIn(const HttpMessage& request) {
  constexpr std::string_view kBefore = "POST ", kBehind = " HTTP/1.1";
  const std::string& line = request.first_line;
  if (!line.starts_with(kBefore) || !line.ends_with(kBehind) ||
      line.size() <= kBefore.size() + kBehind.size())
    return "";
  return line.substr(kBefore.size(), line.size() - kBefore.size() - kBehind.size());
}

class Listening : public AdminServer {
 public:
  Listening(Descriptor socket, std::string path, AdminPlatform& platform, const Options& options)
      : socket_(std::move(socket)),
        path_(std::move(path)),
        platform_(platform),
        options_(options),
        dice_(options.seed) {
    threads_.Start(
        "ota-http", [this] { AcceptLoop(); }, kThreads);
  }
  ~Listening() override {
    threads_.Stop();
    unlink(path_.c_str());
  }

 private:
  // What a card was told last: the script of that number, if there was one.
  struct Told {
    std::uint64_t number = 0;
    HttpMessage answer;
  };

  void AcceptLoop() {
    while (!threads_.stopping()) {
      pollfd wait{socket_.fd(), POLLIN, 0};
      if (poll(&wait, 1, kAcceptTickMs) <= 0) continue;
      Descriptor card(accept4(socket_.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (card.fd() >= 0) Serve(std::move(card));
    }
  }

  void Serve(Descriptor card) {
    const auto stream = PskStream::Accept(
        std::move(card), [this](const std::string& identity) { return platform_.PskOf(identity); },
        [this] { return threads_.stopping(); }, kSessionMost);
    HttpMessage request;
    while (stream && stream->Hear(request)) {
      const HttpMessage answer = AnswerTo(stream->identity(), request);
      const bool breaks = Breaks();
      if (breaks && BreaksEarly()) return;
      if (!stream->Say(answer) || breaks || answer.first_line != "200 OK") return;
    }
  }

  HttpMessage AnswerTo(const std::string& identity, const HttpMessage& request) {
    const std::string uri = UriIn(request);
    if (uri.empty() || request.Header("x-admin-protocol") != kAdminProtocol)
      return {"400 Bad Request", {}, {}};
    const bool begins = uri == kAdminUri && request.body.empty();
    Told told;
    {
      const MutexLock lock(mutex_);
      told = told_[identity];
    }
    if (!begins && told.number > 1 && uri == UriOf(told.number - 1)) return told.answer;  // it said so before
    std::optional<ScriptAnswer> answer;
    if (!begins && told.number > 0 && uri == UriOf(told.number)) {
      answer = ReadAnswer(request.body, ScriptForm::kIndefinite);
      if (!answer) return {"400 Bad Request", {}, {}};
    }
    const HttpMessage next = Next(identity, answer, told.number + 1);
    const MutexLock lock(mutex_);
    told_[identity] = {told.number + 1, next};
    return next;
  }

  HttpMessage Next(const std::string& identity, const std::optional<ScriptAnswer>& answer,
                   std::uint64_t number) {
    const auto script = platform_.Poll(identity, answer);
    if (!script) return {"204 No Content", {{"x-admin-protocol", kAdminProtocol}}, {}};
    return {"200 OK",
            {{"x-admin-protocol", kAdminProtocol},
             {"x-admin-next-uri", UriOf(number)},
             {"content-type", kScriptType}},
            WriteScript(*script)};
  }

  bool Breaks() {
    const MutexLock lock(mutex_);
    return options_.break_off > 0 && std::uniform_real_distribution<double>(0, 1)(dice_) < options_.break_off;
  }
  bool BreaksEarly() {
    const MutexLock lock(mutex_);
    return std::uniform_int_distribution<int>(0, 1)(dice_) == 0;
  }

  const Descriptor socket_;
  const std::string path_;
  AdminPlatform& platform_;
  const Options options_;
  Mutex mutex_;
  std::map<std::string, Told> told_ GUARDED_BY(mutex_);  // by card, as many as have proved a key
  std::mt19937_64 dice_ GUARDED_BY(mutex_);
  OwnThread threads_;
};

}  // namespace

Result<std::unique_ptr<AdminServer>> AdminServer::Open(const std::string& socket_path,
                                                       AdminPlatform& platform, const Options& options) {
  UnixAddress address;
  Descriptor made(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  unlink(socket_path.c_str());
  if (made.fd() < 0 || !address.Set(socket_path) ||
      bind(made.fd(), reinterpret_cast<const sockaddr*>(address.storage), address.size) != 0 ||
      listen(made.fd(), kBacklog) != 0) {
    return Error::Make(Code::kFailed, "no_socket", "cannot listen at " + socket_path);
  }
  return std::unique_ptr<AdminServer>(
      std::make_unique<Listening>(std::move(made), socket_path, platform, options));
}

}  // namespace registry::sim::ota
