#include "bridge/zone/fetch_zone.h"

#include <algorithm>

#include "bridge/zone/conversation.h"

namespace registry::zone {
namespace {

using std::chrono::milliseconds;
using Steady = Conversation::Clock;

Error NoTransfer(const std::string& why) { return Error::Make(Code::kFailed, "zone_socket_failed", why); }

class Fetch {
 public:
  Fetch(const Name& zone, const TsigKey& key, const Clock& clock, FetchPatience patience)
      : zone_(zone), key_(key), clock_(clock), step_(patience.step), until_(Steady::now() + patience.whole) {}

  FetchedZone From(const SecondaryAddress& server, const std::string& source) {
    auto socket = ConnectTcp(server.address, server.port, source);
    if (!socket) {
      FetchedZone nothing;
      nothing.why = socket.error().message;
      return nothing;
    }
    with_.emplace(
        std::move(*socket), until_, [] { return false; }, &NoTransfer);
    const std::uint16_t id = FreshId();
    Bytes question = StartMessage(id, 0, zone_, kTypeAxfr);
    reader_.emplace(zone_, key_, clock_, id, SignRequest(question, key_, clock_.Now()));
    NextStep();
    if (Ask(question)) ReadAnswers();
    return reader_->Result();
  }

 private:
  void NextStep() { with_->Until(std::min(Steady::now() + step_, until_)); }

  bool Ask(const Bytes& question) {
    Bytes framed;
    PutFramed(framed, question);
    const Status sent = with_->Send(framed);
    return sent || reader_->No(sent.error().message);
  }

  void ReadAnswers() {
    while (reader_->wants_more()) {
      NextStep();
      const auto octets = with_->ReceiveMessage();
      if (!octets) return void(reader_->No(octets.error().message));
      if (!reader_->Take(*octets)) return;
    }
  }

  const Name& zone_;
  const TsigKey& key_;
  const Clock& clock_;
  const milliseconds step_;
  const Steady::time_point until_;
  std::optional<Conversation> with_;
  std::optional<TransferReader> reader_;
};

}  // namespace

FetchedZone FetchZone(const SecondaryAddress& server, const Name& zone, const TsigKey& key,
                      const Clock& clock, const std::string& source, FetchPatience patience) {
  return Fetch(zone, key, clock, patience).From(server, source);
}

}  // namespace registry::zone
