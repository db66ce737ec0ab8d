#include "schemas/wire/content_mode.h"

#include <algorithm>
#include <string>

#include "schemas/wire/batch.h"

namespace registry::wire {
namespace {

constexpr std::string_view kEvents = "application/cloudevents";

// Type and subtype in small letters, without parameters (RFC 9110 §8.3.1).
std::string Essence(std::string_view media_type) {
  media_type = media_type.substr(0, media_type.find(';'));
  while (!media_type.empty() && (media_type.back() == ' ' || media_type.back() == '\t'))
    media_type.remove_suffix(1);
  std::string essence(media_type);
  std::transform(essence.begin(), essence.end(), essence.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return essence;
}

}  // namespace

// §3: what begins with application/cloudevents is structured, everything else binary. But a sender without properties, as
// in MQTT 3.1.1, can only mean the structured mode, whatever its Content Type.
ContentMode ContentModeOf(std::string_view content_type, bool attributes_as_properties) {
  const std::string essence = Essence(content_type);
  if (essence == kEvents || essence == std::string(kEvents) + "+json") return ContentMode::kStructured;
  if (essence == kBatchContentType) return ContentMode::kBatch;
  if (essence.starts_with(kEvents)) return ContentMode::kOtherFormat;
  return attributes_as_properties ? ContentMode::kBinary : ContentMode::kStructured;
}

}  // namespace registry::wire
