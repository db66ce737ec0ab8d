// The index of devices: what ledger.h and FORMAT.md promise of it, asked of every backend, and what a folder can do to it.
#include <gmock/gmock.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <rocksdb/db.h>

#include <algorithm>
#include <cstdlib>

#include "bridge/ledger/keyed/place_keys.h"
#include "bridge/ledger/record_codec.h"
#include "tests/support/device_maker.h"
#include "tests/unit/bridge/ledger/backends.h"
#include "tests/unit/bridge/ledger/dump.h"

namespace registry::ledger {
namespace {

namespace fs = std::filesystem;
using domain::Device;
using domain::DeviceGroup;
using domain::DevicePosition;
using domain::State;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

const PartyId kMno = samples::Party("mno-a"), kAsp = samples::Party("asp-a");
const EndpointName kMain = EndpointName::Parse("main").value();

// Each case opens a ledger on disk twice.
[[maybe_unused]] const int kFewCases = ::setenv("RC_PARAMS", "max_success=10", 0);

void Put(Ledger& ledger, Device device, std::uint64_t expected) {
  domain::Changeset changes;
  changes.devices = {{std::move(device), expected}};
  const auto done = ledger.Commit(std::move(changes));
  ASSERT_TRUE(done.ok()) << done.error().message;
}

Device Expiring(std::uint64_t number, int days) {
  Device device = samples::FullDevice(number);
  test::CertificateOf(device).not_after = samples::kNoon + std::chrono::hours(24 * days);
  return device;
}

std::vector<DeviceId> IdsOf(const Result<std::vector<domain::DeviceBrief>>& devices) {
  std::vector<DeviceId> ids;
  if (!devices) ADD_FAILURE() << devices.error().message;
  if (devices) {
    for (const auto& device : *devices) ids.push_back(device.id);
  }
  return ids;
}

std::vector<DeviceId> Numbers(std::vector<std::uint64_t> numbers) {
  std::vector<DeviceId> ids;
  for (const auto number : numbers) ids.push_back(samples::DeviceOf(number));
  return ids;
}

std::vector<DeviceId> Sorted(std::vector<DeviceId> ids) {
  std::sort(ids.begin(), ids.end());
  return ids;
}

// Page by page, as an asker does.
std::vector<DeviceId> AllOf(const LedgerReader& reader, const DeviceGroup& group, std::size_t page_size) {
  std::vector<DeviceId> ids;
  std::optional<DevicePosition> after;
  for (;;) {
    const auto page = reader.DevicesIn(group, after, std::nullopt, page_size);
    const auto found = IdsOf(page);
    if (found.empty()) return ids;
    ids.insert(ids.end(), found.begin(), found.end());
    after = domain::PositionIn(group.kind, page->back());
  }
}

class LedgerPlaces : public EveryBackend {};
INSTANTIATE_TEST_SUITE_P(Backends, LedgerPlaces, kEveryBackend, BackendName);

TEST_P(LedgerPlaces, ADeviceIsFoundUnderItsPartiesEndpointStateAndExpiry) {
  Put(*ledger_, samples::Device(1), 0);
  Put(*ledger_, samples::FullDevice(2), 0);
  const auto page = [&](const DeviceGroup& group) {
    return IdsOf(ledger_->DevicesIn(group, std::nullopt, std::nullopt, 10));
  };
  EXPECT_EQ(page(DeviceGroup::Of(kMno)), Sorted(Numbers({1, 2})));
  EXPECT_EQ(page(DeviceGroup::Of(kAsp)), Numbers({2}));
  EXPECT_EQ(page(DeviceGroup::Of(std::nullopt)), Sorted(Numbers({1, 2})));
  EXPECT_EQ(page(DeviceGroup::At(kAsp, kMain)), Numbers({2}));
  EXPECT_EQ(page(DeviceGroup::In(State::kRegistered, kMno)), Numbers({1}));
  EXPECT_EQ(page(DeviceGroup::In(State::kActive, std::nullopt)), Numbers({2}));
  EXPECT_EQ(page(DeviceGroup::ByExpiry(kAsp)), Numbers({2}));
  EXPECT_EQ(ledger_->DevicesIn(DeviceGroup::Of(kAsp), {}, {}, 10)->at(0),
            domain::BriefOf(samples::FullDevice(2)));
  EXPECT_THAT(page(DeviceGroup::Of(samples::Party("asp"))), IsEmpty())
      << "the beginning of a name is no name";
  EXPECT_THAT(page(DeviceGroup::At(kAsp, EndpointName::Parse("mai").value())), IsEmpty());
  EXPECT_THAT(page(DeviceGroup::In(State::kRegistered, kAsp)), IsEmpty());
}

TEST_P(LedgerPlaces, AChangeMovesADeviceInTheSameCommit) {
  Put(*ledger_, samples::FullDevice(1), 0);
  Device device = samples::FullDevice(1);
  device.state = State::kDeactivated;
  device.credentials.clear();
  test::BindingOf(device).endpoint = EndpointName::Parse("other").value();
  Put(*ledger_, device, 1);
  EXPECT_EQ(ledger_->DevicesIn(DeviceGroup::Of(kMno), {}, {}, 10)->at(0), domain::BriefOf(device))
      << "where it stays it says what is new, too";
  const auto count = [&](const DeviceGroup& group) {
    return ledger_->DevicesIn(group, std::nullopt, std::nullopt, 10)->size();
  };
  EXPECT_EQ(count(DeviceGroup::In(State::kActive, kMno)), 0u);
  EXPECT_EQ(count(DeviceGroup::In(State::kDeactivated, kMno)), 1u);
  EXPECT_EQ(count(DeviceGroup::ByExpiry(std::nullopt)), 0u);
  EXPECT_EQ(count(DeviceGroup::At(kAsp, kMain)), 0u);
  EXPECT_EQ(count(DeviceGroup::At(kAsp, *domain::EndpointOf(device))), 1u);
  device.state = State::kDeleted;
  Put(*ledger_, device, 2);
  EXPECT_EQ(count(DeviceGroup::Of(kMno)), 0u);
  EXPECT_EQ(count(DeviceGroup::At(kAsp, *domain::EndpointOf(device))), 0u);
  EXPECT_EQ(count(DeviceGroup::In(State::kDeleted, kMno)), 1u);
}

TEST_P(LedgerPlaces, ARefusedChangesetMovesNothing) {
  Put(*ledger_, samples::Device(1), 0);
  domain::Changeset changes;
  changes.devices = {{samples::FullDevice(1), 7}};
  ASSERT_FALSE(ledger_->Commit(changes).ok());
  EXPECT_EQ(ledger_->DevicesIn(DeviceGroup::Of(kAsp), std::nullopt, std::nullopt, 10)->size(), 0u);
  EXPECT_EQ(ledger_->DevicesIn(DeviceGroup::Of(kMno), std::nullopt, std::nullopt, 10)->size(), 1u);
}

TEST_P(LedgerPlaces, OneChangesetMayMoveADeviceTwice) {
  domain::Changeset changes;
  changes.devices = {{samples::Device(1), 0}, {samples::FullDevice(1), 1}};
  ASSERT_TRUE(ledger_->Commit(changes).ok());
  EXPECT_EQ(ledger_->DevicesIn(DeviceGroup::In(State::kRegistered, kMno), {}, {}, 10)->size(), 0u);
  EXPECT_EQ(ledger_->DevicesIn(DeviceGroup::In(State::kActive, kMno), {}, {}, 10)->size(), 1u);
}

TEST_P(LedgerPlaces, PagesFollowEachOtherWithoutGapOrRepeat) {
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t i = 0; i < 25; ++i) {
    numbers.push_back(i);
    Put(*ledger_, samples::FullDevice(i), 0);
  }
  const auto all = Sorted(Numbers(numbers));
  for (const std::size_t page : {1u, 7u, 25u, 26u}) {
    EXPECT_EQ(AllOf(*ledger_, DeviceGroup::Of(kAsp), page), all) << page;
    EXPECT_EQ(AllOf(*ledger_, DeviceGroup::At(kAsp, kMain), page), all) << page;
    // All end at the same time: the id decides then.
    EXPECT_EQ(AllOf(*ledger_, DeviceGroup::ByExpiry(kMno), page), all) << page;
  }
  EXPECT_THAT(IdsOf(ledger_->DevicesIn(DeviceGroup::Of(kAsp), {}, {}, 0)), IsEmpty());
}

TEST_P(LedgerPlaces, WhatEndsFirstComesFirstAndNothingFromTheBoundOn) {
  Put(*ledger_, Expiring(1, 30), 0);
  Put(*ledger_, Expiring(2, 10), 0);
  Put(*ledger_, Expiring(3, 20), 0);
  Put(*ledger_, Expiring(4, -30'000), 0);  // before 1970
  const auto group = DeviceGroup::ByExpiry(kMno);
  EXPECT_EQ(IdsOf(ledger_->DevicesIn(group, {}, {}, 10)), Numbers({4, 2, 3, 1}));
  const UtcTime bound = samples::kNoon + std::chrono::hours(24 * 20);
  EXPECT_EQ(IdsOf(ledger_->DevicesIn(group, {}, bound, 10)), Numbers({4, 2}));
  EXPECT_EQ(IdsOf(ledger_->DevicesIn(group, DevicePosition{bound, samples::DeviceOf(3)}, {}, 10)),
            Numbers({1}));
  EXPECT_THAT(IdsOf(ledger_->DevicesIn(group, DevicePosition{bound, samples::DeviceOf(3)}, bound, 10)),
              IsEmpty());
}

// ---- what a folder can do to it

using Handle = rocksdb::ColumnFamilyHandle;

// Changes the families behind the ledger's back.
void Tamper(const std::string& folder,
            const std::function<void(rocksdb::DB&, Handle* places, Handle* meta)>& work) {
  std::vector<std::string> names;
  ASSERT_TRUE(rocksdb::DB::ListColumnFamilies({}, folder, &names).ok());
  std::vector<rocksdb::ColumnFamilyDescriptor> columns;
  for (const auto& name : names) columns.emplace_back(name, rocksdb::ColumnFamilyOptions());
  std::vector<Handle*> handles;
  rocksdb::DB* opened = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open({}, folder, columns, &handles, &opened).ok());
  const std::unique_ptr<rocksdb::DB> db(opened);
  const auto named = [&](const char* name) {
    return handles.at(static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin()));
  };
  work(*db, named("places"), named("meta"));
  for (auto* handle : handles) db->DestroyColumnFamilyHandle(handle);
}

class PlacesFolder : public testing::Test {
 protected:
  std::unique_ptr<Ledger> Open() { return OpenBackend(Backend::kRocksDb, folder_); }
  // As a ledger of format 2 was left, by the code of that time.
  void CopyOldFolder() {
    fs::copy(fs::path(REGISTRY_SOURCE_DIR) / "tests/data/ledger-format-2", folder_.path());
    fs::permissions(folder_.path(), fs::perms::owner_all);
  }
  std::unique_ptr<LedgerReader> Beside() {
    auto reader = OpenRocksDbReader(folder_.path(), folder_.path("scratch"));
    if (reader) return std::move(*reader);
    ADD_FAILURE() << reader.error().message;
    return nullptr;
  }
  samples::Folder folder_;
};

TEST_F(PlacesFolder, AFolderOfFormatTwoIsIndexedWhenItIsOpenedForWriting) {
  CopyOldFolder();
  // The samples it was made of are numbered octets: device 2 has a TLSA record, but not of its certificate. And its record
  // names a hold, which withdrew nothing in those days.
  const std::string device = "device " + samples::DeviceOf(2).text() + ": ";
  const auto numbered_only = testing::ElementsAre(
      device + "payload.push waits though it is on hold", device + "has TLSA though it is active",
      device + "has TLSA of another certificate than its live one");
  {
    const auto reader = Beside();
    const auto page = reader->DevicesIn(DeviceGroup::Of(kMno), {}, {}, 10);
    ASSERT_FALSE(page.ok());
    EXPECT_EQ(page.error().symbol, kLedgerUnindexed);
    const auto report = Verify(*reader);
    EXPECT_THAT(report->faults, numbered_only);
    EXPECT_FALSE(report->indexed);
    EXPECT_TRUE(CheckRocksDbFiles(folder_.path()).ok());
  }
  const auto ledger = Open();
  ASSERT_NE(ledger, nullptr);
  const auto report = Verify(*ledger);
  EXPECT_THAT(report->faults, numbered_only);
  EXPECT_TRUE(report->indexed);
  EXPECT_EQ(IdsOf(ledger->DevicesIn(DeviceGroup::Of(kMno), {}, {}, 10)), Sorted(Numbers({0, 1, 2})));
  EXPECT_EQ(IdsOf(ledger->DevicesIn(DeviceGroup::At(kAsp, kMain), {}, {}, 10)), Numbers({2}));
  EXPECT_EQ(IdsOf(ledger->DevicesIn(DeviceGroup::In(State::kDeleted, {}), {}, {}, 10)), Numbers({3}));
  EXPECT_EQ(ledger->LoadJob(samples::JobOf(2)).value()->traceparent, samples::TracedJob(2).traceparent);
  Put(*ledger, samples::Device(9), 0);
}

TEST_F(PlacesFolder, AnIndexMadeHalfIsMadeAnew) {
  std::string whole;
  {
    const auto ledger = Open();
    for (std::uint64_t i = 0; i < 5; ++i) Put(*ledger, samples::FullDevice(i), 0);
    whole = Dump(*ledger, {}, 0);
  }
  // As a making that was cut short leaves it: no mark, places of a few devices.
  Tamper(folder_.path(), [](rocksdb::DB& db, Handle* places, Handle* meta) {
    ASSERT_TRUE(db.Delete({}, meta, "places").ok());
    ASSERT_TRUE(db.DeleteRange({}, places, "\x02", "\x04").ok());
  });
  EXPECT_EQ(Dump(*Open(), {}, 0), whole);
}

TEST_F(PlacesFolder, VerifyFindsWhatIsMissingAndWhatIsTooMuchAndReindexMends) {
  {
    const auto ledger = Open();
    for (std::uint64_t i = 0; i < 3; ++i) ASSERT_TRUE(ledger->Commit(samples::Registration(i)).ok());
  }
  const std::string lost = keys::OfPlaces(samples::Device(1)).front();
  const std::string added = keys::OfPlaces(samples::FullDevice(2)).back(),
                    strange = keys::OfPlaces(samples::Device(8)).front();
  Tamper(folder_.path(), [&](rocksdb::DB& db, Handle* places, Handle*) {
    ASSERT_TRUE(db.Delete({}, places, lost).ok());
    ASSERT_TRUE(db.Put({}, places, added, Encode(domain::BriefOf(samples::Device(2)))).ok());
    ASSERT_TRUE(db.Put({}, places, strange, Encode(domain::BriefOf(samples::Device(8)))).ok());
  });
  const auto faults = Verify(*Beside())->faults;
  EXPECT_EQ(faults.size(), 3u);
  for (const std::uint64_t number : {1u, 2u}) {
    EXPECT_THAT(
        faults,
        Contains(
            "device " + samples::DeviceOf(number).text() +
            ": the index has it elsewhere or says something else of it (registryctl ledger reindex makes it "
            "anew)"));
  }
  EXPECT_THAT(faults, Contains("device " + samples::DeviceOf(8).text() +
                               ": has 1 places in the index and no record"));
  const auto mended = ReindexRocksDbLedger(folder_.path());
  ASSERT_TRUE(mended.ok()) << mended.error().message;
  EXPECT_THAT(*mended, HasSubstr("the index of 3 devices"));
  EXPECT_THAT(Verify(*Open())->faults, IsEmpty());
}

TEST_F(PlacesFolder, AReaderBesidePagesAsTheWriterDoes) {
  const auto ledger = Open();
  for (std::uint64_t i = 0; i < 100; ++i) Put(*ledger, samples::FullDevice(i), 0);
  const auto reader = Beside();
  EXPECT_EQ(AllOf(*reader, DeviceGroup::Of(kMno), 30), AllOf(*ledger, DeviceGroup::Of(kMno), 30));
  EXPECT_EQ(AllOf(*reader, DeviceGroup::Of(kMno), 30).size(), 100u);
}

// ---- golden octets; FORMAT.md shows the same

TEST(PlaceKeys, AreTheOctetsOfTheFormat) {
  Device device = samples::FullDevice(7);
  device.id = DeviceId::Parse("00112233-4455-4677-8899-aabbccddeeff").value();
  test::CertificateOf(device).not_after = {1'000'000};
  std::vector<std::string> hex;
  for (const auto& key : keys::OfPlaces(device)) hex.push_back(ToHex(AsBytes(key)));
  const std::string id = "00112233445546778899aabbccddeeff", mno = "6d6e6f2d6100", asp = "6173702d6100";
  EXPECT_THAT(
      hex, testing::ElementsAre("0100" + id, "01" + asp + id, "01" + mno + id, "02" + asp + "6d61696e00" + id,
                                "0300"
                                "05" +
                                    id,
                                "03" + asp + "05" + id, "03" + mno + "05" + id,
                                "0400"
                                "80000000000f4240" +
                                    id,
                                "04" + asp + "80000000000f4240" + id, "04" + mno + "80000000000f4240" + id));
}

TEST(PlaceKeys, AreReadBackAndNothingElseIs) {
  for (const Device& device : {samples::Device(1), samples::FullDevice(2)}) {
    for (const auto& place : domain::PlacesOf(device)) {
      const std::string key = keys::OfPlace(place);
      EXPECT_EQ(keys::PlaceOf(key), place);
      for (std::size_t size = 0; size < key.size(); ++size)
        EXPECT_NE(keys::PlaceOf(key.substr(0, size)), place);
      EXPECT_EQ(keys::PlaceOf('\x06' + key.substr(1)), std::nullopt);
    }
  }
}

// ---- whatever happens

std::uint64_t Below(std::uint64_t end) { return *rc::gen::inRange<std::uint64_t>(0, end); }

Device Drawn(std::uint64_t number) {
  static const std::vector<std::string> asps{"asp-a", "asp-b", "asp"}, endpoints{"main", "mai", "main-2"};
  Device device = samples::FullDevice(number);
  device.state = static_cast<State>(1 + Below(7));
  if (Below(3) == 0) device.credentials.clear();
  if (domain::Live(device) != nullptr)
    test::CertificateOf(device).not_after = {static_cast<std::int64_t>(Below(5)) - 1};
  test::ProfileOf(device).mno = samples::Party(Below(2) == 0 ? "mno-a" : "mno-b");
  test::BindingOf(device).asp = samples::Party(asps[Below(3)]);
  test::BindingOf(device).endpoint = EndpointName::Parse(endpoints[Below(3)]).value();
  if (Below(3) == 0) test::BindingOf(device).endpoint = {};
  if (Below(3) == 0) test::BindingOf(device).asp = {};
  return device;
}

std::vector<LedgerReader::Placed> Recomputed(const LedgerReader& reader) {
  std::vector<LedgerReader::Placed> places;
  const auto devices = reader.DevicesAfter(std::nullopt, 1000);
  for (const auto& device : *devices) {
    for (auto& place : domain::PlacesOf(device))
      places.emplace_back(std::move(place), domain::BriefOf(device));
  }
  std::sort(places.begin(), places.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return places;
}

RC_GTEST_PROP(LedgerIndex, IsAfterAnyChangesWhatAllDevicesSay, ()) {
  const samples::Folder folder;
  const auto memory = OpenMemoryLedger();
  auto rocks = OpenBackend(Backend::kRocksDb, folder);
  constexpr std::uint64_t kDevices = 8;
  std::vector<std::uint64_t> versions(kDevices, 0);
  for (int step = 0; step < 30; ++step) {
    domain::Changeset changes;
    auto next = versions;
    for (std::uint64_t i = 1 + Below(3); i > 0; --i) {
      const std::uint64_t number = Below(kDevices);
      changes.devices.push_back({Drawn(number), next[number]++});
    }
    const bool stale = Below(5) == 0;
    if (stale) ++changes.devices.back().expected_version;
    RC_ASSERT(memory->Commit(changes).ok() == !stale);
    RC_ASSERT(rocks->Commit(changes).ok() == !stale);
    if (!stale) versions = next;
  }
  rocks.reset();
  if (Below(3) == 0) RC_ASSERT(ReindexRocksDbLedger(folder.path()).ok());
  rocks = OpenBackend(Backend::kRocksDb, folder);
  const auto expected = Recomputed(*memory);
  RC_ASSERT(*memory->PlacesAfter({}, 1000) == expected);
  RC_ASSERT(*rocks->PlacesAfter({}, 1000) == expected);
  std::optional<DeviceGroup> before;
  for (const auto& [place, brief] : expected) {
    if (std::exchange(before, place.group) == place.group) continue;
    const auto paged = AllOf(*rocks, place.group, 2);
    RC_ASSERT(paged == AllOf(*memory, place.group, 3));
    RC_ASSERT(std::count(paged.begin(), paged.end(), place.position.device) == 1);
  }
}

}  // namespace
}  // namespace registry::ledger
