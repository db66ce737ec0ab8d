// workers/domain/binding.h: a device at work for an ASP: whose it is, which of the ASP's endpoints it connects to, and
// which payload last told it so. Plain values, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "schemas/ids/ids.h"
#include "schemas/wire/messages.h"

namespace registry::domain {

// Stored: DO NOT CHANGE THESE NUMBERS.
enum class BindingPhase : std::uint8_t {
  kNext = 1,   // becomes live when the payload that names it is delivered
  kLive = 2,   // the ASP manages the device
  kEnded = 3,  // kept, because the versions of payloads never go back
};
std::string_view PhaseName(BindingPhase phase);

struct Binding {
  std::uint32_t number = 1;  // within its device, never given twice
  PartyId asp;
  EndpointName endpoint;  // of the ASP
  BindingPhase phase = BindingPhase::kLive;
  std::uint64_t composed = 0;   // version of the last payload that was made for it
  std::uint64_t delivered = 0;  // version of the last one reported as installed and accepted by the device
  // A network that the ASP has sealed for this device alone; it takes the place of the endpoint's.
  std::optional<wire::Wifi> wifi = std::nullopt;
  bool operator==(const Binding&) const = default;
};
inline constexpr std::size_t kBindingsMax = 4;       // that have not ended
inline constexpr std::size_t kEndedBindingsMax = 4;  // kept of those that have

}  // namespace registry::domain
