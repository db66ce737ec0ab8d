// bridge/ledger/record_codec.h: ledger values <-> stored octets (FORMAT.md). The same value always gives the
// same octets, which the hash chain relies on. Decoding refuses damage (CRC-32C), another kind of record, a
// newer record version and unknown fields, with symbol "ledger_damaged" or "ledger_newer". Pure, any thread.
// Privacy: errors name the record kind, never its content.
#pragma once

#include <string>
#include <string_view>

#include "bridge/ledger/ledger.h"

namespace registry::ledger {

// First octet of a record. Stored: DO NOT CHANGE THESE NUMBERS.
enum class Kind : std::uint8_t {
  kEventMark = 1,
  kDevice = 2,
  kEndpoint = 3,
  kJob = 4,
  kHistory = 5,
  kMessage = 6,
  kFeedItem = 7,
  kZoneChange = 8,
  kRevocation = 9,
  kDeadLetter = 10,
  kSinkState = 11,
  kFeedState = 12,
  kHead = 13,
  kBrief = 14,
  kOrder = 15,
  kOrderItem = 16,
};

inline constexpr std::size_t kChainSize = 32;  // SHA-256 (ChainHash)

// Where a stored ledger stands: the numbers given out last and the head of the hash chain. Written with every
// batch, so that a history that lost its end is noticed when the ledger is opened.
struct Head {
  Seq history = 0;
  Bytes chain;  // kChainSize octets: hash of the last history record, empty before the first
  Seq outbox_mqtt = 0;
  Seq outbox_zone = 0;
  Seq outbox_crl = 0;
  Seq dead_letters = 0;
  MarksKept marks;
};

std::string Encode(const domain::EventMark& mark);
std::string Encode(const domain::Device& device);
std::string Encode(const domain::DeviceBrief& brief);  // without its id
std::string Encode(const domain::EndpointRecord& endpoint);
std::string Encode(const domain::Job& job);
std::string Encode(const domain::HistoryEntry& entry);
std::string Encode(const domain::OutgoingMessage& message);
std::string Encode(const FeedItem& item);
std::string Encode(const domain::ZoneChange& change);
std::string Encode(const domain::Revocation& revocation);
std::string Encode(const domain::DeadLetter& letter);
std::string Encode(const SinkState& state);
std::string Encode(const FeedState& state);
std::string Encode(const Head& head);
std::string Encode(const domain::Order& order);
std::string Encode(const domain::OrderItem& item);
std::string EncodeItem(const decltype(OutboxEntry::item)& item);
// For every type above: the same octets, at the end of others.
template <class T>
void AppendRecord(std::string& out, const T& value);
// A feed item in two steps: what is known before it has its number, and the record.
void AppendUnnumbered(std::string& out, const domain::Notification& notification);
std::string EncodeFeedItem(Seq seq, std::string_view unnumbered);

// For every type above.
template <class T>
Result<T> Decode(std::string_view record);
Result<decltype(OutboxEntry::item)> DecodeItem(std::string_view record);

// Only the version of a device, endpoint or order record, without decoding the rest; nullopt when damaged.
std::optional<std::uint64_t> PeekVersion(std::string_view record);

// SHA-256(previous || Encode(entry)); `previous` empty stands for the 32 zero octets before the first entry.
Bytes ChainHash(const Bytes& previous, std::string_view encoded_entry);

}  // namespace registry::ledger
