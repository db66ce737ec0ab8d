#include "simulators/lab/inventory.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "simulators/lab/checks.h"

namespace registry::lab {
namespace {

TEST(InventoryTest, NumbersPassTheRegistrysOwnChecksAndAreAllDifferent) {
  const auto inventory = MakeInventory(2000, 7);
  std::set<std::string> eids, iccids;
  for (const auto& esim : inventory) {
    EXPECT_TRUE(Eid::Parse(esim.eid.text()).has_value());
    EXPECT_TRUE(Iccid::Parse(esim.iccid.text()).has_value());
    eids.insert(esim.eid.text());
    iccids.insert(esim.iccid.text());
  }
  EXPECT_EQ(eids.size(), 2000u);
  EXPECT_EQ(iccids.size(), 2000u);
}

TEST(InventoryTest, EveryPairOfMnoAndAspGetsItsShareAndASeedRepeats) {
  std::map<std::pair<int, int>, int> pairs;
  for (const auto& esim : MakeInventory(40, 1)) ++pairs[{esim.mno, esim.asp}];
  ASSERT_EQ(pairs.size(), 4u);
  for (const auto& [pair, count] : pairs) EXPECT_EQ(count, 10);
  EXPECT_EQ(MakeInventory(3, 5)[2].eid, MakeInventory(3, 5)[2].eid);
  EXPECT_NE(MakeInventory(3, 5)[2].eid, MakeInventory(3, 6)[2].eid);
}

TEST(InventoryTest, EachMnoIsToldItsOwnDevicesAndTheDevicesAll) {
  Layout layout;
  layout.folder = layout.socket_folder = "/lab";
  const auto inventory = MakeInventory(8, 3);
  EXPECT_EQ(MnoConfig(layout, 0, inventory, {}, {})["inventory"].size(), 4u);
  EXPECT_EQ(MnoConfig(layout, 1, inventory, {}, {})["inventory"].size(), 4u);
  EXPECT_EQ(DeviceConfig(layout, inventory, 2)["inventory"].size(), 8u);
  EXPECT_FALSE(DeviceConfig(layout, inventory, 2)["inventory"][0].contains("checks"));
  EXPECT_EQ(AspConfig(layout, 1)["endpoint"]["fqdn"], "mqtt.asp-b.test");
  EXPECT_FALSE(DeviceConfig(layout, inventory, 2)["inventory"][0].contains("modem"));
  const CardDoorPlan pilot = PilotCards(layout, {nullptr, {"/tmp/mine"}, {}}, inventory.size());
  const auto config = DeviceConfig(layout, inventory, 2, pilot);
  EXPECT_EQ(config["inventory"][0]["modem"], "/tmp/mine");
  EXPECT_EQ(config["inventory"][7]["modem"], "/lab/modem-7");
  EXPECT_EQ(config["card_layout"], "field");
  EXPECT_EQ(AspConfig(layout, 0, true)["endpoint"].value("certificate_file", ""), "/lab/tls/asp-a.pem");
  EXPECT_EQ(AspConfig(layout, 1, true)["endpoint"], AspConfig(layout, 1)["endpoint"]);
}

TEST(InventoryTest, TheFirstDevicesHaveDoorsForSoftwareByOthers) {
  Layout layout;
  layout.folder = layout.socket_folder = "/lab";
  const auto inventory = MakeInventory(3, 3);
  const auto config =
      DeviceConfig(layout, inventory, 2, {"field", {"/tmp/a", "/tmp/b"}, {"localhost:35963"}});
  EXPECT_EQ(config["card_layout"], "field");
  EXPECT_EQ(config["inventory"][0]["modem"], "/tmp/a");
  EXPECT_EQ(config["inventory"][0]["vpcd"], "localhost:35963");
  EXPECT_EQ(config["inventory"][1]["modem"], "/tmp/b");
  EXPECT_FALSE(config["inventory"][1].contains("vpcd"));
  EXPECT_FALSE(config["inventory"][2].contains("modem"));
  EXPECT_FALSE(DeviceConfig(layout, inventory, 2).contains("card_layout"));
}

TEST(ChecksTest, TheShareIsSaidInWordsAndReadAgain) {
  for (const char* text : {"all", "none", "sample:0.25"}) {
    const auto share = CheckShareOf(text);
    ASSERT_TRUE(share.has_value()) << text;
    EXPECT_EQ(TextOfCheckShare(*share), text);
  }
  for (const char* text : {"", "some", "sample", "sample:", "sample:x", "sample:1.1", "sample:-0.1",
                           "sample:nan", "sample:0.5x", "ALL"}) {
    EXPECT_FALSE(CheckShareOf(text).has_value()) << text;
  }
}

TEST(ChecksTest, SoManyCheckByLotAndTheDevicesAreTold) {
  Layout layout;
  layout.folder = layout.socket_folder = "/lab";
  auto inventory = MakeInventory(100, 3);
  const auto told = [&](double share, std::uint64_t seed) {
    ChooseChecked(inventory, share, seed);
    std::set<int> checked;
    const auto devices = DeviceConfig(layout, inventory, 2)["inventory"];
    for (int i = 0; i < 100; ++i) {
      if (devices[i].value("checks", true)) checked.insert(i);
    }
    return checked;
  };
  EXPECT_EQ(told(1, 1).size(), 100u);
  EXPECT_EQ(told(0, 1).size(), 0u);
  EXPECT_EQ(told(0.055, 1).size(), 6u) << "rounded up";
  EXPECT_EQ(told(0.5, 1), told(0.5, 1));
  EXPECT_NE(told(0.5, 1), told(0.5, 2));
}

TEST(Inventory, BothEndsOfACardHaveItsKeysAndOnlyOverTheAir) {
  const Layout layout;
  auto inventory = MakeInventory(4, 3);
  ASSERT_TRUE(MakeCardKeys(inventory));
  EXPECT_NE(inventory[0].ota_keys, inventory[1].ota_keys);
  EXPECT_FALSE(MnoConfig(layout, 0, inventory, {}, {}).contains("ota"));
  EXPECT_FALSE(DeviceConfig(layout, inventory, 2)["inventory"][0].contains("ota"));
  const OtaSetup setup{"sms", 0.1, 5};
  const auto devices = DeviceConfig(layout, inventory, 2, {}, setup)["inventory"];
  for (int mno = 0; mno < 2; ++mno) {
    const auto keys = MnoConfig(layout, mno, inventory, {}, {}, setup)["ota"]["keys"];
    EXPECT_EQ(keys.size(), 4u) << "its own and its spares";
    for (std::size_t i = 0; i < inventory.size(); ++i) {
      const bool own = inventory[i].mno == mno;
      const auto& card = own ? devices[i] : devices[i]["spare"];
      EXPECT_EQ(keys[card["iccid"].get<std::string>()], card["ota"]);
    }
  }
}

}  // namespace
}  // namespace registry::lab
