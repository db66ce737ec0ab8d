// By which terms nodes decide, and how one knows that another decides by others.
#include "bridge/app/deciding_terms.h"

#include <gmock/gmock.h>

#include "bridge/app/kept_folder.h"
#include "tests/support/registry_home.h"

namespace registry::app {
namespace {

class DecidingTermsTest : public testing::Test {
 protected:
  void SetUp() override {
    test::MakeRegistryHome(folder_);
    auto config = LoadConfig(folder_.In("r/registry.toml"));
    ASSERT_TRUE(config.ok()) << config.error().message;
    config_ = *config;
    auto material = Material::Load(config_);
    ASSERT_TRUE(material.ok()) << material.error().message;
    material_ = std::move(*material);
  }
  test::TemporaryFolder folder_;
  Config config_;
  Material material_;
};

TEST_F(DecidingTermsTest, WhatIsKeptIsTheSameAndEachPartIsToldByName) {
  KeptFolder kept(folder_.path());
  EXPECT_FALSE(KeptTerms(kept)->has_value());
  const DecidingTerms own = DecidingTermsOf(config_, material_);
  ASSERT_TRUE(KeepTerms(own, kept).ok());
  EXPECT_EQ(Differing(own, **KeptTerms(kept)), "");
  Config other = config_;
  other.parties[*PartyId::Parse("asp-new")] = wire::Role::kAsp;
  other.zone = "other.test";
  other.retry.usual.attempts_max += 1;
  EXPECT_EQ(Differing(own, DecidingTermsOf(other, material_)), "parties, retry, zone");
  other = config_;
  other.mqtt.port = 1;
  other.limits.usual[0].burst += 1;
  EXPECT_EQ(Differing(own, DecidingTermsOf(other, material_)), "") << "each node's own";
}

TEST_F(DecidingTermsTest, WhatIsNotThereOrNotReadableDiffersInEveryPart) {
  KeptFolder kept(folder_.path());
  ASSERT_TRUE(kept.Write("terms-of-deciding", "{\"parties\": 5, broken").ok());
  const DecidingTerms own = DecidingTermsOf(config_, material_);
  EXPECT_EQ(Differing(own, **KeptTerms(kept)), Differing(own, {}));
  DecidingTerms more = own;
  more["of a later release"] = "0";
  EXPECT_EQ(Differing(own, more), "of a later release");
}

}  // namespace
}  // namespace registry::app
