// Whatever is added, changed and removed, the zone changed in place is the zone built from scratch, and applying the
// deltas one after the other leads there, too.
#include "bridge/zone/signed_zone.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "bridge/zone/apex.h"
#include "bridge/zone/journal.h"
#include "tests/unit/bridge/zone/zone_files.h"

namespace registry::zone::testing {
namespace {

constexpr UtcTime kNow{1'790'000'000'000'000};

std::multiset<Bytes> DataOf(const std::vector<BlockPtr>& blocks) {
  std::multiset<Bytes> data;
  for (const BlockPtr& block : blocks) data.insert(block->data());
  return data;
}

// What a secondary does with a difference (RFC 1995 §4): every removed record must be there, no added one may be.
void ApplyTo(std::set<BlockPtr>& copy, const Delta& delta) {
  for (const BlockPtr& block : delta.removed) ASSERT_EQ(copy.erase(block), 1u);
  for (const BlockPtr& block : delta.added) ASSERT_TRUE(copy.insert(block).second);
}

// RFC 5155 §7.1: following the next hashed owner names from any NSEC3 visits every one and comes back.
void ExpectClosedChain(const std::vector<BlockPtr>& blocks) {
  std::map<Bytes, Bytes> next;
  for (const BlockPtr& block : blocks) {
    if (block->type() != kTypeNsec3) continue;
    const Bytes data = block->data();
    Hash hash;
    std::copy_n(data.begin() + block->shape().prefix_size + 2 + 10 + 6, hash.size(), hash.begin());
    next.emplace(Bytes(data.begin(), data.begin() + block->shape().prefix_size), Nsec3Prefix(hash));
  }
  std::size_t steps = 1, wraps = 0;
  Bytes at = next.begin()->second;
  for (Bytes before = next.begin()->first; at != next.begin()->first; ++steps) {
    ASSERT_TRUE(next.contains(at));
    ASSERT_LE(steps, next.size());
    wraps += AsText(at) < AsText(before) ? 1 : 0;
    before = at;
    at = next[at];
  }
  EXPECT_EQ(steps, next.size());
  EXPECT_EQ(wraps, 0u) << "in the order of the hashes";
}

class SignedZoneTest : public ::testing::Test {
 protected:
  ZoneProfile Profile() const { return *ProfileOf(files_.options()); }
  std::set<BlockPtr> SetOf(const SignedZone& zone) const {
    const auto blocks = zone.Contents();
    return {blocks.begin(), blocks.end()};
  }
  std::size_t Count(const SignedZone& zone, std::uint16_t type) const {
    std::size_t count = 0;
    for (const BlockPtr& block : zone.Contents()) count += block->type() == type ? 1 : 0;
    return count;
  }

  ZoneFiles files_;
};

TEST_F(SignedZoneTest, EmptyZoneHasOneDenialPerName) {
  SignedZone zone(Profile(), kNow);
  zone.Seal(1, kNow);
  EXPECT_EQ(Count(zone, kTypeNsec3), 2u);  // the apex and ns1
  EXPECT_EQ(Count(zone, kTypeTlsa), 1u);
  EXPECT_EQ(Count(zone, kTypeDnskey), 1u);
}

TEST_F(SignedZoneTest, AddedDeviceCostsThreeSignatures) {
  SignedZone zone(Profile(), kNow);
  std::vector<domain::ZoneChange> first;
  for (std::uint64_t n = 0; n < 100; ++n) first.push_back(Published(n));
  zone.Stage(first, kNow);
  zone.Seal(1, kNow);
  const std::vector<domain::ZoneChange> one{Published(1000)};
  zone.Stage(one, kNow);
  const Delta delta = zone.Seal(2, kNow);
  EXPECT_EQ(delta.added.size(), 3u);  // TLSA, its NSEC3, the NSEC3 before it; and the SOA beside them
  EXPECT_EQ(delta.removed.size(), 1u);
  EXPECT_EQ(delta.from, 1u);
  EXPECT_EQ(delta.to, 2u);
}

TEST_F(SignedZoneTest, NothingNewMakesNoVersion) {
  SignedZone zone(Profile(), kNow);
  const std::vector<domain::ZoneChange> change{Published(1)};
  zone.Stage(change, kNow);
  zone.Seal(1, kNow);
  zone.Stage(change, kNow);
  EXPECT_FALSE(zone.Dirty());
  const std::vector<domain::ZoneChange> absent{Gone(77, 1)};
  zone.Stage(absent, kNow);
  EXPECT_FALSE(zone.Dirty());
}

TEST_F(SignedZoneTest, OlderRevisionsAreIgnoredWithinAndAcrossBatches) {
  SignedZone zone(Profile(), kNow);
  const std::vector<domain::ZoneChange> batch{Published(1, 3), Published(1, 2)};
  zone.Stage(batch, kNow);
  zone.Seal(1, kNow);
  SignedZone expected(Profile(), kNow);
  const std::vector<domain::ZoneChange> newest{Published(1, 3)};
  expected.Stage(newest, kNow);
  expected.Seal(1, kNow);
  EXPECT_EQ(DataOf(zone.Contents()), DataOf(expected.Contents()));
  const std::vector<domain::ZoneChange> older{Published(1, 1)};
  zone.Stage(older, kNow);
  EXPECT_FALSE(zone.Dirty());
}

TEST_F(SignedZoneTest, LastDeviceTakesTheEmptyNonTerminalWithIt) {
  SignedZone zone(Profile(), kNow);
  const std::vector<domain::ZoneChange> add{Published(1)}, remove{Gone(1, 2)};
  zone.Stage(add, kNow);
  zone.Seal(1, kNow);
  EXPECT_EQ(Count(zone, kTypeNsec3), 4u);
  zone.Stage(remove, kNow);
  zone.Seal(2, kNow);
  EXPECT_EQ(Count(zone, kTypeNsec3), 2u);
  EXPECT_EQ(zone.devices(), 0u);
}

TEST_F(SignedZoneTest, TooLargeContentIsRefusedAndTheRestGoesOn) {
  SignedZone zone(Profile(), kNow);
  domain::ZoneChange large = Published(1);
  large.note = std::string(kRrsetOctetsMax, 'x');
  const std::vector<domain::ZoneChange> batch{large, Published(2)};
  EXPECT_EQ(zone.Stage(batch, kNow), std::vector<DeviceId>{DeviceOf(1)});
  zone.Seal(1, kNow);
  EXPECT_EQ(zone.devices(), 1u);
}

TEST_F(SignedZoneTest, RefreshRenewsWhatExpiresAndNothingElse) {
  SignedZone zone(Profile(), kNow);
  std::vector<domain::ZoneChange> batch;
  for (std::uint64_t n = 0; n < 30; ++n) batch.push_back(Published(n));
  zone.Stage(batch, kNow);
  zone.Seal(1, kNow);
  const auto data = DataOf(zone.Contents());
  EXPECT_FALSE(zone.RefreshDue(kNow));
  const UtcTime later = kNow + std::chrono::seconds(7 * 86400);
  EXPECT_TRUE(zone.RefreshDue(later));
  auto copy = SetOf(zone);
  std::uint32_t serial = 1;
  while (zone.RefreshDue(later)) {
    zone.StageRefresh(10, later);
    const Delta delta = zone.Seal(++serial, later);
    EXPECT_LE(delta.added.size(), 10u);
    ApplyTo(copy, delta);
    ASSERT_LT(serial, 50u);
  }
  EXPECT_EQ(DataOf(zone.Contents()), data);
  EXPECT_EQ(copy, SetOf(zone));
  for (const BlockPtr& block : zone.Contents())
    EXPECT_GE(block->expires(), later.seconds() + 7 * 86400 - 3600);
}

// Signed by a clock that was a day ahead, then set right: bogus for everybody, and due only in a fortnight.
TEST_F(SignedZoneTest, SignaturesFromTheFutureAreMadeAgain) {
  const UtcTime ahead = kNow + std::chrono::seconds(86400);
  SignedZone zone(Profile(), kNow);
  std::vector<domain::ZoneChange> batch;
  for (std::uint64_t n = 0; n < 30; ++n) batch.push_back(Published(n));
  zone.Stage(batch, kNow);
  zone.Seal(1, kNow);
  const std::vector<domain::ZoneChange> late{Published(100)};
  zone.Stage(late, ahead);
  const Delta made_ahead = zone.Seal(2, ahead);
  EXPECT_EQ(zone.ExpediteFromAhead(ahead - std::chrono::seconds(3600)), 0u)
      << "as far back as inceptions lie";
  const UtcTime now = kNow + std::chrono::seconds(5);
  EXPECT_EQ(zone.ExpediteFromAhead(now), made_ahead.added.size() + 1) << "and the SOA";
  EXPECT_EQ(zone.FirstExpiry(), 0);
  ASSERT_TRUE(zone.RefreshDue(now));
  zone.StageRefresh(10, now);
  zone.Seal(3, now);
  EXPECT_FALSE(zone.RefreshDue(now));
  EXPECT_EQ(zone.ExpediteFromAhead(now), 0u);
  for (const BlockPtr& block : zone.Contents()) EXPECT_LE(block->inception(), now.seconds());
  EXPECT_LE(zone.soa()->inception(), now.seconds());
  EXPECT_GT(zone.FirstExpiry(), now.seconds() + 12 * 86400);
}

TEST_F(SignedZoneTest, SoaFromTheFutureIsMadeAgain) {
  SignedZone zone(Profile(), kNow);
  zone.Seal(1, kNow);
  zone.Seal(2, kNow + std::chrono::seconds(86400));
  EXPECT_EQ(zone.ExpediteFromAhead(kNow), 1u);
  EXPECT_TRUE(zone.RefreshDue(kNow));
  zone.Seal(3, kNow);
  EXPECT_FALSE(zone.RefreshDue(kNow));
}

// RFC 2308 §5: how long a denial is cached is the lesser of the SOA's TTL and its minimum.
TEST_F(SignedZoneTest, Rfc2308_NegativeTtlIsTheTtlOfTheSoaToo) {
  Options options = files_.options();
  options.negative_ttl = 300;
  SignedZone zone(*ProfileOf(options), kNow);
  zone.Seal(1, kNow);
  const Bytes soa_octets = zone.soa()->data();
  const View soa(soa_octets);
  const Bytes ttl{0, 0, 1, 44};
  EXPECT_TRUE(std::ranges::equal(soa.subspan(6, 4), ttl)) << "its TTL";
  EXPECT_TRUE(std::ranges::equal(soa.last(4), ttl)) << "its minimum";
  for (const BlockPtr& block : zone.Contents()) {
    if (block->type() != kTypeNsec3) continue;
    const Bytes data = block->data();
    EXPECT_TRUE(std::ranges::equal(View(data).subspan(block->shape().prefix_size + 6u, 4), ttl))
        << "RFC 9077 §3";
  }
}

TEST_F(SignedZoneTest, ExpirationsAreSpread) {
  SignedZone zone(Profile(), kNow);
  std::vector<domain::ZoneChange> batch;
  for (std::uint64_t n = 0; n < 200; ++n) batch.push_back(Published(n));
  zone.Stage(batch, kNow);
  zone.Seal(1, kNow);
  std::set<std::int64_t> hours;
  for (const BlockPtr& block : zone.Contents()) {
    hours.insert(block->expires() / 3600);
    EXPECT_LE(block->expires(), kNow.seconds() + 14 * 86400);
    EXPECT_GE(block->expires(), kNow.seconds() + 13 * 86400 - 1);
  }
  EXPECT_GE(hours.size(), 20u);
}

// Random histories of a small family, so that names come, go and come again.
class RandomHistory : public SignedZoneTest, public ::testing::WithParamInterface<std::uint32_t> {
 protected:
  std::vector<domain::ZoneChange> Batch() {
    std::vector<domain::ZoneChange> batch(random_() % 12 + 1);
    for (auto& change : batch) {
      const std::uint64_t n = random_() % 40, revision = ++revisions_[n];
      const auto choice = random_() % 4;
      change = choice == 0   ? Gone(n, revision)
               : choice == 1 ? Deactivated(n, revision)
                             : Published(n, revision);
      if (choice == 3) change.note = "state=moving";
      last_[n] = change;
    }
    return batch;
  }

  std::mt19937 random_{GetParam()};
  std::map<std::uint64_t, std::uint64_t> revisions_;
  std::map<std::uint64_t, domain::ZoneChange> last_;
};

TEST_P(RandomHistory, InPlaceEqualsFromScratchAndDeltasLeadThere) {
  SignedZone zone(Profile(), kNow);
  zone.Seal(1, kNow);
  auto step_copy = SetOf(zone);
  const auto first_copy = step_copy;
  Journal journal(1u << 30, 1000);
  for (std::uint32_t serial = 2; serial < 30; ++serial) {
    zone.Stage(Batch(), kNow);
    auto delta = std::make_shared<Delta>(zone.Seal(serial, kNow));
    ApplyTo(step_copy, *delta);
    journal.Append(delta);
  }
  EXPECT_EQ(step_copy, SetOf(zone));
  ExpectClosedChain(zone.Contents());

  SignedZone scratch(Profile(), kNow);
  std::vector<domain::ZoneChange> all;
  for (const auto& [n, change] : last_) all.push_back(change);
  scratch.Stage(all, kNow);
  scratch.Seal(29, kNow);
  EXPECT_EQ(DataOf(zone.Contents()), DataOf(scratch.Contents()));
  EXPECT_EQ(zone.devices(), scratch.devices());
  EXPECT_EQ(zone.octets(), scratch.octets());

  const Delta whole = Condense(journal.After(1));
  auto one_step_copy = first_copy;
  ApplyTo(one_step_copy, whole);
  EXPECT_EQ(one_step_copy, SetOf(zone));
  EXPECT_EQ(whole.from, 1u);
  EXPECT_EQ(whole.to, 29u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomHistory, ::testing::Range(1u, 21u));

// Of no zone: octets of nothing.
BlockPtr BlockOf(std::size_t octets) {
  Frames frames;
  return Block::Make(Bytes(octets), {12, 0, 1, 1}, frames);
}

TEST(JournalTest, ForgetsTheOldestByCountAndByOctets) {
  const auto delta_of = [](std::uint32_t from, std::size_t octets) {
    auto delta = std::make_shared<Delta>();
    delta->from = from;
    delta->to = from + 1;
    delta->added.push_back(BlockOf(octets));
    return delta;
  };
  Journal by_count(1'000'000, 3);
  for (std::uint32_t i = 1; i <= 5; ++i) by_count.Append(delta_of(i, 50));
  EXPECT_TRUE(by_count.After(2).empty());
  EXPECT_EQ(by_count.After(3).size(), 3u);
  EXPECT_EQ(by_count.After(5).size(), 1u);
  EXPECT_TRUE(by_count.After(6).empty());
  Journal by_octets(125, 1000);
  for (std::uint32_t i = 1; i <= 5; ++i) by_octets.Append(delta_of(i, 50));
  EXPECT_EQ(by_octets.size(), 2u);
  EXPECT_LE(by_octets.octets(), 125u);
}

TEST(JournalTest, Rfc1982_AcrossTheWrapOfTheSerial) {
  Journal journal(1000, 10);
  for (std::uint32_t from = 0xfffffffeu; from != 2; ++from) {
    auto delta = std::make_shared<Delta>();
    delta->from = from;
    delta->to = from + 1;
    journal.Append(delta);
  }
  EXPECT_EQ(journal.After(0xffffffffu).size(), 3u);
  EXPECT_EQ(journal.After(0).size(), 2u);
}

}  // namespace
}  // namespace registry::zone::testing
