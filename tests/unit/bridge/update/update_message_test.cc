// What an UPDATE says, and which names are the registry's.
#include "bridge/update/update_message.h"

#include <gtest/gtest.h>

#include "bridge/update/signing_server.h"
#include "bridge/zone/device_content.h"
#include "bridge/zone/message.h"
#include "tests/unit/bridge/zone/zone_files.h"

namespace registry::update {
namespace {

using zone::testing::Deactivated;
using zone::testing::DeviceOf;
using zone::testing::Gone;
using zone::testing::Published;

const zone::Name kZoneName = *zone::NameFromText(zone::testing::kZone);
const Bytes kMarker = MarkerRdata("registry");
constexpr std::uint16_t kNone = 254;

Seen Holding(Records records) {
  Seen seen;
  seen.records = std::move(records);
  return seen;
}

struct Said {
  std::uint16_t type, rclass;
  std::uint32_t ttl;
  std::size_t size;
  bool operator==(const Said&) const = default;
};

std::vector<Said> In(const std::vector<zone::Record>& section, const zone::Name& owner) {
  std::vector<Said> said;
  for (const zone::Record& record : section) {
    EXPECT_EQ(record.owner, owner);
    said.push_back({record.type, record.rclass, record.ttl, record.rdata_size});
  }
  return said;
}

TEST(DeviceRecords, OnlyANameWithOurMarkerIsOurs) {
  EXPECT_FALSE(IsForeign(Holding({}), kMarker));
  EXPECT_FALSE(IsForeign(Holding(Wanted(Published(1), kMarker)), kMarker));
  EXPECT_FALSE(IsForeign(Holding(Wanted(Deactivated(1, 2), kMarker)), kMarker));
  EXPECT_TRUE(IsForeign(Holding(Wanted(Published(1), MarkerRdata("another"))), kMarker));
  EXPECT_TRUE(IsForeign(Holding({Wanted(Published(1), kMarker).tlsa, {}}), kMarker));
  EXPECT_TRUE(IsForeign(Holding({{}, {zone::TxtRdata("state=deactivated")}}), kMarker));
  EXPECT_FALSE(IsForeign(Holding({{}, {kMarker, zone::TxtRdata("somebody's")}}), kMarker));
  EXPECT_TRUE(IsForeign(Holding({{}, {zone::TxtRdata("somebody's")}}), kMarker));
  Seen alias;
  alias.alias = true;
  EXPECT_TRUE(IsForeign(alias, kMarker));
}

TEST(DeviceRecords, ADeletedDeviceLeavesNothing) {
  EXPECT_TRUE(Wanted(Gone(1, 2), kMarker).empty());
  EXPECT_TRUE(Wanted(Deactivated(1, 2), kMarker).tlsa.empty());
  EXPECT_EQ(Wanted(Deactivated(1, 2), kMarker).txt.size(), 2u);
}

TEST(UpdateMessage, ANewNameMustHaveNeitherRrset) {
  const zone::Name name = NameOf(DeviceOf(1), kZoneName);
  UpdateMessage update(kZoneName, 60);
  ASSERT_TRUE(update.Add({name, {}, Wanted(Published(1), kMarker)}));
  const Bytes octets = update.octets();
  const auto message = zone::ParseMessage(octets);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->opcode(), 5);
  EXPECT_EQ(message->question, kZoneName);
  EXPECT_EQ(message->type, zone::kTypeSoa);
  EXPECT_EQ(In(message->answer, name),
            (std::vector<Said>{{zone::kTypeTlsa, kNone, 0, 0}, {zone::kTypeTxt, kNone, 0, 0}}));
  EXPECT_EQ(In(message->authority, name),
            (std::vector<Said>{{zone::kTypeTlsa, zone::kClassIn, 60, 35},
                               {zone::kTypeTxt, zone::kClassIn, 60, kMarker.size()}}));
}

TEST(UpdateMessage, WhatIsReplacedMustStillBeWhatWasSeen) {
  const zone::Name name = NameOf(DeviceOf(1), kZoneName);
  UpdateMessage update(kZoneName, 60);
  ASSERT_TRUE(update.Add({name, Wanted(Published(1), kMarker), Wanted(Published(1, 2), kMarker)}));
  const Bytes octets = update.octets();
  const auto message = zone::ParseMessage(octets);
  ASSERT_TRUE(message);
  EXPECT_EQ(In(message->answer, name),
            (std::vector<Said>{{zone::kTypeTlsa, zone::kClassIn, 0, 35},
                               {zone::kTypeTxt, zone::kClassIn, 0, kMarker.size()}}));
  // TXT stays as it is.
  EXPECT_EQ(In(message->authority, name), (std::vector<Said>{{zone::kTypeTlsa, zone::kClassAny, 0, 0},
                                                             {zone::kTypeTlsa, zone::kClassIn, 60, 35}}));
}

TEST(UpdateMessage, ADeletionTakesOurRecordsOneByOneWhereSomebodyElseHasOne) {
  const zone::Name name = NameOf(DeviceOf(1), kZoneName);
  Records seen = Wanted(Published(1), kMarker);
  seen.txt = {zone::TxtRdata("somebody's"), kMarker};
  const Records to = Beside(Wanted(Gone(1, 2), kMarker), seen, kMarker);
  EXPECT_EQ(to, (Records{{}, {zone::TxtRdata("somebody's")}}));
  UpdateMessage update(kZoneName, 60);
  ASSERT_TRUE(update.Add({name, seen, to, true}));
  const Bytes octets = update.octets();
  const auto message = zone::ParseMessage(octets);
  ASSERT_TRUE(message);
  EXPECT_EQ(In(message->answer, name).size(), 3u);
  EXPECT_EQ(In(message->authority, name), (std::vector<Said>{{zone::kTypeTlsa, zone::kClassAny, 0, 0},
                                                             {zone::kTypeTxt, kNone, 0, kMarker.size()}}));
}

TEST(UpdateMessage, WhatDoesNotFitIsLeftOutWhole) {
  UpdateMessage update(kZoneName, 60);
  std::uint64_t n = 1;
  while (update.Add({NameOf(DeviceOf(n), kZoneName), {}, Wanted(Published(n), kMarker)})) {
    ASSERT_LE(update.octets().size(), kUpdateSizeMax);
    ASSERT_LT(++n, 1000u);
  }
  EXPECT_GT(n, 100u);
  const Bytes before = update.octets();
  EXPECT_FALSE(update.Add({NameOf(DeviceOf(n), kZoneName), {}, Wanted(Published(n), kMarker)}));
  EXPECT_EQ(update.octets(), before);
}

TEST(SigningServer, OneThatIsNotThereIsSaid) {
  const zone::testing::ZoneFiles files;
  const auto key = zone::LoadTsigKey(zone::testing::kTsigName, files.path("tsig.secret"));
  ASSERT_TRUE(key.ok());
  const SystemClock clock;
  SigningServer server(kZoneName, Dialogue("127.0.0.1", 1, *key, clock, [] { return false; }));
  const auto version = server.AskVersion();
  ASSERT_FALSE(version.ok());
  EXPECT_EQ(version.error().symbol, "zone_update_failed");
}

}  // namespace
}  // namespace registry::update
