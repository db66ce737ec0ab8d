// Attacked: registryctl's reading of a page, by a server on the same machine that answers anything. What parses is a
// library of the system, which is not built for fuzzing: no coverage leads the way there, the dictionary has to.
// A fault: a crash; a call that does not come back; a body with more in it than was sent.
#include <poll.h>
#include <sys/socket.h>

#include <thread>

#include "bridge/app/http_client.h"
#include "bridge/zone/socket.h"
#include "schemas/base/check.h"
#include "tests/fuzz/alarm.h"
#include "tests/fuzz/input.h"

namespace registry::app {
namespace {

// Answers one connection and waits for its end, so that the port's side is not the one that ends it first.
void AnswerOne(const zone::Socket& listener, std::string_view answer) {
  pollfd waiting{listener.fd(), POLLIN, 0};
  REG_CHECK(fuzz::Poll(waiting, 5000) == 1);
  const zone::Socket peer = zone::AcceptTcp(listener);
  REG_CHECK(peer.fd() >= 0);
  (void)send(peer.fd(), answer.data(), answer.size(), MSG_NOSIGNAL);
  shutdown(peer.fd(), SHUT_WR);
  char part[512];
  pollfd reading{peer.fd(), POLLIN, 0};
  while (fuzz::Poll(reading, 5000) == 1 && recv(peer.fd(), part, sizeof part, 0) > 0) {
  }
}

}  // namespace
}  // namespace registry::app

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace registry;
  static const zone::Socket listener = *zone::ListenTcp("127.0.0.1", 0);
  static const std::uint16_t port = zone::LocalPort(listener);
  const auto answer = fuzz::AsText(data, size);
  std::thread server([&] { app::AnswerOne(listener, answer); });
  const std::string body = app::Fetch("127.0.0.1", port, "/metrics");
  server.join();
  REG_CHECK(body.size() <= size);
  return 0;
}
