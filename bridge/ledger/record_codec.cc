#include "bridge/ledger/record_codec.h"

#include <openssl/evp.h>

#include <memory>

#include "bridge/ledger/crc32c.h"
#include "bridge/ledger/record_fields.h"
#include "bridge/ledger/record_versions.h"

namespace registry::ledger {
namespace {

constexpr std::size_t kCrcSize = 4;

void AppendCrc(std::string& out, std::size_t from) {
  const std::uint32_t crc = Crc32c(std::string_view(out).substr(from));
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(crc >> shift);
}

bool CrcMatches(std::string_view record) {
  std::uint32_t stored = 0;
  for (const char octet : record.substr(record.size() - kCrcSize)) {
    stored = stored << 8 | static_cast<std::uint8_t>(octet);
  }
  return stored == Crc32c(record.substr(0, record.size() - kCrcSize));
}

template <class T>
void AppendHeader(std::string& out) {
  out += static_cast<char>(KindOf<T>::value);
  out += static_cast<char>(kRecordVersion<T>);
}

template <class T>
std::string EncodeRecord(const T& value) {
  std::string out;
  out.reserve(512);
  AppendRecord(out, value);
  return out;
}

std::uint8_t VersionOf(std::string_view record) { return static_cast<std::uint8_t>(record[1]); }

Error Damaged(Kind kind, std::string_view what) {
  return Error::Make(Code::kFailed, kLedgerDamaged,
                     std::string(KindName(kind)) + " record: " + std::string(what));
}

// The fields of a sound record of this kind and a version up to the newest.
Result<std::string_view> Open(Kind kind, std::uint8_t newest, std::string_view record) {
  if (record.size() < 2 + kCrcSize) return Damaged(kind, "cut short");
  if (!CrcMatches(record)) return Damaged(kind, "checksum differs");
  if (static_cast<std::uint8_t>(record[0]) != static_cast<std::uint8_t>(kind))
    return Damaged(kind, "of another kind");
  if (VersionOf(record) == 0) return Damaged(kind, "without a version");
  if (VersionOf(record) > newest) {
    return Error::Make(
        Code::kFailed, kLedgerNewer,
        std::string(KindName(kind)) + " record was written by a newer version of the registry");
  }
  return record.substr(2, record.size() - 2 - kCrcSize);
}

template <class T>
std::optional<T> ReadNewest(std::string_view fields) {
  std::optional<T> value(std::in_place);
  FieldReader reader(fields);
  Fields(reader, *value);
  if (!reader.Finished()) value.reset();
  return value;
}

}  // namespace

template <class T>
Result<T> Decode(std::string_view record) {
  const auto fields = Open(KindOf<T>::value, kRecordVersion<T>, record);
  if (!fields) return fields.error();
  auto value = VersionOf(record) == kRecordVersion<T>
                   ? ReadNewest<T>(*fields)
                   : kEarlierVersions<T>[VersionOf(record) - std::size_t{1}](*fields);
  if (!value) return Damaged(KindOf<T>::value, "unknown or malformed field");
  return std::move(*value);
}

template <class T>
void AppendRecord(std::string& out, const T& value) {
  const std::size_t from = out.size();
  AppendHeader<T>(out);
  FieldWriter writer(out);
  Fields(writer, value);
  AppendCrc(out, from);
}

void AppendUnnumbered(std::string& out, const domain::Notification& notification) {
  FieldWriter writer(out);
  Fields(writer, notification);
}

// As the writer writes a FeedItem; the test of the two says so.
std::string EncodeFeedItem(Seq seq, std::string_view unnumbered) {
  std::string out;
  out.reserve(unnumbered.size() + 32);
  AppendHeader<FeedItem>(out);
  FieldWriter writer(out);
  writer(1, seq);
  out += '\x02';
  AppendVarint(out, unnumbered.size());
  out += unnumbered;
  AppendCrc(out, 0);
  return out;
}

std::string Encode(const domain::EventMark& mark) { return EncodeRecord(mark); }
std::string Encode(const domain::Device& device) { return EncodeRecord(device); }
std::string Encode(const domain::DeviceBrief& brief) { return EncodeRecord(brief); }
std::string Encode(const domain::EndpointRecord& endpoint) { return EncodeRecord(endpoint); }
std::string Encode(const domain::Job& job) { return EncodeRecord(job); }
std::string Encode(const domain::HistoryEntry& entry) { return EncodeRecord(entry); }
std::string Encode(const domain::OutgoingMessage& message) { return EncodeRecord(message); }
std::string Encode(const FeedItem& item) { return EncodeRecord(item); }
std::string Encode(const domain::ZoneChange& change) { return EncodeRecord(change); }
std::string Encode(const domain::Revocation& revocation) { return EncodeRecord(revocation); }
std::string Encode(const domain::DeadLetter& letter) { return EncodeRecord(letter); }
std::string Encode(const SinkState& state) { return EncodeRecord(state); }
std::string Encode(const FeedState& state) { return EncodeRecord(state); }
std::string Encode(const Head& head) { return EncodeRecord(head); }
std::string Encode(const domain::Order& order) { return EncodeRecord(order); }
std::string Encode(const domain::OrderItem& item) { return EncodeRecord(item); }

template Result<domain::EventMark> Decode(std::string_view);
template Result<domain::Device> Decode(std::string_view);
template Result<domain::DeviceBrief> Decode(std::string_view);
template Result<domain::EndpointRecord> Decode(std::string_view);
template Result<domain::Job> Decode(std::string_view);
template Result<domain::HistoryEntry> Decode(std::string_view);
template Result<domain::OutgoingMessage> Decode(std::string_view);
template Result<FeedItem> Decode(std::string_view);
template Result<domain::ZoneChange> Decode(std::string_view);
template Result<domain::Revocation> Decode(std::string_view);
template Result<domain::DeadLetter> Decode(std::string_view);
template Result<SinkState> Decode(std::string_view);
template Result<FeedState> Decode(std::string_view);
template Result<Head> Decode(std::string_view);
template Result<domain::Order> Decode(std::string_view);
template Result<domain::OrderItem> Decode(std::string_view);

template void AppendRecord(std::string&, const domain::EventMark&);
template void AppendRecord(std::string&, const domain::Device&);
template void AppendRecord(std::string&, const domain::DeviceBrief&);
template void AppendRecord(std::string&, const domain::EndpointRecord&);
template void AppendRecord(std::string&, const domain::Job&);
template void AppendRecord(std::string&, const domain::HistoryEntry&);
template void AppendRecord(std::string&, const domain::OutgoingMessage&);
template void AppendRecord(std::string&, const domain::ZoneChange&);
template void AppendRecord(std::string&, const domain::Revocation&);
template void AppendRecord(std::string&, const domain::DeadLetter&);
template void AppendRecord(std::string&, const domain::Order&);
template void AppendRecord(std::string&, const domain::OrderItem&);
template void AppendRecord(std::string&, const FeedItem&);
template void AppendRecord(std::string&, const SinkState&);
template void AppendRecord(std::string&, const FeedState&);
template void AppendRecord(std::string&, const Head&);

std::string EncodeItem(const decltype(OutboxEntry::item)& item) {
  return std::visit([](const auto& value) { return EncodeRecord(value); }, item);
}

namespace {
template <class T>
Result<decltype(OutboxEntry::item)> DecodeAs(std::string_view record) {
  auto value = Decode<T>(record);
  if (!value) return value.error();
  return decltype(OutboxEntry::item)(std::move(*value));
}
}  // namespace

Result<decltype(OutboxEntry::item)> DecodeItem(std::string_view record) {
  switch (record.empty() ? Kind{} : static_cast<Kind>(record[0])) {
    case Kind::kFeedItem:
      return DecodeAs<FeedItem>(record);
    case Kind::kZoneChange:
      return DecodeAs<domain::ZoneChange>(record);
    case Kind::kRevocation:
      return DecodeAs<domain::Revocation>(record);
    default:
      return DecodeAs<domain::OutgoingMessage>(record);  // refuses any other kind
  }
}

std::optional<std::uint64_t> PeekVersion(std::string_view record) {
  if (record.size() < 2 + kCrcSize) return std::nullopt;
  FieldReader reader(record.substr(2, record.size() - 2 - kCrcSize));
  std::uint64_t version = 0;
  reader(kVersionTag, version);
  if (!reader.sound() || version == 0) return std::nullopt;
  return version;
}

Bytes ChainHash(const Bytes& previous, std::string_view encoded_entry) {
  static EVP_MD* const kSha256 =
      EVP_MD_fetch(nullptr, "SHA256", nullptr);  // fetching per call costs more than hashing
  REG_CHECK(kSha256 != nullptr);
  struct Free {
    void operator()(EVP_MD_CTX* used) const { EVP_MD_CTX_free(used); }
  };
  thread_local const std::unique_ptr<EVP_MD_CTX, Free> owned(EVP_MD_CTX_new());
  EVP_MD_CTX* const context = owned.get();
  const Bytes zero(kChainSize, 0);
  const Bytes& before = previous.empty() ? zero : previous;
  Bytes hash(kChainSize);
  REG_CHECK(EVP_DigestInit_ex2(context, kSha256, nullptr) == 1 &&
            EVP_DigestUpdate(context, before.data(), before.size()) == 1 &&
            EVP_DigestUpdate(context, encoded_entry.data(), encoded_entry.size()) == 1 &&
            EVP_DigestFinal_ex(context, hash.data(), nullptr) == 1);
  return hash;
}

}  // namespace registry::ledger
