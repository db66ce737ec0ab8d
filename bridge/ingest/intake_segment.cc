#include "bridge/ingest/intake_segment.h"

#include <algorithm>
#include <optional>

#include "bridge/ledger/crc32c.h"
#include "bridge/ledger/fields.h"

namespace registry::ingest {
namespace {

constexpr std::string_view kPlainMagic("\xffintake2", 8), kSealedMagic("\xffintake3", 8);
constexpr std::size_t kMagicOctetsRight =
    6;  // a damaged header is still one; a segment without begins with a 0
constexpr std::size_t kPrefixSize = kIntakeMarkerSize + 8;
constexpr std::size_t kOldPrefixSize = 8;

void AppendU32(std::string& out, std::size_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
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

// Most messages are in the structured mode, and so have nothing here.
std::string ModeOctets(const InboundMessage& message) {
  if (message.mode == wire::ContentMode::kStructured) return "";
  return static_cast<char>(message.mode) + message.id_property;
}

bool TakeMode(std::string_view in, InboundMessage& message) {
  if (in.empty()) return true;
  message.mode = static_cast<wire::ContentMode>(in.front());
  message.id_property = in.substr(1);
  return message.mode > wire::ContentMode::kStructured && message.mode <= wire::ContentMode::kBatch;
}

std::optional<InboundMessage> ParseBody(std::string_view body) {
  InboundMessage message;
  const bool whole = TakeText(body, message.topic) && TakeText(body, message.payload) &&
                     TakeText(body, message.response_topic) && TakeText(body, message.correlation_data) &&
                     TakeMode(body, message);
  if (!whole) return std::nullopt;
  return message;
}

struct Taken {
  InboundMessage message;
  std::size_t size = 0;  // of the record
};

std::optional<Taken> TakeRecord(std::string_view in, std::string_view marker) {
  if (in.size() < kPrefixSize || !in.starts_with(marker)) return std::nullopt;
  const std::string_view sealed = in.substr(kIntakeMarkerSize + 4);
  const std::size_t size = U32(sealed);
  if (size > in.size() - kPrefixSize) return std::nullopt;
  if (ledger::Crc32c(sealed.substr(0, 4 + size)) != U32(in.substr(kIntakeMarkerSize))) return std::nullopt;
  auto message = ParseBody(in.substr(kPrefixSize, size));
  if (!message) return std::nullopt;
  return Taken{std::move(*message), kPrefixSize + size};
}

// Where the next whole record begins; npos: nowhere.
std::size_t FindRecord(std::string_view segment, std::size_t from, std::string_view marker) {
  for (auto at = segment.find(marker, from); at != segment.npos; at = segment.find(marker, at + 1)) {
    if (TakeRecord(segment.substr(at), marker)) return at;
  }
  return segment.npos;
}

// Whether the rest of a segment is a record of which the end is missing, or what a file that had grown before its octets
// were written shows after a power cut. A whole body with another length is damage.
bool IsTorn(std::string_view rest, std::string_view marker) {
  if (rest.find_first_not_of('\0') == rest.npos) return true;
  if (rest.size() < kPrefixSize) return rest.substr(0, marker.size()) == marker.substr(0, rest.size());
  return rest.starts_with(marker) && U32(rest.substr(kIntakeMarkerSize + 4)) > rest.size() - kPrefixSize &&
         !ParseBody(rest.substr(kPrefixSize));
}

bool HasHeader(std::string_view segment) {
  std::size_t right = 0;
  for (std::size_t i = 0; i < kPlainMagic.size() && i < segment.size(); ++i)
    right += segment[i] == kPlainMagic[i];
  return right >= std::min(kMagicOctetsRight, segment.size());
}

// Of a damaged header the first record knows better.
std::string_view MarkerOf(std::string_view segment, IntakeSegment& decoded) {
  const std::string_view header = segment.substr(0, kIntakeHeaderSize - 4);
  const std::string_view marker = header.substr(kPlainMagic.size());
  if (ledger::Crc32c(header) == U32(segment.substr(header.size()))) return marker;
  decoded.damaged.push_back(0);
  const std::string_view first = segment.substr(kIntakeHeaderSize, kIntakeMarkerSize);
  return TakeRecord(segment.substr(kIntakeHeaderSize), first) ? first : marker;
}

IntakeSegment DecodeMarked(std::string_view segment) {
  IntakeSegment decoded;
  if (segment.size() < kIntakeHeaderSize) return decoded;  // its writer died before the first record
  decoded.sealed = !segment.starts_with(kPlainMagic);
  const std::string_view marker = MarkerOf(segment, decoded);
  for (std::size_t at = kIntakeHeaderSize; at < segment.size();) {
    if (auto taken = TakeRecord(segment.substr(at), marker)) {
      decoded.messages.push_back(std::move(taken->message));
      at += taken->size;
      continue;
    }
    const std::size_t next = FindRecord(segment, at + 1, marker);
    if (next == segment.npos && IsTorn(segment.substr(at), marker)) {
      decoded.torn = true;
    } else {
      decoded.damaged.push_back(at);
    }
    at = next;
  }
  return decoded;
}

// A torn end looks like a damaged length here, so it is called damage: said, and the file is kept.
IntakeSegment DecodeOld(std::string_view segment) {
  IntakeSegment decoded;
  for (std::size_t at = 0; at < segment.size();) {
    const std::string_view rest = segment.substr(at);
    const bool whole = rest.size() >= kOldPrefixSize && U32(rest) <= rest.size() - kOldPrefixSize;
    const std::string_view body = whole ? rest.substr(kOldPrefixSize, U32(rest)) : std::string_view();
    std::optional<InboundMessage> message;
    if (whole && ledger::Crc32c(body) == U32(rest.substr(4))) message = ParseBody(body);
    if (message) {
      decoded.messages.push_back(std::move(*message));
    } else {
      decoded.damaged.push_back(at);
    }
    if (!whole) break;
    at += kOldPrefixSize + body.size();
  }
  return decoded;
}

}  // namespace

std::string EncodeIntakeHeader(std::string_view marker, bool sealed) {
  std::string header(sealed ? kSealedMagic : kPlainMagic);
  header += marker;
  AppendU32(header, ledger::Crc32c(header));
  return header;
}

std::string EncodeIntakeRecord(std::string_view marker, const InboundMessage& message) {
  std::string body;
  body.reserve(message.topic.size() + message.payload.size() + message.response_topic.size() +
               message.correlation_data.size() + 20);
  body.append(4, '\0');  // the size, once the rest is there
  for (const auto* text :
       {&message.topic, &message.payload, &message.response_topic, &message.correlation_data}) {
    AppendText(body, *text);
  }
  body += ModeOctets(message);
  std::string size;
  AppendU32(size, body.size() - 4);
  body.replace(0, 4, size);
  std::string record(marker);
  AppendU32(record, ledger::Crc32c(body));
  return record += body;
}

IntakeSegment DecodeIntakeSegment(std::string_view segment) {
  return HasHeader(segment) ? DecodeMarked(segment) : DecodeOld(segment);
}

}  // namespace registry::ingest
