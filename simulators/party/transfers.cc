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

void Transfers::Request(wire::TransferRequest request, Accepted accepted) {
  const std::string device = request.device ? request.device->text() : "";
  const auto replied = [this, device, accepted = std::move(accepted)](const Reply& reply) {
    if (reply.accepted) {
      if (const auto state = wire::Decode<wire::TransferState>(reply.data)) accepted(*state);
    }
    Say("requested", reply.accepted ? Text(reply.data, "device") : device, reply);
  };
  if (!client_.Send(request, replied)) replied(NotSent());
}

void Transfers::Heard(const std::string& type, const json& data, const std::string& self) {
  if (type != wire::TransferRequested::kName || Text(data, "from") != self) return;
  const auto transfer = TransferId::Parse(Text(data, "transfer"));
  if (!transfer || answer_ == TransferAnswer::kNone) return;
  const std::string device = Text(data, "device");
  if (answer_ == TransferAnswer::kApprove) {
    client_.Send(wire::TransferApprove{*transfer, ""},
                 [this, device](const Reply& reply) { Say("approved", device, reply); });
  } else {
    client_.Send(wire::TransferReject{*transfer, "refused by the simulator"},
                 [this, device](const Reply& reply) { Say("rejected", device, reply); });
  }
}

}  // namespace registry::sim
