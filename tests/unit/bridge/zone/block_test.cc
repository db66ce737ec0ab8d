// A block gives back the very octets it was made of, whichever of them it holds itself; and the index of expiry dates says
// what a plain list would say.
#include "bridge/zone/block.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "bridge/zone/apex.h"
#include "bridge/zone/device_content.h"
#include "bridge/zone/expiry.h"
#include "bridge/zone/key_set_file.h"
#include "bridge/zone/rrset.h"
#include "bridge/zone/zone_records.h"
#include "tests/unit/bridge/zone/zone_files.h"

namespace registry::zone::testing {
namespace {

constexpr UtcTime kNow{1'790'000'000'000'000};

Unsigned TlsaOf(std::uint64_t device, std::uint8_t selector = 0) {
  domain::ZoneChange change = Published(device);
  change.tlsa.front().selector = selector;
  return Render(DevicePrefix(change.device), kTypeTlsa, 60, {TlsaRdata(change.tlsa.front())});
}

Unsigned TwoTlsaOf(std::uint64_t device) {
  return Render(DevicePrefix(DeviceOf(device)), kTypeTlsa, 60,
                {TlsaRdata(Published(device, 1).tlsa.front()), TlsaRdata(Published(device, 2).tlsa.front())});
}

Unsigned NoteOf(std::uint64_t device) {
  return Render(DevicePrefix(DeviceOf(device)), kTypeTxt, 60, {TxtRdata("state=deactivated")});
}

Unsigned DenialOf(std::uint8_t first, const std::vector<std::uint16_t>& types) {
  Hash hash{}, next{};
  hash.fill(first);
  next.fill(static_cast<std::uint8_t>(first + 1));
  return Render(Nsec3Prefix(hash), kTypeNsec3, 60, {Nsec3Rdata(next, TypeBitmap(types))});
}

class BlockTest : public ::testing::Test {
 protected:
  BlockPtr Seal(const Unsigned& rrset) { return sealer_.Seal(rrset, kNow); }

  ZoneFiles files_;
  Sealer sealer_{ProfileOf(files_.options())->signing};
};

TEST_F(BlockTest, WhatAMillionNamesHaveTakesTheirOwnOctetsOnly) {
  EXPECT_EQ(Seal(TlsaOf(1))->memory(), 24u + 16 + 32 + 64);
  EXPECT_EQ(Seal(NoteOf(1))->memory(), 24u + 16 + 64);
  EXPECT_EQ(Seal(DenialOf(7, {kTypeTlsa, kTypeRrsig}))->memory(), 24u + 20 + 20 + 64);
}

TEST_F(BlockTest, DataAndSignatureAreThoseOfTheWire) {
  for (const Unsigned& rrset :
       {TlsaOf(1), TlsaOf(2, 1), TwoTlsaOf(3), NoteOf(4), DenialOf(7, {kTypeTlsa, kTypeRrsig}),
        DenialOf(8, {}), Render({}, kTypeTxt, 3600, {TxtRdata("v=iotreg1")})}) {
    const BlockPtr block = Seal(rrset);
    EXPECT_EQ(block->data(), rrset.wire);
    EXPECT_TRUE(block->DataIs(rrset.wire));
    EXPECT_EQ(block->type(), rrset.type);
    EXPECT_EQ(block->prefix(), rrset.prefix);
    Bytes whole = block->data();
    Put(whole, block->signature());
    EXPECT_EQ(block->wire(), whole);
    EXPECT_EQ(block->size(), whole.size());
    EXPECT_EQ(block->inception(), kNow.seconds() - 3600);
    Bytes other = rrset.wire;
    other.back() ^= 1;
    EXPECT_FALSE(block->DataIs(other));
  }
}

TEST_F(BlockTest, KnowsWhoseNameItIs) {
  EXPECT_EQ(Seal(TlsaOf(1))->device(), DeviceOf(1));
  EXPECT_EQ(Seal(TwoTlsaOf(2))->device(), DeviceOf(2));
  EXPECT_EQ(Seal(NoteOf(3))->device(), DeviceOf(3));
  EXPECT_EQ(Seal(DenialOf(7, {}))->device(), std::nullopt);
  Hash hash{};
  hash.fill(7);
  EXPECT_EQ(Seal(DenialOf(7, {}))->hash(), hash);
  EXPECT_EQ(Seal(TlsaOf(1))->hash(), std::nullopt);
}

class TwoAlgorithmsTest : public BlockTest {
 protected:
  // Also of the algorithm with the longest signatures, in front of the shortest.
  static SigningProfile WithBoth(const ZoneFiles& files, std::uint8_t second, bool first = false) {
    SigningProfile signing = ProfileOf(files.options())->signing;
    const auto made = MakeKey(files.path(""), KeyRole::kZsk, second, [](std::uint16_t) { return false; });
    signing.zsks.insert(first ? signing.zsks.begin() : signing.zsks.end(),
                        *LoadZoneKey(files.path(made->file), kZskFlags));
    return signing;
  }
};

// RFC 6781 §4.1.4: as many octets more as the second signature has.
TEST_F(TwoAlgorithmsTest, TheirSignaturesAreKeptAndComeBack) {
  for (const auto& [second, octets] : {std::pair{kEd25519, 64u}, {kEcdsaP384Sha384, 96u}}) {
    for (const bool first : {false, true}) {
      const SigningProfile signing = WithBoth(files_, second, first);
      Sealer sealer(signing);
      const BlockPtr tlsa = sealer.Seal(TlsaOf(1), kNow);
      EXPECT_EQ(tlsa->memory(), 24u + 16 + 32 + 64 + octets);
      EXPECT_EQ(sealer.Seal(DenialOf(7, {kTypeTlsa}), kNow)->memory(), 24u + 20 + 20 + 64 + octets);
      const std::vector<std::uint16_t> tags{signing.zsks[0].tag, signing.zsks[1].tag};
      for (const Unsigned& rrset : {TlsaOf(2), TwoTlsaOf(3), NoteOf(4), DenialOf(8, {})}) {
        const BlockPtr block = sealer.Seal(rrset, kNow);
        EXPECT_EQ(block->data(), rrset.wire);
        EXPECT_EQ(block->signers(), tags);
        EXPECT_TRUE(block->SignedBy(tags));
        EXPECT_FALSE(block->SignedBy({tags[0]}));
        EXPECT_EQ(block->shape().signature_count, 2);
        Frames fresh;
        EXPECT_EQ(Block::Make(block->wire(), block->shape(), fresh)->wire(), block->wire());
      }
    }
  }
}

// A block may be refused where an octet says that it is longer or shorter; nothing else of it is lost.
TEST_F(TwoAlgorithmsTest, NoOctetIsLostWhateverItIs) {
  const SigningProfile signing = WithBoth(files_, kEcdsaP384Sha384);
  Sealer sealer(signing);
  for (const Unsigned& rrset : {TlsaOf(1), DenialOf(7, {kTypeTlsa, kTypeRrsig})}) {
    const BlockPtr block = sealer.Seal(rrset, kNow);
    const Bytes wire = block->wire();
    Frames known;
    ASSERT_EQ(Block::Make(wire, block->shape(), known)->wire(), wire);
    int refused = 0;
    for (std::size_t bit = 0; bit < wire.size() * 8; ++bit) {
      Bytes changed = wire;
      changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ 1 << bit % 8);
      Frames fresh;
      for (Frames* frames : {&known, &fresh}) {
        const BlockPtr again = Block::Make(changed, block->shape(), *frames);
        refused += again == nullptr ? 1 : 0;
        if (again != nullptr) {
          EXPECT_EQ(again->wire(), changed) << "bit " << bit;
        }
      }
    }
    EXPECT_LE(refused, 2 * 16) << "the length of the first RRSIG";
  }
}

// What comes from a file may be anything. Each octet is turned over in each bit, before and after its kind is known.
TEST_F(BlockTest, NoOctetIsLostWhateverItIs) {
  for (const Unsigned& rrset : {TlsaOf(1), NoteOf(4), DenialOf(7, {kTypeTlsa, kTypeRrsig})}) {
    const BlockPtr block = Seal(rrset);
    const Bytes wire = block->wire();
    Frames known;
    ASSERT_EQ(Block::Make(wire, block->shape(), known)->wire(), wire);
    for (std::size_t bit = 0; bit < wire.size() * 8; ++bit) {
      Bytes changed = wire;
      changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ 1 << bit % 8);
      Frames fresh;
      for (Frames* frames : {&known, &fresh}) {
        const BlockPtr again = Block::Make(changed, block->shape(), *frames);
        ASSERT_NE(again, nullptr);
        EXPECT_EQ(again->wire(), changed) << "bit " << bit;
      }
    }
  }
}

TEST_F(BlockTest, OctetsOfAnotherShapeAreNoBlock) {
  const BlockPtr block = Seal(TlsaOf(1));
  const Bytes wire = block->wire();
  Frames frames;
  const std::size_t least = block->shape().data_size + block->shape().prefix_size + 2 + 10 + 18 + 1;
  for (std::size_t size = 0; size < least; ++size)
    EXPECT_EQ(Block::Make(View(wire).first(size), block->shape(), frames), nullptr) << size;
  BlockShape shape = block->shape();
  shape.data_size = 20;
  EXPECT_EQ(Block::Make(wire, shape, frames), nullptr);
  shape = block->shape();
  shape.signature_count = 0;
  EXPECT_EQ(Block::Make(wire, shape, frames), nullptr);
}

// More kinds than are kept: notes that all differ.
TEST_F(BlockTest, AnyNumberOfKindsComesBack) {
  std::vector<std::pair<Unsigned, BlockPtr>> blocks;
  for (std::size_t i = 0; i < 3 * Frames::kKept; ++i) {
    Unsigned rrset =
        Render(DevicePrefix(DeviceOf(i)), kTypeTxt, 60, {TxtRdata("state=" + std::to_string(i))});
    BlockPtr block = Seal(rrset);
    blocks.emplace_back(std::move(rrset), std::move(block));
  }
  for (const auto& [rrset, block] : blocks) EXPECT_EQ(block->data(), rrset.wire);
}

TEST(OwnerTest, LabelsComeBackAndNothingElseIsTaken) {
  for (std::uint64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(DeviceAt(DevicePrefix(DeviceOf(i))), DeviceOf(i));
    Hash hash{};
    std::mt19937_64 random(i);
    for (std::uint8_t& octet : hash) octet = static_cast<std::uint8_t>(random());
    EXPECT_EQ(HashAt(Nsec3Prefix(hash)), hash);
  }
  const DeviceId of_no_version =
      DeviceId::FromOctets({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16});
  EXPECT_EQ(DeviceAt(DevicePrefix(of_no_version)), of_no_version);
  Bytes prefix = DevicePrefix(DeviceOf(1));
  prefix[5] = 'G';
  EXPECT_EQ(DeviceAt(prefix), std::nullopt);
  EXPECT_EQ(DeviceAt(DeviceLabel()), std::nullopt);
  EXPECT_EQ(HashAt(prefix), std::nullopt);
  EXPECT_EQ(HashAt({}), std::nullopt);
}

TEST_F(BlockTest, ExpiryIndexSaysWhatAPlainListWouldSay) {
  constexpr std::int64_t kSlot = 600;
  ExpiryIndex index{std::chrono::seconds(kSlot)};
  std::mt19937 random(42);
  std::vector<BlockPtr> out, in;
  std::set<const Block*> expedited;
  for (std::uint64_t i = 0; i < 300; ++i)
    out.push_back(sealer_.Seal(TlsaOf(i), kNow + std::chrono::seconds(random() % 5000)));
  for (int step = 0; step < 3000; ++step) {
    const bool add = in.empty() || (!out.empty() && random() % 2 == 0);
    std::vector<BlockPtr>&from = add ? out : in, &to = add ? in : out;
    std::swap(from[random() % from.size()], from.back());
    const Block& block = *from.back();
    if (!add && random() % 4 == 0) {
      index.Expedite(block);
      expedited.insert(&block);
      continue;
    }
    add ? index.Add(block) : index.Remove(block);
    expedited.erase(&block);
    to.push_back(std::move(from.back()));
    from.pop_back();
    const std::int64_t time = kNow.seconds() + 14 * 86400 - static_cast<std::int64_t>(random() % 86400);
    std::set<const Block*> due;
    for (const BlockPtr& one : in) {
      if (expedited.contains(one.get()) || one->expires() / kSlot * kSlot < time) due.insert(one.get());
    }
    const auto found = index.Before(time, in.size());
    ASSERT_EQ(std::set<const Block*>(found.begin(), found.end()), due);
    ASSERT_EQ(found.size(), due.size());
    ASSERT_EQ(index.All().size(), in.size());
    ASSERT_LE(index.Before(time, 3).size(), 3u);
    ASSERT_EQ(index.First() == 0, !expedited.empty());
  }
}

// A version that does not lead on from what is there is refused before anything of it is done.
TEST_F(BlockTest, VersionThatDoesNotFitLeavesWhatWasRead) {
  StoredZone zone(1u << 20, 100);
  zone.serial = 7;
  zone.soa = Seal(Render({}, kTypeSoa, 60, {Bytes(30)}));
  for (std::uint64_t i = 0; i < 5; ++i) ASSERT_TRUE(zone.blocks.Add(Seal(TlsaOf(i))));
  const std::vector<BlockPtr> before = zone.blocks.All();
  const BlockPtr soa = zone.soa;
  const auto version = [&](std::vector<BlockPtr> removed, std::vector<BlockPtr> added,
                           std::uint32_t from = 7) {
    return VersionPayload({from, 8, soa, soa, std::move(removed), std::move(added)}, false);
  };
  const BlockPtr fresh = Seal(TlsaOf(77));
  const std::vector<std::pair<std::string, Bytes>> misfits{
      {"of another version", version({before[0]}, {fresh}, 6)},
      {"what goes is not there", version({before[0], fresh}, {})},
      {"it goes twice", version({before[0], before[0]}, {fresh})},
      {"what comes is there", version({before[0]}, {fresh, before[1]})},
      {"it comes twice", version({before[0]}, {fresh, fresh})},
  };
  for (const auto& [why, payload] : misfits) {
    EXPECT_FALSE(ReadVersion(payload, zone)) << why;
    EXPECT_EQ(zone.blocks.All(), before) << why;
    EXPECT_EQ(zone.soa, soa) << why;
    EXPECT_EQ(zone.serial, 7u) << why;
    EXPECT_EQ(zone.journal.size(), 0u) << why;
  }
  const BlockPtr again = Seal(zone::DataOf(*before[0]));
  EXPECT_TRUE(ReadVersion(version({before[0]}, {fresh, again}), zone)) << "signed again";
  EXPECT_EQ(zone.blocks.size(), 6u);
  EXPECT_EQ(zone.serial, 8u);
}

}  // namespace
}  // namespace registry::zone::testing
