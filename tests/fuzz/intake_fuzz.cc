// Attacked: the reading of an intake segment: any octets; and a row of pieces (how:u8 size:u16be octets) which are whole
// records, or, where `how` is odd, octets that nobody wrote.
// A fault: a crash; a segment that is called sound and is not, octet for octet, its messages written again; a whole record
// that is not read because of what lies before it; damage that is not said, or said without there being any.
#include <openssl/rand.h>

#include "bridge/ingest/intake_segment.h"
#include "schemas/base/check.h"
#include "tests/fuzz/input.h"

namespace registry::ingest {
namespace {

// Nobody knows it who makes an input, as nobody does who sends a message.
const std::string& Marker() {
  static const std::string marker = [] {
    Bytes octets(kIntakeMarkerSize);
    REG_CHECK(RAND_bytes(octets.data(), static_cast<int>(octets.size())) == 1);
    return std::string(AsText(octets));
  }();
  return marker;
}

bool Same(const InboundMessage& a, const InboundMessage& b) {
  return a.topic == b.topic && a.payload == b.payload && a.response_topic == b.response_topic &&
         a.correlation_data == b.correlation_data && a.mode == b.mode && a.id_property == b.id_property;
}

std::string Written(const std::string& marker, const std::vector<InboundMessage>& messages) {
  std::string segment = EncodeIntakeHeader(marker);
  for (const InboundMessage& message : messages) segment += EncodeIntakeRecord(marker, message);
  return segment;
}

void JudgeOctets(std::string_view segment) {
  const IntakeSegment decoded = DecodeIntakeSegment(segment);
  for (const std::size_t at : decoded.damaged) REG_CHECK(at < segment.size());
  const IntakeSegment again = DecodeIntakeSegment(Written(Marker(), decoded.messages));
  REG_CHECK(!again.torn && again.damaged.empty());
  REG_CHECK(std::equal(again.messages.begin(), again.messages.end(), decoded.messages.begin(),
                       decoded.messages.end(), Same));
  if (!segment.starts_with(EncodeIntakeHeader("").substr(0, 8)) || decoded.torn || !decoded.damaged.empty())
    return;
  if (segment.size() < kIntakeHeaderSize) return;
  REG_CHECK(Written(std::string(segment.substr(8, kIntakeMarkerSize)), decoded.messages) == segment);
}

InboundMessage MessageOf(std::uint8_t how, const Bytes& octets) {
  const std::string text(AsText(octets));
  const std::size_t cut = std::min<std::size_t>(how, text.size());
  InboundMessage message{text.substr(0, cut), text.substr(cut), text.substr(0, cut / 2),
                         text.substr(cut / 2, cut)};
  if ((how & 6) == 6) return message;
  message.mode = static_cast<wire::ContentMode>((how & 6) >> 1);
  if (message.mode != wire::ContentMode::kStructured) message.id_property = text.substr(0, cut / 3);
  return message;
}

void JudgePieces(fuzz::Input input) {
  std::string segment = EncodeIntakeHeader(Marker());
  std::vector<InboundMessage> put;
  bool sound = true;
  while (!input.AtEnd()) {
    const std::uint8_t how = input.Octet();
    const std::size_t high = input.Octet(), low = input.Octet();
    const Bytes octets = input.Take(high << 8 | low);
    const bool foreign = (how & 1) != 0;
    sound = sound && (!foreign || octets.empty());
    if (!foreign) put.push_back(MessageOf(how, octets));
    segment += foreign ? std::string(AsText(octets)) : EncodeIntakeRecord(Marker(), put.back());
  }
  const IntakeSegment decoded = DecodeIntakeSegment(segment);
  REG_CHECK(std::equal(decoded.messages.begin(), decoded.messages.end(), put.begin(), put.end(), Same));
  REG_CHECK(sound == (!decoded.torn && decoded.damaged.empty()));
}

}  // namespace
}  // namespace registry::ingest

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  registry::ingest::JudgeOctets(registry::fuzz::AsText(data, size));
  registry::ingest::JudgePieces({data, size});
  return 0;
}
