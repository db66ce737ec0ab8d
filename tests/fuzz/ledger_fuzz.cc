// Attacked: the reading of stored records. The first octet says which record the rest are the fields of; checksum and
// header are put right, so that it does not hide what is behind it. Every record is tried in every version of its kind.
// A fault: a crash; a record that was taken, and whose value written and read again gives other octets.
#include <type_traits>

#include "bridge/ledger/crc32c.h"
#include "bridge/ledger/record_fields.h"
#include "bridge/ledger/record_versions.h"
#include "tests/fuzz/input.h"

namespace registry::ledger {
namespace {

std::string Sealed(std::uint8_t kind, std::uint8_t version, const Bytes& fields) {
  std::string record = {static_cast<char>(kind), static_cast<char>(version)};
  record += AsText(fields);
  const std::uint32_t crc = Crc32c(record);
  for (int shift = 24; shift >= 0; shift -= 8) record += static_cast<char>(crc >> shift);
  return record;
}

template <class T>
void Try(std::string_view record) {
  const auto value = Decode<T>(record);
  if (!value) return;
  const std::string written = Encode(*value);
  const auto read = Decode<T>(written);
  REG_CHECK(read.ok());
  REG_CHECK(Encode(*read) == written);
  // FORMAT.md: tag 1 of devices and endpoints. The version of a job is that of what it carries.
  if constexpr (std::is_same_v<T, domain::Device> || std::is_same_v<T, domain::EndpointRecord>) {
    if (value->version != 0) REG_CHECK(PeekVersion(written) == value->version);
  }
}

constexpr std::uint8_t kVersions = kRecordVersion<domain::Device>;  // no kind has had more

template <class... Ts>
void TryAs(std::uint8_t kind, const Bytes& fields) {
  for (std::uint8_t version = 1; version <= kVersions; ++version) {
    const std::string record = Sealed(kind, version, fields);
    (Try<Ts>(record), ...);
    const auto item = DecodeItem(record);
    if (item) REG_CHECK(DecodeItem(EncodeItem(*item)).ok());
    (void)PeekVersion(record);
  }
}

}  // namespace
}  // namespace registry::ledger

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace registry;
  using namespace registry::ledger;
  const auto raw = fuzz::AsText(data, size);
  REG_CHECK(!DecodeItem(raw).ok() || size >= 6);
  (void)PeekVersion(raw);
  fuzz::Input input(data, size);
  const std::uint8_t kind = input.Octet();
  TryAs<domain::EventMark, domain::Device, domain::EndpointRecord, domain::Job, domain::HistoryEntry,
        domain::OutgoingMessage, FeedItem, domain::ZoneChange, domain::Revocation, domain::DeadLetter,
        SinkState, FeedState, Head, domain::DeviceBrief, domain::Order, domain::OrderItem>(kind,
                                                                                           input.Rest());
  return 0;
}
