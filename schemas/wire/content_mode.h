// schemas/wire/content_mode.h: how a CloudEvent is put into an MQTT message (CloudEvents MQTT binding 1.0 §3). The registry
// reads one way; the others are told apart so that their senders hear what is wrong. Pure, any thread.
#pragma once

#include <string_view>

namespace registry::wire {

enum class ContentMode : char {
  kStructured = 0,   // §3.2, one JSON object; also what says nothing of itself
  kBinary = 1,       // §3.1, the payload is the data, the attributes are MQTT user properties
  kOtherFormat = 2,  // §3.2 in another event format than JSON
  kBatch = 3,        // several events in one JSON array (CloudEvents JSON format 1.0.1 §4)
};

// By the Content Type, "" where there is none, and by whether attributes came as user properties.
ContentMode ContentModeOf(std::string_view content_type, bool attributes_as_properties);

}  // namespace registry::wire
