#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "simulators/lab/process.h"
#include "simulators/lab/static_zone.h"

namespace registry::lab {
namespace {

TEST(StaticZoneTest, ASignedZoneVerifiesUnderItsOwnKeyAndSpeaksPlainly) {
  const std::string folder = testing::TempDir() + "static-zone-" + std::to_string(::getpid());
  const auto zone = SignZone(folder, "asp-a.test", {"mqtt.asp-a.test. IN A 127.0.0.1"});
  ASSERT_TRUE(zone.ok()) << zone.error().message;
  // What goes into bootstrap parts: single blanks, no comment.
  EXPECT_THAT(zone->ds, testing::MatchesRegex("asp-a\\.test\\. IN DS [0-9]+ 13 2 [0-9a-f]+"));
  EXPECT_THAT(zone->dnskey, testing::MatchesRegex("asp-a\\.test\\. IN DNSKEY 257 3 13 [A-Za-z0-9+/=]+"));
  std::ofstream(folder + "/anchor.key") << zone->dnskey << "\n";
  const auto verified = RunToEnd({"ldns-verify-zone", "-k", folder + "/anchor.key", zone->file});
  EXPECT_TRUE(verified.ok()) << verified.error().message;
  std::filesystem::remove_all(folder);
}

// RFC 6781 §4.1.2: while both sign, a resolver that trusts either goes on; afterwards only the new one counts.
TEST(StaticZoneTest, ARootThatIsSignedAgainIsBelievedUnderTheKeysThatSignIt) {
  const std::string folder = testing::TempDir() + "root-zone-" + std::to_string(::getpid());
  const auto root = SignZone(folder, "", {"test. IN NS ns.test.", "ns.test. IN A 127.0.0.1"});
  ASSERT_TRUE(root.ok()) << root.error().message;
  const auto next = MakeKeySigningKey(folder, "");
  ASSERT_TRUE(next.ok()) << next.error().message;
  EXPECT_THAT(next->ds, testing::MatchesRegex("\\. IN DS [0-9]+ 13 2 [0-9a-f]+"));
  const auto believed = [&](const KeySigningKey& key) {
    std::ofstream(folder + "/anchor.key") << key.dnskey << "\n";
    return RunToEnd({"ldns-verify-zone", "-k", folder + "/anchor.key", root->file}).ok();
  };
  EXPECT_TRUE(believed(root->ksk) && !believed(*next));
  ASSERT_TRUE(SignAgain(*root, {root->ksk, *next}));
  EXPECT_TRUE(believed(root->ksk) && believed(*next));
  ASSERT_TRUE(SignAgain(*root, {*next}));
  EXPECT_TRUE(!believed(root->ksk) && believed(*next));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace registry::lab
