#include "simulators/terminal/pty_modem.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

#include "schemas/base/descriptor.h"
#include "schemas/base/own_thread.h"

namespace registry::sim {
namespace {

Error NoTerminal(const std::string& what) {
  return Error::Make(Code::kFailed, "terminal_unavailable", what + ": " + std::strerror(errno));
}

// Where the symbolic link leads; empty: it is none.
std::string TargetOf(const std::string& path) {
  char target[PATH_MAX];
  const ssize_t size = ::readlink(path.c_str(), target, sizeof target);
  return size > 0 ? std::string(target, static_cast<std::size_t>(size)) : std::string();
}

class RunningModem : public PtyModem {
 public:
  RunningModem(Descriptor master, Descriptor slave, Descriptor watch, std::string name, std::string path,
               CardPort& card, const Options& options)
      : master_(std::move(master)),
        slave_(std::move(slave)),
        watch_(std::move(watch)),
        wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        name_(std::move(name)),
        path_(std::move(path)),
        options_(options),
        modem_(card, options.modem) {
    thread_.Start("modem", [this] { Run(); });
  }
  ~RunningModem() override {
    thread_.Stop([this] { ::eventfd_write(wake_.fd(), 1); });
    if (TargetOf(path_) == name_) ::unlink(path_.c_str());  // another modem may have taken the path since
  }

 private:
  void Run() {
    pollfd fds[3] = {{wake_.fd(), POLLIN, 0}, {watch_.fd(), POLLIN, 0}, {master_.fd(), POLLIN, 0}};
    while (!thread_.stopping()) {
      if (::poll(fds, 3, -1) < 0 && errno != EINTR) return;
      if (fds[0].revents != 0) return;
      // A close is known before what the next client writes, so it comes first, whichever of the two poll has seen.
      FollowClients();
      if (fds[2].revents != 0) Converse();
    }
  }

  void FollowClients() {
    alignas(inotify_event) char events[4096];
    bool left = false;
    for (ssize_t size; (size = ::read(watch_.fd(), events, sizeof events)) > 0;) {
      for (ssize_t at = 0; at < size;) {
        inotify_event event;
        std::memcpy(&event, events + at, sizeof event);
        at += static_cast<ssize_t>(sizeof event + event.len);
        if ((event.mask & IN_OPEN) != 0) ++clients_;
        if ((event.mask & (IN_CLOSE_WRITE | IN_CLOSE_NOWRITE)) == 0) continue;
        clients_ -= clients_ > 0 ? 1 : 0;
        left = left || clients_ == 0;
      }
    }
    if (!left) return;
    ::tcflush(slave_.fd(), TCIFLUSH);                     // what it has not read
    if (clients_ == 0) ::tcflush(slave_.fd(), TCOFLUSH);  // what it has said and nobody waits for
    modem_.HangUp();
  }

  void Converse() {
    char characters[4096];
    const ssize_t size = ::read(master_.fd(), characters, sizeof characters);
    if (size <= 0) return;
    const std::string answer = modem_.Take({characters, static_cast<std::size_t>(size)});
    if (answer.empty()) return;
    if (options_.answer_after.count() > 0 && !Rest()) return;
    Say(answer);
  }

  // False when it is to stop meanwhile.
  bool Rest() const {
    pollfd wake = {wake_.fd(), POLLIN, 0};
    return ::poll(&wake, 1, static_cast<int>(options_.answer_after.count())) == 0;
  }

  void Say(std::string_view answer) {
    while (!answer.empty()) {
      const ssize_t size = ::write(master_.fd(), answer.data(), answer.size());
      if (size > 0) {
        answer.remove_prefix(static_cast<std::size_t>(size));
        continue;
      }
      pollfd fds[2] = {{wake_.fd(), POLLIN, 0}, {master_.fd(), POLLOUT, 0}};
      if (errno != EAGAIN || ::poll(fds, 2, static_cast<int>(kReadWithin.count())) <= 0 ||
          fds[0].revents != 0)
        return;
    }
  }

  const Descriptor master_;
  const Descriptor slave_;  // kept open, else the master has an error whenever a client closes
  const Descriptor watch_, wake_;
  const std::string name_, path_;
  const Options options_;
  AtModem modem_;
  int clients_ = 0;
  OwnThread thread_;
};

// A link to a pseudo-terminal was left by one that was killed, or is another modem's that it loses. Any other is somebody's:
// /dev/stdin is one.
Status Link(const std::string& target, const std::string& path) {
  struct stat there {};
  if (::lstat(path.c_str(), &there) == 0 && !TargetOf(path).starts_with("/dev/pts/"))
    return Error::Make(Code::kValueSyntax, "terminal_path", path + " is there and is no link to a terminal");
  ::unlink(path.c_str());
  if (::symlink(target.c_str(), path.c_str()) != 0) return NoTerminal(path);
  return Done{};
}

}  // namespace

Result<std::unique_ptr<PtyModem>> PtyModem::Start(const std::string& path, CardPort& card, Options options) {
  Descriptor master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  char name[PATH_MAX];
  if (master.fd() < 0 || ::grantpt(master.fd()) != 0 || ::unlockpt(master.fd()) != 0 ||
      ::ptsname_r(master.fd(), name, sizeof name) != 0) {
    return NoTerminal("pseudo-terminal");
  }
  Descriptor slave(::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
  termios settings{};
  if (slave.fd() < 0 || ::tcgetattr(slave.fd(), &settings) != 0) return NoTerminal(name);
  ::cfmakeraw(&settings);
  ::cfsetspeed(&settings, B115200);
  ::tcsetattr(slave.fd(), TCSANOW, &settings);
  Descriptor watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (watch.fd() < 0 || ::inotify_add_watch(watch.fd(), name, IN_OPEN | IN_CLOSE) < 0)
    return NoTerminal(name);
  if (auto linked = Link(name, path); !linked) return linked.error();
  return std::unique_ptr<PtyModem>(
      new RunningModem(std::move(master), std::move(slave), std::move(watch), name, path, card, options));
}

}  // namespace registry::sim
