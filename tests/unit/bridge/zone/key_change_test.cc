// The signed zone while its keys change. ldns-verify-zone judges what a resolver may put together: the DNSKEY set of one
// step with the data of a neighbouring one, under the DS of either.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <ldns/ldns.h>

#include <set>
#include <sstream>

#include "bridge/zone/apex.h"
#include "bridge/zone/key_set_file.h"
#include "bridge/zone/store.h"
#include "tests/unit/bridge/zone/zone_files.h"

namespace registry::zone::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr UtcTime kNow{1'790'000'000'000'000};
constexpr const char* kNowText = "20260921141320";
constexpr std::size_t kDevices = 60;

std::string Output(const std::string& line) {
  std::FILE* const pipe = popen((line + " 2>&1").c_str(), "r");
  std::string out;
  for (int c; pipe != nullptr && (c = std::fgetc(pipe)) != EOF;) out.push_back(static_cast<char>(c));
  if (pipe != nullptr) pclose(pipe);
  return out;
}

// A block as a zone file's lines, by ldns.
std::string TextOf(const Block& block) {
  Bytes message{0, 1, 0x84, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  SetU16(message, 6, static_cast<std::uint16_t>(block.data_count + block.signature_count));
  Put(message, *NameFromText(kZone));
  PutU16(message, kTypeSoa);
  PutU16(message, kClassIn);
  Put(message, block.wire);
  ldns_pkt* packet = nullptr;
  EXPECT_EQ(ldns_wire2pkt(&packet, message.data(), message.size()), LDNS_STATUS_OK);
  char* text = ldns_rr_list2str(ldns_pkt_answer(packet));
  std::string lines = text;
  LDNS_FREE(text);
  ldns_pkt_free(packet);
  return lines;
}

struct Shot {
  std::string name, keys, data;  // zone file lines: DNSKEY, CDS and CDNSKEY; all others
  std::vector<std::string> ds;   // what the parent may have then
};

class KeyChangeTest : public ::testing::Test {
 protected:
  explicit KeyChangeTest(bool combined = false) {
    options_.tlsa_ttl = 60;
    if (combined) options_.zsk_file.clear();
    set_ = *KeySetOf(options_, kNow);
    zone_ = std::make_unique<SignedZone>(*ProfileOf(options_), kNow);
    std::vector<domain::ZoneChange> changes;
    for (std::uint64_t n = 0; n < kDevices; ++n) changes.push_back(Published(n));
    zone_->Stage(changes, kNow);
    zone_->Seal(++serial_, kNow);
    Take("before");
  }
  void Begin(KeyRole role) {
    const auto key = MakeKey(KeyFolderOf(options_), role, [&](std::uint16_t tag) { return set_.Knows(tag); });
    BeginRoll(set_, role, key->tag, key->file, kNow);
    Apply(std::string(NameOf(role)) + " published");
  }
  void Next(const std::string& name) {
    RollPolicy policy = RollPolicyOf(options_);
    for (Roll& roll : set_.rolls) roll.ds_seen = true;
    // A step that waits for the DS is over with it, the others with their time.
    if (Advance(set_, policy, {kNow, std::chrono::milliseconds(0), true}) != RollChange::kStep) {
      ASSERT_EQ(Advance(set_, policy, {kNow, std::chrono::hours(48), true}), RollChange::kStep);
    }
    Apply(name);
  }
  void Apply(const std::string& name) {
    const auto material = *MaterialOf(set_, options_);
    zone_->Rekey(SigningOf(material, options_), KeySetsAtApex(material, options_), kNow);
    deltas_.push_back(zone_->Seal(++serial_, kNow));
    Take(name);
    for (int i = 0; zone_->Rekeying(); ++i) {
      zone_->StageRekeyed(25, kNow);
      deltas_.push_back(zone_->Seal(++serial_, kNow));
      ASSERT_LE(deltas_.back().added.size(), 25u) << "a version has a bound";
      if (i == 0) Take(name + ", signed anew by half");
      if (!zone_->Rekeying()) Take(name + ", signed anew");
    }
  }
  void Take(const std::string& name) {
    Shot shot{name, {}, TextOf(*zone_->soa()), {}};
    for (const BlockPtr& block : zone_->Contents()) {
      const bool key = block->type == kTypeDnskey || block->type == kTypeCds || block->type == kTypeCdnskey;
      (key ? shot.keys : shot.data) += TextOf(*block);
    }
    const auto add = [&](std::uint16_t tag) {
      shot.ds.push_back(*DsText(kZone, KeyPath(KeyFolderOf(options_), set_.Find(tag)->file)));
    };
    add(set_.Anchor().tag);
    for (const Roll& roll : set_.rolls) {
      if (SignsKeys(roll.role) && roll.step != RollStep::kPublish)
        add(roll.step == RollStep::kSubmit ? roll.to : roll.from);
    }
    shots_.push_back(shot);
  }
  std::string Judge(const Shot& keys, const Shot& data, const std::string& ds) {
    std::ofstream(files_.path("zone")) << data.data << keys.keys;
    std::ofstream(files_.path("ds")) << ds << "\n";
    return Output(std::string("ldns-verify-zone -t ") + kNowText + " -k " + files_.path("ds") + " " +
                  files_.path("zone"));
  }
  // The NSEC3 of the apex names CDS as soon as it is there, so data goes with keys of the same version but for that.
  void ExpectNeighboursValidate() {
    for (std::size_t i = 0; i < shots_.size(); ++i) {
      for (std::size_t j = i == 0 ? 0 : i - 1; j < std::min(i + 2, shots_.size()); ++j) {
        for (const std::string& ds : shots_[i].ds) {
          Shot keys = shots_[i];
          keys.keys = OnlyDnskey(keys.keys) + WithoutDnskey(shots_[j].keys);
          EXPECT_THAT(Judge(keys, shots_[j], ds), HasSubstr("Zone is verified and complete"))
              << "keys: " << shots_[i].name << ", data: " << shots_[j].name << ", " << ds;
        }
      }
    }
  }
  static std::string OnlyDnskey(const std::string& lines) { return Filtered(lines, true); }
  static std::string WithoutDnskey(const std::string& lines) { return Filtered(lines, false); }
  static std::string Filtered(const std::string& lines, bool dnskey) {
    std::istringstream in(lines);
    std::string out;
    for (std::string line; std::getline(in, line);) {
      const bool is = line.find("\tDNSKEY\t") != line.npos || line.find("\tRRSIG\tDNSKEY ") != line.npos;
      if (is == dnskey) out += line + "\n";
    }
    return out;
  }

  ZoneFiles files_;
  Options options_ = files_.options();
  KeySet set_;
  std::unique_ptr<SignedZone> zone_;
  std::uint32_t serial_ = 0;
  std::vector<Delta> deltas_;
  std::vector<Shot> shots_;
};

class CombinedKeyChangeTest : public KeyChangeTest {
 protected:
  CombinedKeyChangeTest() : KeyChangeTest(true) {}
};

TEST_F(KeyChangeTest, Rfc7583_ZskChangesWhileCachesHoldTheNeighbours) {
  Begin(KeyRole::kZsk);
  Next("zsk active");
  Next("zsk removed");
  ExpectNeighboursValidate();
  EXPECT_THAT(Judge(shots_.front(), shots_.back(), shots_.front().ds[0]), Not(HasSubstr("Zone is verified")))
      << "the judge sees what a roll-over without waits does";
}

TEST_F(KeyChangeTest, Rfc7344_KskChangesAndTellsTheParent) {
  Begin(KeyRole::kKsk);
  EXPECT_THAT(shots_.back().keys, Not(HasSubstr("CDS")));
  Next("ksk ready");
  EXPECT_THAT(shots_.back().keys, HasSubstr("\tCDS\t" + std::to_string(set_.rolls[0].to) + " 13 2 "));
  EXPECT_THAT(shots_.back().keys, HasSubstr("\tCDNSKEY\t257 3 13 "));
  Next("ksk active");
  Next("ksk removed");
  EXPECT_THAT(shots_.back().keys, Not(HasSubstr("CDS")));
  ExpectNeighboursValidate();
  EXPECT_THAT(Judge(shots_.back(), shots_.back(), shots_.front().ds[0]), Not(HasSubstr("Zone is verified")));
}

TEST_F(CombinedKeyChangeTest, OneKeyForBothChanges) {
  Begin(KeyRole::kCsk);
  Next("csk ready");
  Next("csk active");
  Next("csk removed");
  ExpectNeighboursValidate();
}

// What a secondary gets by IXFR is what it would get by AXFR.
TEST_F(KeyChangeTest, Rfc1995_DifferencesLeadToTheSameZone) {
  const auto blocks = zone_->Contents();
  std::set<BlockPtr> copy(blocks.begin(), blocks.end());
  Begin(KeyRole::kKsk);
  Next("ksk ready");
  Begin(KeyRole::kZsk);
  Next("a step");
  Next("a step");
  for (const Delta& delta : deltas_) {
    for (const BlockPtr& block : delta.removed) ASSERT_EQ(copy.erase(block), 1u);
    for (const BlockPtr& block : delta.added) ASSERT_TRUE(copy.insert(block).second);
  }
  const auto now = zone_->Contents();
  EXPECT_EQ(copy, std::set<BlockPtr>(now.begin(), now.end()));
}

TEST_F(KeyChangeTest, Rfc8078_DeletionIsSaidBySignedRecords) {
  options_.cds = CdsPolicy::kDelete;
  Apply("delete");
  EXPECT_THAT(shots_.back().keys, HasSubstr("\tCDS\t0 0 0 00"));
  EXPECT_THAT(shots_.back().keys, HasSubstr("\tCDNSKEY\t0 3 0 AA=="));
  ExpectNeighboursValidate();
}

// Devices that come and go while the walk is under way are signed with the new key, and none is left over.
TEST_F(KeyChangeTest, NothingIsLeftOfTheOldZskWhateverChangesMeanwhile) {
  Begin(KeyRole::kZsk);
  const std::uint16_t old = set_.Signer().tag;
  RollPolicy policy = RollPolicyOf(options_);
  Advance(set_, policy, {kNow, std::chrono::milliseconds(0), true});
  ASSERT_EQ(Advance(set_, policy, {kNow, std::chrono::hours(48), true}), RollChange::kStep);
  const auto material = *MaterialOf(set_, options_);
  zone_->Rekey(SigningOf(material, options_), KeySetsAtApex(material, options_), kNow);
  std::uint64_t n = 0;
  while (zone_->Rekeying()) {
    const std::vector<domain::ZoneChange> changes{Gone(n, 2), Published(n + 20, 2), Published(1000 + n),
                                                  Deactivated(n + 40, 2)};
    ++n;
    zone_->Stage(changes, kNow);
    zone_->StageRekeyed(7, kNow);
    zone_->Seal(++serial_, kNow);
  }
  for (const BlockPtr& block : zone_->Contents()) EXPECT_NE(block->signer, old) << block->type;
}

}  // namespace
}  // namespace registry::zone::testing
