#include "simulators/link/connection.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include "schemas/base/mutex.h"
#include "simulators/link/channel.h"

namespace registry::sim {
namespace {

// Whether the read thread may still call handlers. Shared with it, so that it outlives the connection.
class Handlers {
 public:
  void Begin() {
    const MutexLock lock(mutex_);
    thread_ = std::this_thread::get_id();
  }
  void End() {
    const MutexLock lock(mutex_);
    ended_ = true;
    changed_.NotifyAll();
  }
  void WaitEnded() {
    MutexLock lock(mutex_);
    if (thread_ == std::this_thread::get_id()) return;
    changed_.Wait(lock, [this]() REQUIRES(mutex_) { return ended_; });
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::thread::id thread_ GUARDED_BY(mutex_);
  bool ended_ GUARDED_BY(mutex_) = false;
};

class StreamConnection : public Connection, public std::enable_shared_from_this<StreamConnection> {
 public:
  StreamConnection(int socket, Faults faults) : channel_(std::make_shared<Channel>(socket, faults)) {}

  // The last owner may be a handler on the read thread itself, which cannot join itself; the channel is
  // shared with that thread, so letting it run out alone is safe.
  ~StreamConnection() override {
    channel_->Close();
    writer_.join();
    if (reader_.get_id() == std::this_thread::get_id()) {
      reader_.detach();
    } else {
      reader_.join();
    }
  }

  void Start(FrameHandler on_frame, CloseHandler on_close) {
    writer_ = std::thread([channel = channel_] { channel->WriteLoop(); });
    reader_ = std::thread([channel = channel_, handlers = handlers_, self = weak_from_this(),
                           on_frame = std::move(on_frame), on_close = std::move(on_close)]() mutable {
      handlers->Begin();
      channel->ReadLoop([&](nlohmann::json frame) {
        if (const auto connection = self.lock(); connection && on_frame)
          on_frame(connection, std::move(frame));
      });
      if (const auto connection = self.lock(); connection && on_close) on_close(connection);
      on_frame = nullptr;
      on_close = nullptr;
      handlers->End();
    });
  }

  bool Send(const nlohmann::json& frame, std::chrono::milliseconds deadline) override {
    return channel_->Send(frame, deadline);
  }
  bool open() const override { return channel_->open(); }
  void Close() override { channel_->Close(); }
  void Finish() override {
    channel_->Close();
    handlers_->WaitEnded();
  }

 private:
  const std::shared_ptr<Channel> channel_;
  const std::shared_ptr<Handlers> handlers_ = std::make_shared<Handlers>();
  std::thread reader_, writer_;
};

int TryConnect(const UnixAddress& address) {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return -1;
  if (::connect(socket, reinterpret_cast<const sockaddr*>(address.storage), address.size) == 0) return socket;
  ::close(socket);
  return -1;
}

}  // namespace

bool UnixAddress::Set(const std::string& path) {
  sockaddr_un address{};
  if (path.empty() || path.size() >= sizeof address.sun_path) return false;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  std::memcpy(storage, &address, sizeof address);
  size = sizeof address;
  return true;
}

std::shared_ptr<Connection> Adopt(int socket, FrameHandler on_frame, CloseHandler on_close, Faults faults) {
  auto connection = std::make_shared<StreamConnection>(socket, faults);
  connection->Start(std::move(on_frame), std::move(on_close));
  return connection;
}

Result<std::shared_ptr<Connection>> Dial(const std::string& socket_path, std::chrono::milliseconds deadline,
                                         FrameHandler on_frame, CloseHandler on_close, Faults faults) {
  UnixAddress address;
  if (!address.Set(socket_path)) {
    return Error::Make(Code::kValueSyntax, "socket_path", "a socket path has 1 to 107 octets");
  }
  const auto until = std::chrono::steady_clock::now() + deadline;
  for (;;) {
    const int socket = TryConnect(address);
    if (socket >= 0) return Adopt(socket, std::move(on_frame), std::move(on_close), faults);
    if (std::chrono::steady_clock::now() >= until) {
      return Error::Make(Code::kFailed, "not_listening", "nobody listens on " + socket_path);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace registry::sim
