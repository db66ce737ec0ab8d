#include "bridge/zone/ds_query.h"

#include <openssl/rand.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "bridge/zone/message.h"
#include "bridge/zone/socket.h"

namespace registry::zone {
namespace {

using std::chrono::milliseconds;
using AskClock = std::chrono::steady_clock;

constexpr milliseconds kStopLook{100};
constexpr std::size_t kAnswerMax = 65535;

Error NoAnswer(const std::string& why) { return Error::Make(Code::kFailed, "zone_parent_failed", why); }

class Conversation {
 public:
  Conversation(Socket socket, AskClock::time_point until, const std::function<bool()>& stopping)
      : socket_(std::move(socket)), until_(until), stopping_(stopping) {}

  Status Send(View octets) {
    while (!octets.empty()) {
      const ssize_t put = send(socket_.fd(), octets.data(), octets.size(), MSG_NOSIGNAL);
      if (put > 0) {
        octets = octets.subspan(static_cast<std::size_t>(put));
      } else if (auto ready = Again(POLLOUT); !ready) {
        return ready;
      }
    }
    return Done{};
  }
  Result<Bytes> Receive(std::size_t size) {
    Bytes octets(size);
    for (std::size_t have = 0; have < size;) {
      const ssize_t got = recv(socket_.fd(), octets.data() + have, size - have, 0);
      if (got == 0) return NoAnswer("it has closed the connection");
      if (got > 0) {
        have += static_cast<std::size_t>(got);
      } else if (auto ready = Again(POLLIN); !ready) {
        return ready.error();
      }
    }
    return octets;
  }

 private:
  // Behind a call that has failed: waits when it is for that only.
  Status Again(short event) {
    if (errno != EAGAIN && errno != EINTR) return NoAnswer(std::strerror(errno));
    while (!stopping_()) {
      if (AskClock::now() >= until_) return NoAnswer("it does not answer in time");
      pollfd wait{socket_.fd(), event, 0};
      if (poll(&wait, 1, static_cast<int>(kStopLook.count())) > 0) return Done{};
    }
    return NoAnswer("stopped");
  }

  Socket socket_;
  const AskClock::time_point until_;
  const std::function<bool()>& stopping_;
};

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
  const auto until = AskClock::now() + deadline;
  auto socket = ConnectTcp(server.address, server.port);
  if (!socket) return socket.error();
  std::uint8_t random[2];
  REG_CHECK(RAND_bytes(random, sizeof random) == 1);
  const auto id = static_cast<std::uint16_t>(random[0] << 8 | random[1]);
  // A resolver must be asked to recurse; a parent's server does not mind.
  const Bytes question = StartMessage(id, kFlagRecursionDesired, zone, kTypeDs);
  Bytes framed;
  PutU16(framed, static_cast<std::uint16_t>(question.size()));
  Put(framed, question);
  Conversation with(std::move(*socket), until, stopping);
  if (auto sent = with.Send(framed); !sent) return sent.error();
  const auto size = with.Receive(2);
  if (!size) return size.error();
  static_assert(kAnswerMax == 0xffff, "two octets say no more");
  const auto octets = with.Receive(static_cast<std::size_t>((*size)[0] << 8 | (*size)[1]));
  if (!octets) return octets.error();
  return DsAnswerFrom(*octets, id, zone);
}

}  // namespace registry::zone
