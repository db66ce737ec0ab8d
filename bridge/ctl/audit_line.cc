#include "bridge/ctl/audit_line.h"

#include "bridge/ledger/record_codec.h"

namespace registry::ctl {
namespace {

const Bytes kBeforeAll(ledger::kChainSize, 0);

std::string Member(const Json& line, const char* name) {
  const auto found = line.find(name);
  return found != line.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

Json AuditLine(const ledger::HistoryRecord& record, const Bytes& previous) {
  const auto& entry = record.entry;
  Json line{{"seq", record.seq}, {"at", Text(entry.at)}, {"actor", entry.actor.text()}};
  if (entry.device != DeviceId()) line["device"] = entry.device.text();
  line["what"] = entry.what;
  if (entry.cause) line["cause"] = entry.cause->text();
  line["record"] = ToBase64(AsBytes(ledger::Encode(entry)));
  line["previous"] = ToHex(previous.empty() ? kBeforeAll : previous);
  line["hash"] = ToHex(record.hash);
  return line;
}

std::optional<std::string> AuditCheck::Take(std::string_view text) {
  const Json line = Json::parse(text, nullptr, false);
  const auto seq = line.is_object() ? line.find("seq") : line.end();
  if (!line.is_object() || seq == line.end() || !seq->is_number_unsigned())
    return "it is no line of the audit stream";
  const auto octets = FromBase64(Member(line, "record"));
  if (!octets) return "its record is no base64";
  const std::string stored(octets->begin(), octets->end());
  auto entry = ledger::Decode<domain::HistoryEntry>(stored);
  if (!entry) return "its record cannot be read: " + entry.error().message;
  const auto previous = FromHex(Member(line, "previous"));
  if (!previous || previous->size() != ledger::kChainSize) return "its previous is no hash";
  const bool first = lines_ == 0;
  const ledger::Seq number = seq->get<ledger::Seq>();
  if (!first && number != last_ + 1)
    return "it is entry " + std::to_string(number) + ", and " + std::to_string(last_ + 1) + " is due";
  if (!first && *previous != hash_) return "it does not follow the line before: previous is another hash";
  if (number == 1 && *previous != kBeforeAll) return "it is the first entry, and previous is not zeros";
  const ledger::HistoryRecord record{number, std::move(*entry), ledger::ChainHash(*previous, stored)};
  if (AuditLine(record, *previous) != line) return "what it says is not what its record and hash say";
  if (first) {
    first_ = number;
    before_first_ = *previous;
  }
  ++lines_;
  last_ = number;
  hash_ = record.hash;
  return std::nullopt;
}

}  // namespace registry::ctl
