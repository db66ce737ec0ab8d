#include "simulators/mno/transfer_desk.h"

#include <algorithm>

#include "simulators/link/text.h"

namespace registry::sim {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds kNotedWithin{2000};

}  // namespace

Status TransferDesk::Open() {
  if (config_.desk_socket.empty()) return Done{};
  auto listener = Listener::Open(
      config_.desk_socket, [this](const auto& from, const json& frame) { Hear(from, frame); },
      [](const auto&) {});
  if (!listener) return listener.error();
  listener_ = std::move(*listener);
  return Done{};
}

void TransferDesk::Hear(const std::shared_ptr<Connection>& from, const json& frame) {
  const auto eid = Eid::Parse(Text(frame, "eid"));
  const std::string device = Text(frame, "device"), code = Text(frame, "code");
  if (Text(frame, "t") != "transfer" || !eid) return;
  from->Send({{"t", "noted"}, {"device", device}}, kNotedWithin);
  const auto spare = std::find_if(config_.spares.begin(), config_.spares.end(),
                                  [&](const InventoryItem& item) { return item.eid == *eid; });
  if (spare == config_.spares.end()) {
    return report_.Say({{"event", "transfer"},
                        {"what", "requested"},
                        {"device", device},
                        {"ok", false},
                        {"reason", "no_spare_esim"}});
  }
  {
    const MutexLock lock(mutex_);
    if (!shown_.insert(code).second) return;  // brought again
  }
  wire::TransferRequest request;
  request.eid = *eid;
  request.authorisation_code = code;
  request.iccid = spare->iccid;
  transfers_.Request(request, device, [this, iccid = spare->iccid.text()](const wire::TransferState& state) {
    expect_(state.device, iccid);
  });
}

}  // namespace registry::sim
