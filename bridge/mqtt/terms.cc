#include "bridge/mqtt/terms.h"

#include <mqtt/server_response.h>

namespace registry::mqtt {
namespace {

using ::mqtt::property;

template <class T>
std::optional<T> Find(const ::mqtt::properties& properties, property::code code) {
  if (!properties.contains(code)) return std::nullopt;
  return ::mqtt::get<T>(properties, code);
}

std::optional<std::chrono::seconds> Seconds(std::optional<std::uint32_t> value) {
  if (!value) return std::nullopt;
  return std::chrono::seconds(*value);
}

}  // namespace

Terms TermsOf(const ::mqtt::connect_response& response) {
  const auto& said = response.get_properties();
  Terms terms;
  terms.session_present = response.is_session_present();
  terms.receive_max = Find<std::uint16_t>(said, property::RECEIVE_MAXIMUM).value_or(65535);
  terms.qos_max = Find<std::uint8_t>(said, property::MAXIMUM_QOS).value_or(2);
  terms.packet_max = Find<std::uint32_t>(said, property::MAXIMUM_PACKET_SIZE).value_or(0);
  terms.assigned_id = Find<std::string>(said, property::ASSIGNED_CLIENT_IDENTIFER).value_or("");
  terms.wildcards = Find<std::uint8_t>(said, property::WILDCARD_SUBSCRIPTION_AVAILABLE).value_or(1) != 0;
  terms.shares = Find<std::uint8_t>(said, property::SHARED_SUBSCRIPTION_AVAILABLE).value_or(1) != 0;
  terms.keep_alive = Seconds(Find<std::uint16_t>(said, property::SERVER_KEEP_ALIVE));
  terms.session_expiry = Seconds(Find<std::uint32_t>(said, property::SESSION_EXPIRY_INTERVAL));
  return terms;
}

std::string Unfit(const Terms& terms, bool sharing) {
  if (terms.qos_max < 1) {
    return "the broker's Maximum QoS is 0, and the registry needs 1 (MQTT 5 section 3.2.2.3.4)";
  }
  if (!terms.wildcards) {
    return "the broker has no wildcard subscriptions, and the registry hears its parties through one (MQTT 5 "
           "section "
           "3.2.2.3.11)";
  }
  if (sharing && !terms.shares) {
    return "the broker has no shared subscriptions, and several nodes hear their parties through one (MQTT 5 "
           "section 3.2.2.3.13)";
  }
  if (!terms.assigned_id.empty()) {
    return "the broker calls this session " + terms.assigned_id +
           " instead of what mqtt.client_id says, so it would not know the registry again (MQTT 5 section "
           "3.2.2.3.7)";
  }
  return "";
}

}  // namespace registry::mqtt
