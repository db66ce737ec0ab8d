// Attacked: the zone's server by a request over UDP or TCP, as it is, and signed by one who holds the transfer key.
// A fault: a crash; an answer to a response; an answer that is none, is too long, has another id or never ends; a record of
// the zone for one who has not signed.
#include "tests/fuzz/dns_world.h"
#include "tests/fuzz/input.h"

namespace registry::zone::testing {
namespace {

constexpr std::size_t kUdpMax = 65'507, kMessagesMax = 64;

void Judge(View request, Transport transport, DnsWorld& world, bool may_be_authentic) {
  auto reply = world.responder.Answer(request, transport);
  if (!reply) return;
  REG_CHECK(request.size() >= kHeaderSize && (request[2] & 0x80) == 0);
  REG_CHECK(may_be_authentic || !reply->authentic());
  std::size_t messages = 0;
  for (Bytes message; reply->Next(message); ++messages) {
    REG_CHECK(messages < kMessagesMax && message.size() >= kHeaderSize);
    REG_CHECK(message.size() <= (transport == Transport::kUdp ? kUdpMax : 65'535));
    REG_CHECK(message[0] == request[0] && message[1] == request[1] && (message[2] & 0x80) != 0);
    REG_CHECK(reply->authentic() || (message[6] == 0 && message[7] == 0));
    // An error may come back as a header alone, without the question that could not be read.
    if (!reply->authentic()) REG_CHECK(message.size() == kHeaderSize || ParseMessage(message).has_value());
  }
  REG_CHECK(messages > 0);
}

}  // namespace
}  // namespace registry::zone::testing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace registry::zone;
  using namespace registry::zone::testing;
  static DnsWorld world;
  const View request(data, size);
  for (const Transport transport : {Transport::kUdp, Transport::kTcp})
    Judge(request, transport, world, false);
  if (size < kHeaderSize) return 0;
  registry::Bytes signed_request(data, data + size);
  SignRequest(signed_request, world.key, world.clock.Now());
  for (const Transport transport : {Transport::kUdp, Transport::kTcp})
    Judge(signed_request, transport, world, true);
  return 0;
}
