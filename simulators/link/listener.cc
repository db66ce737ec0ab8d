#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "schemas/base/own_thread.h"
#include "simulators/link/connection.h"

namespace registry::sim {
namespace {

class StreamListener : public Listener {
 public:
  StreamListener(int socket, std::string path, FrameHandler on_frame, CloseHandler on_close, Faults faults)
      : socket_(socket),
        wake_(::eventfd(0, EFD_CLOEXEC)),
        path_(std::move(path)),
        on_frame_(std::move(on_frame)),
        on_close_(std::move(on_close)),
        faults_(faults) {
    acceptor_.Start("accept", [this] { AcceptLoop(); });
  }

  ~StreamListener() override {
    acceptor_.Stop([this] { ::eventfd_write(wake_, 1); });
    for (const auto& connection : connections_) connection->Finish();
    connections_.clear();
    ::close(socket_);
    ::close(wake_);
    ::unlink(path_.c_str());
  }

 private:
  static bool Over(const std::shared_ptr<Connection>& connection) {
    if (connection->open()) return false;
    connection->Finish();
    return true;
  }
  void AcceptLoop() {
    for (;;) {
      pollfd fds[2] = {{socket_, POLLIN, 0}, {wake_, POLLIN, 0}};
      if (::poll(fds, 2, -1) < 0 && errno != EINTR) return;
      if (fds[1].revents != 0) return;
      if (fds[0].revents == 0) continue;
      const int peer = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
      if (peer < 0) continue;
      std::erase_if(connections_, Over);
      Faults faults = faults_;
      faults.seed += ++accepted_;
      connections_.push_back(Adopt(peer, on_frame_, on_close_, faults));
    }
  }

  const int socket_, wake_;
  const std::string path_;
  const FrameHandler on_frame_;
  const CloseHandler on_close_;
  const Faults faults_;
  std::uint64_t accepted_ = 0;
  std::vector<std::shared_ptr<Connection>> connections_;  // acceptor thread, and the destructor after its end
  OwnThread acceptor_;
};

}  // namespace

Result<std::unique_ptr<Listener>> Listener::Open(const std::string& socket_path, FrameHandler on_frame,
                                                 CloseHandler on_close, Faults faults) {
  UnixAddress address;
  if (!address.Set(socket_path)) {
    return Error::Make(Code::kValueSyntax, "socket_path", "a socket path has 1 to 107 octets");
  }
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::unlink(socket_path.c_str());
  if (socket < 0 || ::bind(socket, reinterpret_cast<const sockaddr*>(address.storage), address.size) != 0 ||
      ::listen(socket, 64) != 0) {
    const std::string why = std::strerror(errno);
    if (socket >= 0) ::close(socket);
    return Error::Make(Code::kFailed, "listen_failed", "cannot listen on " + socket_path + ": " + why);
  }
  return std::unique_ptr<Listener>(
      new StreamListener(socket, socket_path, std::move(on_frame), std::move(on_close), faults));
}

}  // namespace registry::sim
