// The file of the signed zone while the algorithm is rolled over (RFC 6781 §4.1.4). In every step a key signs that the
// DNSKEY set does not name yet, or not any more, and a kill may come half way through the walk.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>

#include "bridge/zone/apex.h"
#include "bridge/zone/key_set_file.h"
#include "bridge/zone/store.h"
#include "bridge/zone/zone_file.h"
#include "tests/unit/bridge/zone/zone_files.h"

namespace registry::zone::testing {
namespace {

constexpr UtcTime kThen{1'790'000'000'000'000};

class AlgorithmInTheFileTest : public ::testing::Test {
 protected:
  struct Primary {
    Primary(const std::string& path, const Options& options)
        : file(path, *NameFromText(kZone), {}), store(*ProfileOf(options), 1u << 20, 1000, kThen) {}
    ZoneFile file;
    ZoneStore store;
    bool kept = false;
  };

  AlgorithmInTheFileTest() {
    options_.key_set_file = files_.path("key-set.json");
    set_ = *KeySetOf(options_, kThen);
    Store();
    for (std::uint64_t n = 0; n < 20; ++n) devices_.push_back(Published(n));
    const auto first = Start(serial_);  // its thread writes the file
    while (!std::filesystem::exists(path_)) std::this_thread::yield();
  }
  // As the publisher does it.
  std::unique_ptr<Primary> Start(std::uint32_t serial) {
    auto primary = std::make_unique<Primary>(path_, options_);
    primary->store.KeepIn(primary->file);
    if (auto kept = primary->file.Read(1u << 20, 1000)) {
      primary->kept = true;
      primary->store.Adopt(std::move(*kept), kThen);
    }
    primary->store.Load(devices_, kThen);
    primary->store.FinishLoad(serial, kThen);
    return primary;
  }
  void Begin() {
    std::vector<KeyEntry> fresh;
    for (const KeyEntry& key : set_.keys) {
      const auto made = MakeKey(files_.path(""), key.role, kEd25519, [&](std::uint16_t tag) {
        return set_.Knows(tag) || std::ranges::find(fresh, tag, &KeyEntry::tag) != fresh.end();
      });
      fresh.push_back({key.role, {}, made->tag, made->file, kThen});
    }
    BeginAlgorithmRoll(set_, kEd25519, fresh, kThen);
    Store();
  }
  void Next() {
    RollPolicy policy = RollPolicyOf(options_);
    set_.rolls[0].ds_seen = true;
    if (Advance(set_, policy, {kThen, {}, true}) != RollChange::kStep) {
      ASSERT_EQ(Advance(set_, policy, {kThen, std::chrono::hours(48), true}), RollChange::kStep);
    }
    Store();
  }
  void Store() const {
    ASSERT_TRUE(ChangeKeySet(options_.key_set_file, [&](const auto&) { return set_; }).ok());
  }
  std::unique_ptr<Primary> Kill() { return Start(serial_ += 256); }
  std::vector<std::uint16_t> Wanted() const {
    std::vector<std::uint16_t> tags;
    for (const KeyEntry* key : set_.Signers()) tags.push_back(key->tag);
    return tags;
  }
  // What devices and NSEC3 have that is signed as it is wanted, and how much is not.
  std::pair<std::set<Bytes>, int> Data(const ZoneStore& store) const {
    std::pair<std::set<Bytes>, int> data;
    const Transfer whole = store.Full();
    for (std::size_t i = 0; i + 1 < whole.pieces.size(); ++i) {
      const Block& block = *whole.pieces[i].block;
      if (!block.device() && !block.hash()) continue;
      if (block.SignedBy(Wanted())) {
        data.first.insert(block.wire());
      } else {
        ++data.second;
      }
    }
    return data;
  }

  ZoneFiles files_;
  const std::string path_ = files_.path("signed-zone");
  Options options_ = files_.options();
  KeySet set_;
  std::vector<domain::ZoneChange> devices_;
  std::uint32_t serial_ = 1;
};

TEST_F(AlgorithmInTheFileTest, WhatIsSignedSurvivesAKillInEveryStep) {
  Begin();
  std::set<Bytes> before;
  for (int step = 0; step < 7; ++step) {
    if (step > 0) Next();
    auto primary = Kill();
    const bool walks = step == 0 || step >= 5;
    EXPECT_EQ(primary->store.Rekeying(), walks && step != 6) << step;
    if (primary->store.Rekeying()) {
      EXPECT_TRUE(Data(primary->store).first.empty()) << "nothing is made at once";
      primary->store.Publish({}, 0, ++serial_, kThen, 15);
      const auto half = Data(primary->store);
      EXPECT_FALSE(half.first.empty());
      EXPECT_GT(half.second, 0);
      primary.reset();
      primary = Kill();
      EXPECT_EQ(Data(primary->store), half) << "neither lost nor made again, step " << step;
      while (primary->store.Rekeying()) primary->store.Publish({}, 0, ++serial_, kThen, 15);
    } else {
      // The NSEC3 of the apex names CDS and CDNSKEY from `submit` to the end.
      const std::size_t made = step == 2 || step == 6 ? 1 : 0;
      const auto now = Data(primary->store).first;
      EXPECT_EQ(std::ranges::count_if(now, [&](const Bytes& wire) { return !before.contains(wire); }),
                static_cast<std::ptrdiff_t>(made))
          << "step " << step;
    }
    before = Data(primary->store).first;
    EXPECT_EQ(before.size(), 2 * devices_.size() + 3) << "apex, ns1 and _device have an NSEC3, too";
    EXPECT_EQ(Data(primary->store).second, 0);
  }
  EXPECT_TRUE(set_.rolls.empty());
}

// A file that has lost its end: what it has must not be served with DNSKEYs that want more.
TEST_F(AlgorithmInTheFileTest, WhatLacksAnAlgorithmIsSignedAtOnce) {
  Begin();
  Next();
  const auto primary = Kill();
  EXPECT_TRUE(primary->kept);
  EXPECT_FALSE(primary->store.Rekeying());
  EXPECT_EQ(Data(primary->store).second, 0);
}

}  // namespace
}  // namespace registry::zone::testing
