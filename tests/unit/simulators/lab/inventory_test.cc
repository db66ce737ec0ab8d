#include "simulators/lab/inventory.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

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
  EXPECT_EQ(AspConfig(layout, 1)["endpoint"]["fqdn"], "mqtt.asp-b.test");
}

}  // namespace
}  // namespace registry::lab
