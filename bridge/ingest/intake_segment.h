// bridge/ingest/intake_segment.h: the octets of an intake segment file.
//   segment := header record*     header := "\xffintake2" marker[8] crc32c:u32be   (crc over what is before it)
//                                 or "\xffintake3", where every payload is sealed (intake_seal.h)
//   record  := marker[8] crc32c:u32be size:u32be body[size]                        (crc over size and body)
//   body    := topic payload response_topic correlation_data, each as length:varint octets, then, of a message in another
//              content mode than the structured one, mode:octet (1 binary, 2 other format, 3 batch) id_property to the end
// The marker is random and on disk only, so nobody can write a record into a payload: where octets are damaged, the
// next marker with a right checksum behind it is where reading goes on.
// An older segment has no header its records are size:u32be crc32c:u32be body[size] (crc over body). They are
// still read, past a damaged record only as far as its length is right.
// Pure, any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bridge/ingest/inbound.h"

namespace registry::ingest {

inline constexpr std::size_t kIntakeMarkerSize = 8;
inline constexpr std::size_t kIntakeHeaderSize = 20;

std::string EncodeIntakeHeader(std::string_view marker, bool sealed = false);
std::string EncodeIntakeRecord(std::string_view marker, const InboundMessage& message);

struct IntakeSegment {
  std::vector<InboundMessage> messages;
  bool sealed = false;               // each payload, or, where the header is damaged, each that says so
  bool torn = false;                 // the end is the beginning of a record: its writer died over it
  std::vector<std::size_t> damaged;  // offsets from which on octets are not what was written
};
IntakeSegment DecodeIntakeSegment(std::string_view segment);

}  // namespace registry::ingest
