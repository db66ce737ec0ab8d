#include "simulators/party/transfers.h"

#include "simulators/link/text.h"
#include "simulators/mqtt/again.h"

namespace registry::sim {

using nlohmann::json;

std::optional<TransferAnswer> TransferAnswerOf(const std::string& text) {
  if (text == "approve") return TransferAnswer::kApprove;
  if (text == "reject") return TransferAnswer::kReject;
  if (text == "none") return TransferAnswer::kNone;
  return std::nullopt;
}

void Transfers::Say(const char* what, const std::string& device, const Reply& reply) {
  report_.Say({{"event", "transfer"},
               {"what", what},
               {"device", device},
               {"transfer", Text(reply.data, "transfer")},
               {"ok", reply.accepted},
               {"reason", ReasonOf(reply)}});
}

void Transfers::Give(const DeviceId& device, const std::string& to, json desk) {
  const auto replied = [this, device, to, desk = std::move(desk)](const Reply& reply) mutable {
    const auto made =
        reply.accepted ? wire::Decode<wire::Authorisation>(reply.data) : Result<wire::Authorisation>(Error{});
    Say("given", device.text(), reply);
    if (!made) return;
    desk["t"] = "transfer";
    desk["device"] = device.text();
    desk["code"] = made->authorisation_code;
    desks_.HandOver(to, std::move(desk));
  };
  if (!client_.Send(wire::AuthorisationSet{device, "transfer", 0}, replied)) {
    auto not_sent = replied;
    not_sent(NotSent());
  }
}

void Transfers::Request(wire::TransferRequest request, const std::string& device, Accepted accepted) {
  const auto replied = [this, device, accepted = std::move(accepted)](const Reply& reply) {
    if (reply.accepted) {
      if (const auto state = wire::Decode<wire::TransferState>(reply.data)) {
        Note(state->device.text(), state->transfer);
        accepted(*state);
      }
    }
    Say("requested", device, reply);
  };
  if (!client_.Send(request, replied)) replied(NotSent());
}

void Transfers::Heard(const std::string& type, const json& data, const std::string& self) {
  if (type != wire::TransferRequested::kName || Text(data, "from") != self) return;
  const auto transfer = TransferId::Parse(Text(data, "transfer"));
  if (!transfer) return;
  const std::string device = Text(data, "device");
  Note(device, *transfer);
  const TransferAnswer answer = answer_;
  if (answer == TransferAnswer::kApprove) Decide<wire::TransferApprove>(*transfer, device, "approved");
  if (answer == TransferAnswer::kReject) Decide<wire::TransferReject>(*transfer, device, "rejected");
}

bool Transfers::Control(const json& command) {
  const std::string verb = Text(command, "cmd"), device = Text(command, "device");
  if (verb == "answer") {
    const auto answer = TransferAnswerOf(Text(command, "answer"));
    if (answer) answer_ = *answer;
    if (!answer) report_.Say({{"event", "control_refused"}, {"reason", "answer_malformed"}});
    return true;
  }
  if (verb != "approve" && verb != "reject" && verb != "cancel") return false;
  std::optional<TransferId> transfer;
  {
    const MutexLock lock(mutex_);
    if (const auto found = last_.find(device); found != last_.end()) transfer = found->second;
  }
  if (!transfer) {
    report_.Say({{"event", "control_refused"}, {"reason", "transfer_unknown"}});
  } else if (verb == "approve") {
    Decide<wire::TransferApprove>(*transfer, device, "approved");
  } else if (verb == "reject") {
    Decide<wire::TransferReject>(*transfer, device, "rejected");
  } else {
    Decide<wire::TransferCancel>(*transfer, device, "cancelled");
  }
  return true;
}

template <class Command>
void Transfers::Decide(const TransferId& transfer, const std::string& device, const char* what) {
  const auto replied = [this, device, what](const Reply& reply) { Say(what, device, reply); };
  if (!client_.Send(Command{transfer, "decided by the simulator"}, replied)) replied(NotSent());
}

void Transfers::Note(const std::string& device, const TransferId& transfer) {
  const MutexLock lock(mutex_);
  last_.insert_or_assign(device, transfer);
}

}  // namespace registry::sim
