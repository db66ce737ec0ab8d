#include "bridge/zone/message.h"

#include <openssl/rand.h>

#include <iterator>

#include "schemas/base/check.h"

namespace registry::zone {
namespace {

bool ReadRecord(Reader& reader, Record& record) {
  record.start = reader.at();
  std::uint16_t size = 0;
  if (!reader.ReadName(record.owner) || !reader.U16(record.type) || !reader.U16(record.rclass) ||
      !reader.U32(record.ttl) || !reader.U16(size)) {
    return false;
  }
  record.rdata_at = reader.at();
  record.rdata_size = size;
  return reader.Skip(size);
}

bool ReadQuestion(View octets, Reader& reader, Message& message) {
  const std::size_t start = reader.at();
  if (!reader.ReadName(message.question)) return false;
  const View as_it_came = octets.subspan(start, reader.at() - start);
  // A name with a pointer in it would point elsewhere in an answer; there is nothing before it to point to but the header.
  if (as_it_came.size() != message.question.size()) return false;
  message.asked_as.assign(as_it_came.begin(), as_it_came.end());
  return reader.U16(message.type) && reader.U16(message.qclass);
}

bool ReadSection(Reader& reader, std::uint16_t count, bool last, std::vector<Record>& section) {
  for (std::uint16_t i = 0; i < count; ++i) {
    Record record;
    if (!ReadRecord(reader, record)) return false;
    // RFC 8945 §5.1: TSIG is the last record of the additional section, else FORMERR.
    if (record.type == kTypeTsig && (!last || i + 1 != count)) return false;
    section.push_back(std::move(record));
  }
  return true;
}

}  // namespace

std::string RcodeName(std::uint8_t rcode) {
  // RFC 1035 §4.1.1, RFC 2136 §2.2.
  static constexpr const char* kNames[] = {"NOERROR", "FORMERR",  "SERVFAIL", "NXDOMAIN", "NOTIMP",
                                           "REFUSED", "YXDOMAIN", "YXRRSET",  "NXRRSET",  "NOTAUTH"};
  return rcode < std::size(kNames) ? kNames[rcode] : "RCODE " + std::to_string(rcode);
}

std::optional<Message> ParseMessage(View octets, std::size_t records_max) {
  Reader reader(octets);
  Message message;
  std::uint16_t questions = 0, answers = 0, authorities = 0, additionals = 0;
  if (!reader.U16(message.id) || !reader.U16(message.flags) || !reader.U16(questions) ||
      !reader.U16(answers) || !reader.U16(authorities) || !reader.U16(additionals)) {
    return std::nullopt;
  }
  if (questions > 1 || (questions == 0 && !message.response()) ||
      std::size_t{answers} + authorities + additionals > records_max)
    return std::nullopt;
  if (questions == 1 && !ReadQuestion(octets, reader, message)) return std::nullopt;
  if (!ReadSection(reader, answers, false, message.answer) ||
      !ReadSection(reader, authorities, false, message.authority) ||
      !ReadSection(reader, additionals, true, message.additional) || reader.left() != 0) {
    return std::nullopt;
  }
  return message;
}

std::optional<std::uint32_t> SoaSerial(View octets, const Record& record) {
  if (record.type != kTypeSoa || record.rclass != kClassIn) return std::nullopt;
  Reader reader(octets, record.rdata_at);
  Name name;
  std::uint32_t serial = 0;
  if (!reader.ReadName(name) || !reader.ReadName(name) || !reader.U32(serial) || !reader.Skip(16) ||
      reader.at() != record.rdata_at + record.rdata_size) {
    return std::nullopt;
  }
  return serial;
}

std::uint16_t FreshId() {
  std::uint8_t octets[2];
  REG_CHECK(RAND_bytes(octets, sizeof octets) == 1);
  return static_cast<std::uint16_t>(octets[0] << 8 | octets[1]);
}

Bytes StartMessage(std::uint16_t id, std::uint16_t flags, View question, std::uint16_t type) {
  Bytes message;
  PutU16(message, id);
  PutU16(message, flags);
  PutU16(message, 1);
  for (int i = 0; i < 3; ++i) PutU16(message, 0);
  Put(message, question);
  PutU16(message, type);
  PutU16(message, kClassIn);
  return message;
}

void PutEdns(Bytes& message, bool dnssec_ok) {
  constexpr std::uint16_t kTypeOpt = 41, kUdpSize = 1232;
  constexpr std::uint32_t kDnssecOk = 0x8000;  // RFC 3225
  constexpr std::size_t kAdditionalCount = 10;
  message.push_back(0);
  PutU16(message, kTypeOpt);
  PutU16(message, kUdpSize);
  PutU32(message, dnssec_ok ? kDnssecOk : 0);
  PutU16(message, 0);
  SetU16(message, kAdditionalCount, 1);
}

}  // namespace registry::zone
