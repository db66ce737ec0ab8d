#include "bridge/ingest/intake_segment.h"

#include <optional>

#include "bridge/ledger/crc32c.h"
#include "bridge/ledger/fields.h"

namespace registry::ingest {
namespace {

constexpr std::size_t kPrefixSize = 8;

void PutU32(char* out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) *out++ = static_cast<char>(value >> shift);
}

std::uint32_t U32(std::string_view four_octets) {
  std::uint32_t value = 0;
  for (const char octet : four_octets.substr(0, 4)) value = value << 8 | static_cast<std::uint8_t>(octet);
  return value;
}

void AppendText(std::string& out, const std::string& text) {
  ledger::AppendVarint(out, text.size());
  out += text;
}

bool TakeText(std::string_view& in, std::string& text) {
  const auto size = ledger::TakeVarint(in);
  if (!size || *size > in.size()) return false;
  text = in.substr(0, *size);
  in.remove_prefix(*size);
  return true;
}

std::optional<InboundMessage> TakeRecord(std::string_view& segment) {
  if (segment.size() < kPrefixSize) return std::nullopt;
  const std::size_t size = U32(segment);
  if (segment.size() - kPrefixSize < size) return std::nullopt;
  std::string_view body = segment.substr(kPrefixSize, size);
  if (ledger::Crc32c(body) != U32(segment.substr(4))) return std::nullopt;
  InboundMessage message;
  const bool whole = TakeText(body, message.topic) && TakeText(body, message.payload) &&
                     TakeText(body, message.response_topic) && TakeText(body, message.correlation_data);
  if (!whole || !body.empty()) return std::nullopt;
  segment.remove_prefix(kPrefixSize + size);
  return message;
}

}  // namespace

std::string EncodeIntakeRecord(const InboundMessage& message) {
  std::string record;
  record.reserve(kPrefixSize + message.topic.size() + message.payload.size() + message.response_topic.size() +
                 message.correlation_data.size() + 16);
  record.append(kPrefixSize, '\0');  // filled in once the body is there
  AppendText(record, message.topic);
  AppendText(record, message.payload);
  AppendText(record, message.response_topic);
  AppendText(record, message.correlation_data);
  const std::string_view body = std::string_view(record).substr(kPrefixSize);
  PutU32(record.data(), static_cast<std::uint32_t>(body.size()));
  PutU32(record.data() + 4, ledger::Crc32c(body));
  return record;
}

IntakeSegment DecodeIntakeSegment(std::string_view segment) {
  IntakeSegment decoded;
  while (!segment.empty()) {
    auto message = TakeRecord(segment);
    if (!message) {
      decoded.torn = true;
      break;
    }
    decoded.messages.push_back(std::move(*message));
  }
  return decoded;
}

}  // namespace registry::ingest
