// bridge/ledger/keyed/keys.h: the keys of every column family, as FORMAT.md lists them.
// Numbers are big-endian so that octets sort like numbers; texts that are followed by something end with a
// zero octet, which no identifier contains.
// Pure, any thread.
#pragma once

#include <algorithm>
#include <optional>
#include <string>

#include "bridge/ledger/fields.h"
#include "bridge/ledger/ledger.h"

namespace registry::ledger::keys {

// No key begins with this octet: a range that ends here holds a whole column family.
inline constexpr const char* kBehindAll = "\xff";

inline std::string OfDevice(const DeviceId& id) {
  return std::string(reinterpret_cast<const char*>(id.octets().data()), id.octets().size());
}
inline std::string OfPair(const std::string& first, const std::string& second) {
  return first + '\0' + second;
}
inline std::string OfEvent(const PartyId& source, const EventId& id) {
  return OfPair(source.text(), id.text());
}
inline std::string OfEndpoint(const PartyId& asp, const EndpointName& name) {
  return OfPair(asp.text(), name.text());
}
inline std::string OfUnique(const domain::UniqueValue& value) {
  return static_cast<char>(value.kind) + std::string(AsText(value.value));
}
inline std::string OfSeq(Seq seq) {
  std::string key;
  AppendFixed64(key, seq);
  return key;
}
inline std::string OfDayMark(const domain::DayMark& mark) {
  return OfSeq(mark.day) + OfEvent(mark.source, mark.id);
}
inline std::string OfSink(Sink sink) { return std::string(1, static_cast<char>(sink)); }
inline std::string OfOutbox(Sink sink, Seq seq) { return OfSink(sink) + OfSeq(seq); }
inline std::string OfFeed(const PartyId& party, Seq seq) { return party.text() + '\0' + OfSeq(seq); }
inline std::string OfDeviceHistory(const DeviceId& device, Seq seq) { return OfDevice(device) + OfSeq(seq); }
// nullopt: not the key of one.
inline std::optional<LedgerReader::HistoryPlace> HistoryPlaceOf(std::string_view key) {
  DeviceId::Octets octets;
  if (key.size() != octets.size() + sizeof(Seq)) return std::nullopt;
  std::copy_n(key.begin(), octets.size(), octets.begin());
  return LedgerReader::HistoryPlace(DeviceId::FromOctets(octets), Fixed64(key.substr(octets.size())));
}

// Orders stand before their items, so that all of them are read without those.
inline std::string OfOrder(const OrderId& id) { return '\x01' + id.text(); }
inline std::string OfOrderItem(const OrderId& order, std::uint64_t number) {
  return '\x02' + order.text() + OfSeq(number);
}
inline constexpr const char* kBehindOrders = "\x02";

// The number every key of a sequence ends with.
inline Seq SeqAtEnd(std::string_view key) { return key.size() < 8 ? 0 : Fixed64(key.substr(key.size() - 8)); }
// The first key behind this one.
inline std::string Behind(std::string key) {
  key += '\0';
  return key;
}

inline constexpr const char* kFormat = "format";
inline constexpr const char* kId = "id";
inline constexpr const char* kHead = "head";
inline constexpr const char* kPlaces = "places";
inline constexpr const char* kDayMarks = "day_marks";

}  // namespace registry::ledger::keys
