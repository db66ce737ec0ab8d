#include "clients/verdict/notifications.h"

#include "schemas/wire/batch.h"
#include "schemas/wire/life_messages.h"
#include "schemas/wire/messages.h"

namespace registry::clients {
namespace {

std::string TextAt(const nlohmann::json& data, const char* member) {
  const auto found = data.is_object() ? data.find(member) : data.end();
  return found != data.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// "device.activated" of the type; empty: it is no notification.
std::string EventOf(const wire::Envelope& envelope) {
  static const std::string kEvents = wire::EventType("");
  return envelope.type.starts_with(kEvents) ? envelope.type.substr(kEvents.size()) : std::string();
}

std::string DeviceIn(const wire::Envelope& envelope) {
  const std::string device = TextAt(envelope.data, "device");
  return DeviceId::Parse(device) ? device : std::string();
}

}  // namespace

std::string Hear(const wire::Envelope& notification, const std::string& party, OwnDevices& own) {
  const std::string event = EventOf(notification), device = DeviceIn(notification);
  if (event.empty() || device.empty()) return {};
  const std::uint64_t seq = notification.seq.value_or(0);
  const bool to_another = event == wire::TransferCompleted::kName &&
                          TextAt(notification.data, "kind") == "asp" &&
                          TextAt(notification.data, "from") == party;
  own.Heard(event, device, seq);
  if (to_another) own.Lost(device, seq);
  return device;
}

Result<std::vector<std::string>> HearPayload(std::string_view payload, const std::string& party,
                                             OwnDevices& own, const ClientCheck& check) {
  std::vector<std::string_view> items = {payload};
  if (payload.substr(0, payload.find_first_not_of(" \t\r\n") + 1).ends_with('[')) {
    auto split = wire::SplitBatch(payload);
    if (!split) return split.error();
    items = std::move(*split);
  }
  std::vector<wire::Envelope> envelopes;
  for (const std::string_view item : items) {
    auto envelope = wire::DecodeEnvelope(item);
    if (!envelope) return envelope.error();
    envelopes.push_back(std::move(*envelope));
  }
  std::vector<std::string> heard;
  for (const wire::Envelope& envelope : envelopes) {
    std::string device = Hear(envelope, party, own);
    if (device.empty()) continue;
    check.Forget(device);
    heard.push_back(std::move(device));
  }
  return heard;
}

}  // namespace registry::clients
