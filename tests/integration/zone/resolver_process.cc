#include "tests/integration/zone/resolver_process.h"

#include <poll.h>

#include "bridge/zone/keys.h"
#include "bridge/zone/message.h"
#include "bridge/zone/socket.h"
#include "tests/integration/zone/secondary_process.h"

namespace registry::zone::testing {
namespace {

constexpr std::uint16_t kFlagAuthentic = 0x0020;

Heard HeardOf(const Message& message, std::uint16_t type) {
  Heard heard;
  heard.answered = true;
  heard.rcode = message.rcode();
  heard.validated = (message.flags & kFlagAuthentic) != 0;
  for (const Record& record : message.answer) {
    if (record.type == type && heard.records++ == 0) heard.ttl = record.ttl;
  }
  return heard;
}

}  // namespace

Heard AskPort(std::uint16_t port, const std::string& name, std::uint16_t type,
              std::chrono::milliseconds patience) {
  const auto socket = ConnectUdp("127.0.0.1", port);
  const auto question = NameFromText(name);
  if (!socket || !question) return {};
  const std::uint16_t id = FreshId();
  const Bytes message = StartMessage(id, kFlagRecursionDesired | kFlagAuthentic, *question, type);
  send(socket->fd(), message.data(), message.size(), MSG_NOSIGNAL);
  const auto until = std::chrono::steady_clock::now() + patience;
  for (auto now = std::chrono::steady_clock::now(); now < until; now = std::chrono::steady_clock::now()) {
    pollfd polled{socket->fd(), POLLIN, 0};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now);
    if (poll(&polled, 1, static_cast<int>(left.count())) != 1) continue;
    std::uint8_t buffer[4096];
    const ssize_t size = recv(socket->fd(), buffer, sizeof buffer, 0);
    if (size < 0) return {};  // nobody listens there
    const auto answer = ParseMessage(View(buffer, static_cast<std::size_t>(size)));
    if (!answer || !answer->response() || answer->id != id) continue;
    // A truncated answer (a rate limit) says nothing.
    return (answer->flags & kFlagTruncated) != 0 ? Heard() : HeardOf(*answer, type);
  }
  return {};
}

bool ResolverProcess::Start(std::uint16_t authority, const std::string& more) {
  const auto port = ports_.Take();
  if (!port) return false;
  port_ = *port;
  const std::string folder = files_.path("");
  std::ofstream(files_.path("resolver.key")) << *DnskeyText(kZone, files_.path("ksk.pem"), kKskFlags) << "\n";
  std::ofstream(files_.path("resolver.conf"))
      << "server:\n interface: 127.0.0.1@" << port_ << "\n directory: \"" << folder << "\"\n pidfile: \""
      << files_.path("resolver.pid") << "\"\n trust-anchor-file: \"" << files_.path("resolver.key")
      << "\"\n username: \"\"\n chroot: \"\"\n use-syslog: no\n do-not-query-localhost: no\n num-threads: 1\n"
      << " module-config: \"validator iterator\"\n val-log-level: 2\n local-zone: \"test.\" nodefault\n"
      << more << "remote-control:\n control-enable: no\nstub-zone:\n name: \"" << kZone
      << ".\"\n stub-addr: 127.0.0.1@" << authority << "\n";
  auto started = lab::Process::Start({"resolver",
                                      {"unbound", "-d", "-c", files_.path("resolver.conf")},
                                      folder,
                                      files_.path("resolver.log"),
                                      {},
                                      {}});
  if (!started) return false;
  process_ = std::move(*started);
  return Eventually([this] { return Ask(kZone, kTypeSoa).believed(); });
}

std::string ResolverProcess::Log() const { return lab::TailOf(files_.path("resolver.log"), 20); }

}  // namespace registry::zone::testing
