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
  SetU16(message, 6, static_cast<std::uint16_t>(block.shape().data_count + block.shape().signature_count));
  Put(message, *NameFromText(kZone));
  PutU16(message, kTypeSoa);
  PutU16(message, kClassIn);
  Put(message, block.wire());
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
    set_ = *KeySetOf(options_, now_);
    zone_ = std::make_unique<SignedZone>(*ProfileOf(options_), now_);
    std::vector<domain::ZoneChange> changes;
    for (std::uint64_t n = 0; n < kDevices; ++n) changes.push_back(Published(n));
    zone_->Stage(changes, now_);
    zone_->Seal(++serial_, now_);
    Take("before");
  }
  void Begin(KeyRole role) {
    const auto key = MakeKey(KeyFolderOf(options_), role, set_.algorithm(),
                             [&](std::uint16_t tag) { return set_.Knows(tag); });
    BeginRoll(set_, role, key->tag, key->file, now_);
    Apply(std::string(NameOf(role)) + " published");
  }
  void Next(const std::string& name) {
    RollPolicy policy = RollPolicyOf(options_);
    for (Roll& roll : set_.rolls) roll.ds_seen = true;
    // A step that waits for the DS is over with it, the others with their time.
    if (Advance(set_, policy, {now_, std::chrono::milliseconds(0), true}) != RollChange::kStep) {
      ASSERT_EQ(Advance(set_, policy, {now_, std::chrono::hours(48), true}), RollChange::kStep);
    }
    Apply(name);
  }
  void Apply(const std::string& name) {
    const auto material = *MaterialOf(set_, options_);
    zone_->Rekey(SigningOf(material, options_), KeySetsAtApex(material, options_), now_);
    deltas_.push_back(zone_->Seal(++serial_, now_));
    Take(name);
    for (int i = 0; zone_->Rekeying(); ++i) {
      zone_->StageRekeyed(25, now_);
      deltas_.push_back(zone_->Seal(++serial_, now_));
      ASSERT_LE(deltas_.back().added.size(), 25u) << "a version has a bound";
      if (i == 0) Take(name + ", signed anew by half");
      if (!zone_->Rekeying()) Take(name + ", signed anew");
    }
  }
  void Take(const std::string& name) {
    Shot shot{name, {}, TextOf(*zone_->soa()), {}};
    for (const BlockPtr& block : zone_->Contents()) {
      const bool key =
          block->type() == kTypeDnskey || block->type() == kTypeCds || block->type() == kTypeCdnskey;
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
    return Output("ldns-verify-zone -k " + files_.path("ds") + " " + files_.path("zone"));
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

  const UtcTime now_ = SystemClock().Now();
  ZoneFiles files_;
  Options options_ = files_.options();
  KeySet set_;
  std::unique_ptr<SignedZone> zone_;
  std::uint32_t serial_ = 0;
  std::vector<Delta> deltas_;
  std::vector<Shot> shots_;
};

// dnssec-verify wants all records signed by every algorithm in the DNSKEY set (RFC 4035 §2.2), and passes over RRSIGs of
// keys that are not in it, which ldns-verify-zone calls an error.
class AlgorithmChangeTest : public KeyChangeTest {
 protected:
  explicit AlgorithmChangeTest(bool combined = false) : KeyChangeTest(combined) {}
  void BeginAlgorithm(std::uint8_t algorithm) {
    std::vector<KeyEntry> fresh;
    for (const KeyEntry& key : set_.keys) {
      const auto made = MakeKey(KeyFolderOf(options_), key.role, algorithm, [&](std::uint16_t tag) {
        return set_.Knows(tag) || std::ranges::find(fresh, tag, &KeyEntry::tag) != fresh.end();
      });
      fresh.push_back({key.role, KeyState::kPreActive, made->tag, made->file, now_, algorithm});
    }
    BeginAlgorithmRoll(set_, algorithm, fresh, now_);
    Apply("sign");
  }
  void GoThroughAllSteps(std::uint8_t algorithm) {
    const std::uint16_t old = set_.Anchor().tag;
    BeginAlgorithm(algorithm);
    EXPECT_EQ(Dnskeys().size(), old_keys_);
    for (const char* step : {"publish", "submit", "retire", "withdraw", "unsign"}) {
      Next(step);
      EXPECT_EQ(NameOf(set_.rolls.at(0).step), step);
      const bool both = set_.rolls[0].step != RollStep::kWithdraw && set_.rolls[0].step != RollStep::kUnsign;
      EXPECT_EQ(Dnskeys().size(), both ? 2 * old_keys_ : old_keys_) << step;
    }
    Next("over");
    EXPECT_TRUE(set_.rolls.empty());
    EXPECT_EQ(set_.Find(old), nullptr);
    for (const BlockPtr& block : zone_->Contents())
      for (const std::uint16_t tag : block->signers()) EXPECT_EQ(set_.Find(tag)->algorithm, algorithm);
  }
  std::set<std::string> Dnskeys() const {
    std::set<std::string> keys;
    std::istringstream in(OnlyDnskey(shots_.back().keys));
    for (std::string line; std::getline(in, line);) {
      if (line.find("\tRRSIG\t") == line.npos) keys.insert(line);
    }
    return keys;
  }
  std::string Strict(const Shot& keys, const Shot& data) {
    std::ofstream(files_.path("zone")) << data.data << OnlyDnskey(keys.keys) << WithoutDnskey(data.keys);
    // -z: KSKs sign everything.
    return Output(std::string("dnssec-verify ") + (old_keys_ == 1 ? "-z" : "") + " -o " + kZone + " " +
                  files_.path("zone"));
  }
  void ExpectEveryAlgorithmSigns() {
    for (std::size_t i = 0; i < shots_.size(); ++i) {
      for (std::size_t j = i == 0 ? 1 : i - 1; j < std::min(i + 2, shots_.size()); j += 2) {
        EXPECT_THAT(Strict(shots_[i], shots_[j]), HasSubstr("Zone fully signed"))
            << "keys: " << shots_[i].name << ", data: " << shots_[j].name;
      }
    }
  }

  std::size_t old_keys_ = 2;
};

class CombinedAlgorithmChangeTest : public AlgorithmChangeTest {
 protected:
  CombinedAlgorithmChangeTest() : AlgorithmChangeTest(true) { old_keys_ = 1; }
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

TEST_F(AlgorithmChangeTest, Rfc6781_EveryCacheHasWhatItsAlgorithmsWant) {
  GoThroughAllSteps(kEd25519);
  ExpectEveryAlgorithmSigns();
  EXPECT_THAT(Strict(shots_[4], shots_.front()), Not(HasSubstr("Zone fully signed")))
      << "the judge sees DNSKEYs before their signatures: " << shots_[4].name;
}

TEST_F(CombinedAlgorithmChangeTest, SoHasThatOfOneKey) {
  GoThroughAllSteps(kEcdsaP384Sha384);
  ExpectEveryAlgorithmSigns();
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
  Advance(set_, policy, {now_, std::chrono::milliseconds(0), true});
  ASSERT_EQ(Advance(set_, policy, {now_, std::chrono::hours(48), true}), RollChange::kStep);
  const auto material = *MaterialOf(set_, options_);
  zone_->Rekey(SigningOf(material, options_), KeySetsAtApex(material, options_), now_);
  std::uint64_t n = 0;
  while (zone_->Rekeying()) {
    const std::vector<domain::ZoneChange> changes{Gone(n, 2), Published(n + 20, 2), Published(1000 + n),
                                                  Deactivated(n + 40, 2)};
    ++n;
    zone_->Stage(changes, now_);
    zone_->StageRekeyed(7, now_);
    zone_->Seal(++serial_, now_);
  }
  for (const BlockPtr& block : zone_->Contents())
    EXPECT_THAT(block->signers(), Not(::testing::Contains(old))) << block->type();
}

}  // namespace
}  // namespace registry::zone::testing
