// Stored records: the octets of FORMAT.md, and what a reader refuses. Golden octets are in golden/, one file per kind;
// they change only with a record version (record_versions.h). REGISTRY_WRITE_GOLDEN=1 writes them anew.
#include "bridge/ledger/record_codec.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>

#include "bridge/ledger/crc32c.h"
#include "bridge/ledger/keyed/keys.h"
#include "tests/unit/bridge/ledger/samples.h"

namespace registry::ledger {
namespace {

struct Golden {
  std::string name;
  std::string record;
  std::function<std::string(std::string_view)>
      again;  // decoded and encoded once more; the error's symbol otherwise
};

template <class T>
Golden Make(const std::string& name, const T& value) {
  return {name, Encode(value), [](std::string_view record) {
            const auto decoded = Decode<T>(record);
            return decoded ? Encode(*decoded) : decoded.error().symbol;
          }};
}

domain::Device WithEndedJobs(domain::Device device) {
  device.ended_jobs = {{samples::JobOf(1), samples::Party("mno-a")},
                       {samples::JobOf(2), samples::Party("mno-a")}};
  return device;
}

domain::Order InTheMiddle(domain::Order order) {
  order.version = 300;
  order.state = domain::OrderState::kPaused;
  order.dry_run = true;
  order.selection = domain::DeviceGroup::ByExpiry(order.owner);
  order.before = samples::kNoon + std::chrono::hours(1);
  order.cursor = {samples::kNoon, samples::DeviceOf(7)};
  order.counts = {3, 2, 1, 300};
  order.reason = "sold";
  order.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  order.told = order.updated;
  return order;
}

domain::Device WithWrongCodes(domain::Device device) {
  device.codes[0].expires = samples::kNoon + std::chrono::hours(24);
  device.codes[0].attempts = 3;
  device.codes[0].counted_from = samples::kNoon;
  return device;
}

// With more than one of everything.
domain::Device InTransfer() {
  domain::Device device = samples::FullDevice(1);
  device.statuses = {domain::DeviceStatus::kPendingTransfer, domain::DeviceStatus::kExpired};
  device.profiles.push_back(
      {2, samples::IccidOf(2), samples::Party("mno-b"), domain::ProfileState::kInstalled, false, {}});
  device.credentials.push_back(device.credentials[0]);
  device.credentials[1].profile = 2;
  device.credentials[1].phase = domain::CredentialPhase::kNext;
  device.bindings.push_back(device.bindings[0]);
  device.bindings[0].phase = domain::BindingPhase::kEnded;
  device.bindings[1].number = 2;
  device.codes = {{domain::CodePurpose::kTransfer, wire::Role::kMno, Bytes(32, 0xab), samples::Party("mno-a"),
                   samples::kNoon, 4}};
  device.transfer = {*TransferId::Parse(samples::JobOf(3).text()),
                     device.id,
                     domain::TransferKind::kMno,
                     samples::Party("mno-a"),
                     samples::Party("mno-b"),
                     domain::TransferState::kPending,
                     samples::kNoon,
                     samples::kNoon + std::chrono::hours(120),
                     samples::IccidOf(2),
                     std::nullopt};
  return device;
}

domain::Device WithWifi(domain::Device device) {
  device.bindings.front().wifi = wire::Wifi{"plant-7", "c2VhbGVk"};
  return device;
}

// Its next certificate is served and on its way, with a key-agreement key of its own.
domain::Device Renewing() {
  domain::Device device = samples::FullDevice(1);
  device.credentials[0].served = samples::kNoon;
  device.credentials.push_back(device.credentials[0]);
  domain::Credential& next = device.credentials[1];
  next.phase = domain::CredentialPhase::kNext;
  next.served = samples::kNoon + std::chrono::seconds(1);
  next.carried = 4;
  next.agreement_key = Bytes(65, 0xcd);
  return device;
}

domain::Job OfProfile(domain::Job job) {
  job.profile = 2;
  return job;
}

domain::Job NotWanted(domain::Job job) {
  job.wanted = false;
  job.order = OrderId::Parse(samples::JobOf(7).text());
  return job;
}

domain::Job About(domain::JobSubject subject) {
  domain::Job job = samples::UnsentJob(1);
  job.subject = std::move(subject);
  return job;
}

std::vector<Golden> AllRecords() {
  return {Make("event_mark", samples::Mark(1)),
          Make("device", samples::FullDevice(1)),
          Make("device_registered", samples::Device(1)),
          Make("device_with_ended_jobs", WithEndedJobs(samples::Device(1))),
          Make("device_in_transfer", InTransfer()),
          Make("device_with_wrong_codes", WithWrongCodes(samples::Device(1))),
          Make("device_with_wifi", WithWifi(samples::FullDevice(1))),
          Make("device_renewing", Renewing()),
          Make("endpoint", samples::Endpoint(1)),
          Make("job", samples::Job(1)),
          Make("job_of_profile", OfProfile(samples::Job(1))),
          Make("job_traced", samples::TracedJob(1)),
          Make("job_sent", samples::SentJob(1)),
          Make("job_unsent", samples::UnsentJob(1)),
          Make("job_not_wanted", NotWanted(samples::SentJob(1))),
          Make("job_of_endpoint",
               About(domain::EndpointKey{samples::Party("asp-a"), *EndpointName::Parse("main")})),
          Make("job_of_order", About(*OrderId::Parse(samples::JobOf(7).text()))),
          Make("history", samples::History(1)),
          Make("history_of_endpoint",
               domain::HistoryEntry{samples::kNoon, samples::Party("asp-a"), DeviceId(),
                                    "endpoint main published, version 1", samples::Event("event-1")}),
          Make("message", samples::Message(1)),
          Make("feed_item", FeedItem{7, samples::Notification(1)}),
          Make("zone_change", samples::Zone(1)),
          Make("revocation", samples::Revocation(1)),
          Make("dead_letter", samples::DeadLetter(1)),
          Make("sink_state", SinkState{300, "serial"}),
          Make("feed_state", FeedState{300, 7}),
          Make("head", Head{3, Bytes(32, 0xab), 300, 2, 1, 4, {}}),
          Make("head_forgetful", Head{3, Bytes(32, 0xab), 300, 2, 1, 4, {20'602, 70'000}}),
          Make("brief", domain::BriefOf(samples::FullDevice(1))),
          Make("order", samples::Order(1)),
          Make("order_in_the_middle", InTheMiddle(samples::Order(1))),
          Make("order_item", samples::OrderItem(1, 7))};
}

class EveryRecord : public testing::TestWithParam<Golden> {};
INSTANTIATE_TEST_SUITE_P(Kinds, EveryRecord, testing::ValuesIn(AllRecords()),
                         [](const auto& kind) { return kind.param.name; });

std::string GoldenPath(const std::string& name) {
  return std::string(REGISTRY_SOURCE_DIR) + "/tests/unit/bridge/ledger/golden/" + name + ".hex";
}

std::string GoldenHex(const std::string& name) {
  std::string hex;
  std::getline(std::ifstream(GoldenPath(name)), hex);
  return hex;
}

TEST_P(EveryRecord, HasTheGoldenOctets) {
  if (std::getenv("REGISTRY_WRITE_GOLDEN") != nullptr)
    std::ofstream(GoldenPath(GetParam().name)) << ToHex(AsBytes(GetParam().record)) << '\n';
  EXPECT_EQ(ToHex(AsBytes(GetParam().record)), GoldenHex(GetParam().name)) << GetParam().name;
}

// These octets stay: ledgers are full of them.
TEST(EarlierVersions, OfADeviceAreReadAsWhatTheyMean) {
  const std::pair<const char*, domain::Device> golden[] = {
      {"device_version_1", samples::FullDevice(1)},
      {"device_registered_version_1", samples::Device(1)},
      {"device_with_ended_jobs_version_1", WithEndedJobs(samples::Device(1))}};
  for (const auto& [name, device] : golden) {
    const auto octets = FromHex(GoldenHex(name));
    ASSERT_TRUE(octets) << name;
    const auto read = Decode<domain::Device>(AsText(*octets));
    ASSERT_TRUE(read.ok()) << name;
    EXPECT_EQ(Encode(*read), Encode(device)) << name;
    EXPECT_EQ(PeekVersion(AsText(*octets)).value_or(0), device.version) << name;
  }
}

TEST_P(EveryRecord, ComesBackAsItWas) { EXPECT_EQ(GetParam().again(GetParam().record), GetParam().record); }

TEST_P(EveryRecord, AnyFlippedBitIsRefused) {
  for (std::size_t i = 0; i < GetParam().record.size(); ++i) {
    std::string flipped = GetParam().record;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x20);
    ASSERT_EQ(GetParam().again(flipped), kLedgerDamaged) << "octet " << i;
  }
}

TEST_P(EveryRecord, AnyShorterRecordIsRefused) {
  for (std::size_t size = 0; size < GetParam().record.size(); ++size) {
    ASSERT_EQ(GetParam().again(std::string_view(GetParam().record).substr(0, size)), kLedgerDamaged);
  }
}

// Gives a record new fields or a new head and makes its checksum right again.
std::string Resealed(std::string record, const std::function<void(std::string&)>& change) {
  record.resize(record.size() - 4);
  change(record);
  const std::uint32_t crc = Crc32c(record);
  for (int shift = 24; shift >= 0; shift -= 8) record += static_cast<char>(crc >> shift);
  return record;
}

TEST_P(EveryRecord, AFieldFromTheFutureIsRefusedNotLost) {
  const std::string newer =
      Resealed(GetParam().record, [](std::string& record) { record += std::string("\x7f\x01x", 3); });
  EXPECT_EQ(GetParam().again(newer), kLedgerDamaged);
}

TEST_P(EveryRecord, ANewerRecordVersionIsNamed) {
  const std::string newer = Resealed(GetParam().record, [](std::string& record) { ++record[1]; });
  EXPECT_EQ(GetParam().again(newer), kLedgerNewer);
}

TEST_P(EveryRecord, AVersionThatNeverWasIsRefused) {
  const std::string none = Resealed(GetParam().record, [](std::string& record) { record[1] = 0; });
  EXPECT_EQ(GetParam().again(none), kLedgerDamaged);
}

TEST_P(EveryRecord, AnotherKindInItsPlaceIsRefused) {
  const std::string other = Resealed(GetParam().record, [](std::string& record) { record[0] = 99; });
  EXPECT_EQ(GetParam().again(other), kLedgerDamaged);
}

TEST(RecordCodec, AbsentFieldsAreTheirDefaults) {
  domain::Job fresh;
  fresh.id = samples::JobOf(1);
  const auto job = Decode<domain::Job>(Encode(fresh));
  ASSERT_TRUE(job.ok());
  EXPECT_EQ(job->attempt, 1u);
  domain::TlsaRecord zeros{0, 0, 0, {1}};
  const auto change =
      Decode<domain::ZoneChange>(Encode(domain::ZoneChange{samples::DeviceOf(1), 1, {zeros}, ""}));
  ASSERT_TRUE(change.ok());
  EXPECT_EQ(change->tlsa.at(0), zeros);
}

TEST(RecordCodec, AJobKeepsWhatItIsAboutAndWhetherItIsWanted) {
  const auto job = Decode<domain::Job>(Encode(NotWanted(samples::SentJob(1))));
  ASSERT_TRUE(job.ok());
  EXPECT_FALSE(job->wanted);
  EXPECT_EQ(job->subject, domain::JobSubject(samples::DeviceOf(1)));
  EXPECT_EQ(job->told, job->due);
  const domain::JobSubject order = *OrderId::Parse(samples::JobOf(7).text());
  EXPECT_EQ(Decode<domain::Job>(Encode(About(order)))->subject, order);
  EXPECT_TRUE(Decode<domain::Job>(Encode(samples::Job(1)))->wanted) << "from before it could be otherwise";
}

TEST(RecordCodec, AnUnknownStateIsRefused) {
  domain::Device device = samples::Device(1);
  device.state = static_cast<domain::State>(8);
  EXPECT_EQ(Decode<domain::Device>(Encode(device)).error().symbol, kLedgerDamaged);
}

TEST(RecordCodec, TheVersionIsReadWithoutTheRest) {
  domain::Device device = samples::FullDevice(1);
  device.version = 70'000;
  EXPECT_EQ(PeekVersion(Encode(device)), 70'000u);
  EXPECT_EQ(PeekVersion(""), std::nullopt);
}

TEST(Keys, OfUniqueValuesBeginWithTheirKind) {
  using domain::UniqueKind;
  const std::pair<UniqueKind, const char*> golden[] = {
      {UniqueKind::kEid, "015f5f"},          {UniqueKind::kIccid, "025f5f"},
      {UniqueKind::kPublicKey, "035f5f"},    {UniqueKind::kSerial, "045f5f"},
      {UniqueKind::kAgreementKey, "055f5f"}, {UniqueKind::kTransfer, "065f5f"}};
  for (const auto& [kind, hex] : golden)
    EXPECT_EQ(ToHex(AsBytes(keys::OfUnique({kind, Bytes(2, 0x5f)}))), hex);
}

TEST(Crc32c, AgreesWithTheExampleOfRfc3720) {  // RFC 3720 §B.4
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
  // Every length around the step of eight octets, by instruction and by tables.
  for (std::size_t size = 0; size < 70; ++size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text.push_back(static_cast<char>(i * 37 + size));
    EXPECT_EQ(Crc32c(text), Crc32cByTables(text)) << size;
  }
}

TEST(RecordCodec, AFeedItemInTwoStepsIsTheSameRecord) {
  for (const Seq seq : {Seq{1}, Seq{127}, Seq{128}, ~Seq{0}}) {
    domain::Notification notification = samples::Notification(1);
    for (const std::size_t size : {0u, 1u, 100u, 5000u}) {
      notification.data.assign(size, 'd');
      std::string unnumbered;
      AppendUnnumbered(unnumbered, notification);
      EXPECT_EQ(EncodeFeedItem(seq, unnumbered), Encode(FeedItem{seq, notification})) << seq << ", " << size;
    }
  }
}

TEST(RecordCodec, ARecordBehindOthersIsTheSameRecord) {
  std::string octets = "others";
  AppendRecord(octets, samples::FullDevice(1));
  EXPECT_EQ(octets, "others" + Encode(samples::FullDevice(1)));
}

}  // namespace
}  // namespace registry::ledger
