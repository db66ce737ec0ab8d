// Attacked: a stream of length-prefixed JSON frames, as the simulators read it from radio and desk.
// A fault: a crash; a frame handed on that is no object with a type; more in frames than was on the stream.
#include <sys/socket.h>
#include <unistd.h>

#include "schemas/base/check.h"
#include "simulators/link/channel.h"
#include "simulators/link/text.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace registry::sim;
  int ends[2];
  REG_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  REG_CHECK(send(ends[0], data, size, MSG_DONTWAIT) == static_cast<ssize_t>(size));
  REG_CHECK(shutdown(ends[0], SHUT_WR) == 0);
  Channel channel(ends[1], {});
  std::size_t frames = 0;
  channel.ReadLoop([&](const nlohmann::json& frame) {
    ++frames;
    REG_CHECK(frame.is_object() && frame.at("t").is_string());
    for (const char* member : {"t", "iccid", "job", "csr"}) (void)Text(frame, member);
    REG_CHECK(channel.Send(frame, std::chrono::milliseconds(0)));
  });
  REG_CHECK(!channel.open());
  REG_CHECK(frames * 12 <= size);  // 4 of length, and at least {"t":""}
  close(ends[0]);
  return 0;
}
