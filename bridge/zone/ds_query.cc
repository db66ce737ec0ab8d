#include "bridge/zone/ds_query.h"

#include <openssl/rand.h>

#include <algorithm>

#include "bridge/zone/conversation.h"
#include "bridge/zone/message.h"

namespace registry::zone {
namespace {

using std::chrono::milliseconds;

Error NoAnswer(const std::string& why) { return Error::Make(Code::kFailed, "zone_parent_failed", why); }

}  // namespace

Result<DsAnswer> DsAnswerFrom(View octets, std::uint16_t id, const Name& zone) {
  const auto message = ParseMessage(octets);
  if (!message || !message->response() || message->id != id || message->question != zone ||
      message->type != kTypeDs || message->qclass != kClassIn) {
    return NoAnswer("its answer is none to the question");
  }
  if (message->rcode() != 0) return NoAnswer("it answers " + RcodeName(message->rcode()));
  DsAnswer answer;
  for (const Record& record : message->answer) {
    if (record.type != kTypeDs || record.rclass != kClassIn || record.owner != zone) continue;
    const View rdata = octets.subspan(record.rdata_at, record.rdata_size);
    answer.rdatas.emplace_back(rdata.begin(), rdata.end());
    answer.ttl = std::max(answer.ttl, record.ttl);
  }
  return answer;
}

Result<DsAnswer> AskDs(const ParentAddress& server, const Name& zone, milliseconds deadline,
                       const std::function<bool()>& stopping) {
  const auto until = Conversation::Clock::now() + deadline;
  auto socket = ConnectTcp(server.address, server.port);
  if (!socket) return socket.error();
  std::uint8_t random[2];
  REG_CHECK(RAND_bytes(random, sizeof random) == 1);
  const auto id = static_cast<std::uint16_t>(random[0] << 8 | random[1]);
  // A resolver must be asked to recurse; a parent's server does not mind.
  const Bytes question = StartMessage(id, kFlagRecursionDesired, zone, kTypeDs);
  Bytes framed;
  PutFramed(framed, question);
  Conversation with(std::move(*socket), until, stopping, &NoAnswer);
  if (auto sent = with.Send(framed); !sent) return sent.error();
  const auto octets = with.ReceiveMessage();
  if (!octets) return octets.error();
  return DsAnswerFrom(*octets, id, zone);
}

}  // namespace registry::zone
