// bridge/ingest/intake_segment.h: the octets of an intake segment file.
//   segment := record*      record := size:u32be crc32c:u32be body[size]      (crc over body)
//   body    := topic payload response_topic correlation_data, each as length:varint octets
// Pure, any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bridge/ingest/inbound.h"

namespace registry::ingest {

std::string EncodeIntakeRecord(const InboundMessage& message);

struct IntakeSegment {
  std::vector<InboundMessage> messages;
  bool torn = false;  // what follows the last message is not a whole record
};
IntakeSegment DecodeIntakeSegment(std::string_view segment);

}  // namespace registry::ingest
