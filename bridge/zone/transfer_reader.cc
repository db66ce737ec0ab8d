#include "bridge/zone/transfer_reader.h"

namespace registry::zone {
namespace {

constexpr std::size_t kMessageRecordsMax = 65535;

}  // namespace

bool TransferReader::No(const std::string& why) {
  if (fetched_.why.empty()) fetched_.why = why;
  return false;
}

bool TransferReader::Take(const Bytes& octets) {
  const auto message = ParseMessage(octets, kMessageRecordsMax);
  if (!message || !message->response() || message->id != id_) return No("an answer that is malformed");
  const TsigVerdict verdict = chain_.Take(octets, *message, clock_.Now());
  fetched_.tsig = verdict.told != 0 ? TsigError{verdict.told} : verdict.error;
  std::string said = message->rcode() != 0 ? RcodeName(message->rcode()) : "";
  if (fetched_.tsig != TsigError::kNone) said += (said.empty() ? "" : ", ") + TsigErrorName(fetched_.tsig);
  if (!said.empty()) return No(said);
  for (const Record& record : message->answer) {
    if (!TakeRecord(octets, record)) return false;
  }
  return true;
}

bool TransferReader::TakeRecord(const Bytes& octets, const Record& record) {
  if (ended_) return No("records behind the last SOA");
  const auto rdata = PlainRdata(octets, record);
  if (!rdata || record.rclass != kClassIn) return No("a record that is malformed");
  if (!PrefixIn(record.owner, zone_)) return No("a record of another zone: " + NameToText(record.owner));
  const bool soa = record.type == kTypeSoa && record.owner == zone_;
  if (!begun_ && !soa) return No("a transfer that does not begin with the SOA");
  ended_ = begun_ && soa;
  if (ended_) return *rdata == soa_ || No("a transfer whose last SOA is not its first");
  if (!begun_) {
    const auto serial = SoaSerial(octets, record);
    if (!serial) return No("a SOA that is malformed");
    fetched_.serial = *serial;
    soa_ = *rdata;
    begun_ = true;
  }
  content_.Add(record.owner, record.type, record.ttl, *rdata);
  return content_.octets() <= kFetchOctetsMax || No("a zone that is too large");
}

FetchedZone TransferReader::Result() {
  if (fetched_.why.empty() && ended_ && !chain_.whole()) No("the end of the transfer is not signed");
  if (fetched_.why.empty() && !ended_) No("the transfer has no end");
  if (fetched_.why.empty()) {
    content_.Finish();
    fetched_.content = std::move(content_);
  }
  return std::move(fetched_);
}

}  // namespace registry::zone
