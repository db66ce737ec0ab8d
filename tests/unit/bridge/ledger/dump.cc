#include "tests/unit/bridge/ledger/dump.h"

#include "bridge/ledger/outbox_tail.h"
#include "bridge/ledger/record_codec.h"
#include "tests/unit/bridge/ledger/samples.h"

namespace registry::ledger {
namespace {

constexpr std::size_t kAll = 1'000'000;

std::string Hex(const std::string& record) { return ToHex(AsBytes(record)); }

std::string DumpPlace(const LedgerReader::Placed& placed) {
  const auto& [place, brief] = placed;
  const auto& [kind, party, endpoint, state] = place.group;
  return "place " + std::to_string(static_cast<int>(kind)) + ' ' + (party ? party->text() : "*") + ' ' +
         (endpoint ? endpoint->text() : "") + ' ' + std::to_string(state ? static_cast<int>(*state) : 0) +
         ' ' + std::to_string(place.position.expires.micros) + ' ' + place.position.device.text() + ' ' +
         Hex(Encode(brief)) + '\n';
}

std::string DumpLists(const LedgerReader& reader) {
  std::string out;
  const auto places = *reader.PlacesAfter(std::nullopt, kAll);
  for (const auto& place : places) out += DumpPlace(place);
  const auto devices = *reader.DevicesAfter(std::nullopt, kAll);
  for (const auto& device : devices) out += "device " + Hex(Encode(device)) + '\n';
  const auto history = *reader.HistoryAfter(0, kAll);
  for (const auto& record : history) {
    out += "history " + std::to_string(record.seq) + ' ' + ToHex(record.hash) + ' ' +
           Hex(Encode(record.entry)) + '\n';
  }
  const auto zone = *reader.ZoneAfter(std::nullopt, kAll);
  for (const auto& change : zone) out += "zone " + Hex(Encode(change)) + '\n';
  const auto revocations = *reader.Revocations();
  for (const auto& revocation : revocations) out += "revocation " + Hex(Encode(revocation)) + '\n';
  const auto letters = *reader.DeadLettersAfter(0, kAll);
  for (const auto& [seq, letter] : letters)
    out += "letter " + std::to_string(seq) + ' ' + Hex(Encode(letter)) + '\n';
  const auto marks = *reader.DayMarksAfter(std::nullopt, kAll);
  for (const auto& mark : marks) {
    out += "mark of day " + std::to_string(mark.day) + ' ' + mark.source.text() + ' ' + mark.id.text() + '\n';
  }
  const auto kept = *reader.LoadMarksKept();
  out += "marks from " + std::to_string(kept.from) + " forgotten " + std::to_string(kept.forgotten) + '\n';
  const auto orders = *reader.OrdersOf(std::nullopt);
  for (const auto& order : orders) {
    out += "order " + Hex(Encode(order)) + '\n';
    const auto items = *reader.OrderItemsAfter(order.id, 0, kAll);
    for (const auto& item : items) out += "item " + Hex(Encode(item)) + '\n';
  }
  const auto jobs = *reader.JobsDue(UtcTime{INT64_MAX}, kAll);
  for (const auto& job : jobs) out += "job " + Hex(Encode(job)) + '\n';
  const auto loads = *reader.JobLoads();
  for (const auto& [mno, load] : loads) {
    out += "load " + mno.text() + ' ' + std::to_string(load.open) + ' ' + std::to_string(load.unsent) + '\n';
    const auto unsent = *reader.JobsUnsent(mno, kAll);
    for (const auto& job : unsent) out += "unsent " + Hex(Encode(job)) + '\n';
  }
  return out;
}

std::string DumpOutboxes(const LedgerReader& reader) {
  std::string out;
  for (const Sink sink : kAllSinks) {
    out += "sink " + Hex(Encode(*reader.LoadSink(sink))) + " last " +
           std::to_string(*reader.OutboxLast(sink)) + '\n';
    const auto entries = *reader.OutboxAfter(sink, 0, kAll, std::chrono::milliseconds(0));
    for (const auto& entry : entries)
      out += std::to_string(entry.seq) + ' ' + Hex(EncodeItem(entry.item)) + '\n';
  }
  return out;
}

std::string DumpFeed(const LedgerReader& reader, const PartyId& party) {
  std::string out = "feed " + party.text() + ' ' + Hex(Encode(*reader.LoadFeed(party))) + '\n';
  const auto items = *reader.FeedFrom(party, 0, kAll);
  for (const auto& item : items) out += Hex(Encode(item)) + '\n';
  return out;
}

std::string DumpNumber(const LedgerReader& reader, std::uint64_t number) {
  std::string out;
  const auto device = samples::DeviceOf(number);
  const auto mark = *reader.FindEvent(samples::Party("mno-a"), samples::Mark(number).id);
  if (mark) out += "mark " + Hex(Encode(*mark)) + '\n';
  const auto holder = *reader.FindUnique({domain::UniqueKind::kEid, AsBytes(samples::EidOf(number).text())});
  if (holder) out += "holder " + holder->text() + '\n';
  const auto endpoint =
      *reader.LoadEndpoint(samples::Party("asp-a"), samples::Endpoint(number).endpoint.name);
  if (endpoint) out += "endpoint " + Hex(Encode(*endpoint)) + '\n';
  const auto jobs = *reader.JobsOf(device);
  for (const auto& job : jobs) out += "job of " + Hex(Encode(job)) + '\n';
  const auto history = *reader.HistoryOf(device);
  for (const auto& record : history) out += "history of " + std::to_string(record.seq) + '\n';
  return out;
}

}  // namespace

std::string Dump(const LedgerReader& reader, const std::vector<std::string>& parties, std::uint64_t numbers) {
  std::string out = DumpLists(reader) + DumpOutboxes(reader);
  for (const auto& party : parties) out += DumpFeed(reader, samples::Party(party));
  for (std::uint64_t number = 0; number < numbers; ++number) {
    out += "number " + std::to_string(number) + '\n' + DumpNumber(reader, number);
  }
  return out;
}

}  // namespace registry::ledger
