// The C interface, and the C++ one over it: what a partner's server calls, against a real signed DNS.
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "clients/verdict/registry_client_cpp.h"
#include "clients/verdict/verdict.h"
#include "schemas/wire/batch.h"
#include "schemas/wire/envelope.h"
#include "tests/unit/clients/verdict/client_world.h"

namespace registry::clients {
namespace {

using registry_client_cpp::Client;
using test::Kind;

class InterfaceTest : public test::ClientWorldTest {
 protected:
  static Client Open(const std::string& more = "client_name = certificate\nparty = asp-a") {
    std::string why;
    auto client = Client::OpenFile(world_->WriteConfig("client.conf", more), why);
    EXPECT_TRUE(client.has_value()) << why;
    return std::move(*client);
  }
  static std::string Said(Client& client, Kind kind) {
    return client.Judge(test::Parsed(world_->device(kind).certificate).get()).symbol();
  }
};

TEST_F(InterfaceTest, TheSymbolsAreThoseOfTheLibrary) {
  for (int i = 0; i <= REGISTRY_FAILED; ++i) {
    EXPECT_EQ(registry_verdict_symbol(i), SymbolOf(static_cast<Verdict>(i)));
  }
  EXPECT_STREQ(registry_verdict_symbol(REGISTRY_TLSA_MISSING), "tlsa_missing");
  EXPECT_STREQ(registry_verdict_symbol(REGISTRY_DEVICE_NOT_ACTIVE), "device_not_active");
  EXPECT_STREQ(registry_verdict_symbol(99), "failed");
}

TEST_F(InterfaceTest, SaysWhyItCannotBeOpened) {
  std::string why;
  EXPECT_FALSE(Client::OpenFile(world_->folder().In("nowhere"), why));
  EXPECT_NE(why.find("nowhere"), std::string::npos);
  EXPECT_FALSE(Client::OpenFile(world_->WriteConfig("bad.conf", "claims_file = /nowhere/claims"), why));
  EXPECT_NE(why.find("claims_file"), std::string::npos);
  char room[8];
  EXPECT_EQ(registry_client_open(nullptr, room, sizeof room), nullptr);
  EXPECT_EQ(std::string(room), "zone is") << "cut off, and ended";
  EXPECT_EQ(registry_client_open(nullptr, nullptr, 0), nullptr);
}

TEST_F(InterfaceTest, AcceptsWhatIsClaimedAndActive) {
  Client client = Open();
  EXPECT_EQ(Said(client, Kind::kGood), "device_not_claimed");
  EXPECT_TRUE(client.Claimed(world_->device(Kind::kGood).id));
  EXPECT_FALSE(client.Claimed("nonsense"));
  const auto verdict = client.Judge(test::Parsed(world_->device(Kind::kGood).certificate).get());
  EXPECT_TRUE(verdict.accepted());
  EXPECT_EQ(verdict.device, world_->device(Kind::kGood).id);
  EXPECT_EQ(client.Judge(nullptr).symbol(), "certificate_required");
  EXPECT_NE(client.Metrics().find("registry_client_verdicts_total{verdict=\"accepted\"} 1\n"),
            std::string::npos)
      << client.Metrics();
}

TEST_F(InterfaceTest, HearsItsFeed) {
  Client client = Open();
  ASSERT_TRUE(client.Claimed(world_->device(Kind::kGood).id));
  ASSERT_EQ(Said(client, Kind::kGood), "accepted");
  EXPECT_EQ(client.Hear(Notification("device.deactivated", Kind::kGood, 4)), 1);
  EXPECT_EQ(Said(client, Kind::kGood), "device_not_active");
  wire::BatchWriter batch;
  batch.Add(Notification("device.reactivated", Kind::kGood, 5));
  batch.Add(Notification("device.activated", Kind::kByKey, 6));
  EXPECT_EQ(client.Hear(std::move(batch).Take()), 2);
  EXPECT_EQ(Said(client, Kind::kGood), "accepted");
  EXPECT_EQ(Said(client, Kind::kByKey), "accepted")
      << "whoever is told of an activation has claimed the device";
  EXPECT_FALSE(client.Hear("nonsense").has_value());
}

TEST_F(InterfaceTest, ClaimsComeFromAFileAndAreReadAgain) {
  const auto& folder = world_->folder();
  const std::string file = folder.Write("claims", world_->device(Kind::kGood).id + "\n");
  char why[256];
  const std::string config =
      world_->WriteConfig("claims.conf", "client_name = certificate\nclaims_file = " + file);
  registry_client* const client = registry_client_open_file(config.c_str(), why, sizeof why);
  ASSERT_NE(client, nullptr) << why;
  const auto mine = [&](Kind kind) {
    return registry_client_is_mine(client, world_->device(kind).id.c_str());
  };
  EXPECT_EQ(mine(Kind::kGood), 1);
  EXPECT_EQ(mine(Kind::kByKey), 0);
  folder.Write("claims", world_->device(Kind::kByKey).id + "\n");
  EXPECT_EQ(registry_client_reload(client), 0);
  EXPECT_EQ(mine(Kind::kGood), 0);
  EXPECT_EQ(mine(Kind::kByKey), 1);
  folder.Write("claims", "nonsense\n");
  EXPECT_NE(registry_client_reload(client), 0);
  EXPECT_EQ(mine(Kind::kByKey), 1) << "what was known stays";
  registry_client_close(client);
}

TEST_F(InterfaceTest, AnyDeviceWillDoWhereTheConfigurationSaysSo) {
  Client client = Open("client_name = certificate\nown_only = no");
  EXPECT_EQ(Said(client, Kind::kGood), "accepted");
  EXPECT_EQ(Said(client, Kind::kOther), "accepted");
  EXPECT_EQ(Said(client, Kind::kHeld), "tlsa_missing");
  EXPECT_EQ(client.Hear(Notification("device.deactivated", Kind::kGood, 4)), 1);
  EXPECT_EQ(Said(client, Kind::kGood), "device_not_active") << "also while the resolver remembers its record";
}

TEST_F(InterfaceTest, KnowsWhatIsSaidToItsParty) {
  char why[256];
  const std::string config = world_->WriteConfig("party.conf", "party = asp-a");
  registry_client* const client = registry_client_open_file(config.c_str(), why, sizeof why);
  ASSERT_NE(client, nullptr) << why;
  EXPECT_EQ(registry_client_is_notification(client, "registry/v1/to/asp-a/event/device.activated"), 1);
  EXPECT_EQ(registry_client_is_notification(client, "registry/v1/to/asp-a/batch"), 1);
  for (const char* topic :
       {"registry/v1/to/asp-b/event/device.activated", "registry/v1/to/asp-a/device.claim/accepted",
        "devices/x/registry/v1/to/asp-a/event/x", "registry/v1/from/asp-a/batch", ""}) {
    EXPECT_EQ(registry_client_is_notification(client, topic), 0) << topic;
  }
  char device[37];
  EXPECT_EQ(
      registry_client_device_in(client, test::Parsed(world_->device(Kind::kGone).certificate).get(), device),
      0);
  EXPECT_EQ(world_->device(Kind::kGone).id, device);
  EXPECT_NE(registry_client_device_in(client, nullptr, device), 0);
  EXPECT_STREQ(device, "");
  registry_client_close(client);
}

}  // namespace
}  // namespace registry::clients
