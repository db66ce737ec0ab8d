#include "bridge/zone/copied_answer.h"

#include "bridge/zone/transfer_reader.h"

namespace registry::zone {
namespace {

constexpr std::size_t kMessageRecordsMax = 65535;

}  // namespace

bool CopyReader::No(const std::string& why) {
  why_ = why;
  return false;
}

bool CopyReader::Take(const Bytes& octets) {
  const auto message = ParseMessage(octets, kMessageRecordsMax);
  if (!message || !message->response() || message->id != id_) return No("an answer that is malformed");
  const TsigVerdict verdict = chain_.Take(octets, *message, clock_.Now());
  const TsigError tsig = verdict.told != 0 ? TsigError{verdict.told} : verdict.error;
  std::string said = message->rcode() != 0 ? RcodeName(message->rcode()) : "";
  if (tsig != TsigError::kNone) said += (said.empty() ? "" : ", ") + TsigErrorName(tsig);
  if (!said.empty()) return No(said);
  if (message->answer.empty()) return No("an answer without records");
  for (const Record& record : message->answer) {
    if (!TakeRecord(octets, record)) return false;
  }
  return true;
}

bool CopyReader::Finish() { return chain_.whole() || No("the end of the transfer is not signed"); }

bool CopyReader::TakeRecord(const Bytes& octets, const Record& record) {
  if (stage_ == Stage::kEnd) return No("records behind the last SOA");
  auto rdata = PlainRdata(octets, record);
  if (!rdata || record.rclass != kClassIn) return No("a record that is malformed");
  auto prefix = PrefixIn(record.owner, zone_);
  if (!prefix) return No("a record of another zone: " + NameToText(record.owner));
  octets_ += prefix->size() + rdata->size() + kRecordFixed;
  held_ += sizeof(CopiedRecord);  // many small ones take more room than octets
  if (octets_ + held_ > kFetchOctetsMax) return No("a zone that is too large");
  const bool is_soa = record.type == kTypeSoa && prefix->empty();
  CopiedRecord copied{std::move(*prefix), record.type, record.ttl, std::move(*rdata)};
  if (is_soa) {
    const auto serial = SoaSerial(octets, record);
    return serial ? TakeSoa(std::move(copied), *serial) : No("a SOA that is malformed");
  }
  if (stage_ == Stage::kBegin) return No("a transfer that does not begin with the SOA");
  if (stage_ == Stage::kSecond && !BeginWhole()) return false;
  if (stage_ == Stage::kWhole) return TakeOfWhole(std::move(copied));
  CopiedStep& step = answer_.steps.back();
  (stage_ == Stage::kRemoved ? step.removed : step.added).push_back(std::move(copied));
  return true;
}

// RFC 1995 §4: the second SOA says whether differences follow, and every one behind it where one ends.
bool CopyReader::TakeSoa(CopiedRecord soa, std::uint32_t serial) {
  switch (stage_) {
    case Stage::kBegin:
      answer_.serial = serial;
      first_ = std::move(soa);
      stage_ = have_ && !SerialAhead(serial, *have_) ? Stage::kEnd : Stage::kSecond;
      return true;
    case Stage::kSecond:
      if (!have_ || serial != *have_) return No("a zone that is empty");
      answer_.kind = CopiedAnswer::Kind::kDifferences;
      return BeginStep(serial);
    case Stage::kRemoved:
      if (!SerialAhead(serial, answer_.steps.back().from)) return No("a difference that leads back");
      answer_.steps.back().to = serial;
      answer_.steps.back().added.push_back(std::move(soa));
      stage_ = Stage::kAdded;
      return true;
    case Stage::kAdded:
      if (serial != answer_.steps.back().to) return No("a difference that does not lead on");
      return serial == answer_.serial ? End(soa.rdata) : BeginStep(serial);
    default:
      return SealSet() && End(soa.rdata);
  }
}

bool CopyReader::BeginStep(std::uint32_t from) {
  answer_.steps.push_back({from, from, {}, {}});
  stage_ = Stage::kRemoved;
  return true;
}

bool CopyReader::End(const Bytes& soa) {
  stage_ = Stage::kEnd;
  return soa == first_.rdata || No("a transfer whose last SOA is not its first");
}

bool CopyReader::BeginWhole() {
  answer_.kind = CopiedAnswer::Kind::kWhole;
  stage_ = Stage::kWhole;
  type_ = kTypeSoa;
  parts_.ttl = first_.ttl;
  parts_.rdatas.push_back(first_.rdata);
  return true;
}

bool CopyReader::TakeOfWhole(CopiedRecord record) {
  const std::uint16_t type = TypeOfSet(record.type, record.rdata);
  if (record.prefix != prefix_ || type != type_) {
    if (!SealSet()) return false;
    prefix_ = std::move(record.prefix);
    type_ = type;
    parts_.ttl = record.ttl;
  }
  (record.type == kTypeRrsig ? parts_.rrsigs : parts_.rdatas).push_back(std::move(record.rdata));
  return true;
}

bool CopyReader::SealSet() {
  BlockPtr block = BlockOf(prefix_, type_, std::exchange(parts_, {}), frames_);
  held_ = 0;
  if (block == nullptr) return No("records that are no signed set, of type " + TypeText(type_));
  if (type_ == kTypeSoa && prefix_.empty()) {
    answer_.soa = std::move(block);
    return true;
  }
  return answer_.blocks.Add(std::move(block)) || No("a set that comes twice, of type " + TypeText(type_));
}

}  // namespace registry::zone
