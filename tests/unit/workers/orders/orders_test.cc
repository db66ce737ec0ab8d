// Orders through the whole registry: who may start which, what becomes of every device, and what is said of it.
#include "tests/unit/workers/orders/order_flow.h"

namespace registry::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

TEST_F(OrderTest, DeactivatesEveryDeviceOfItsSelectionOnceAndNoOther) {
  const auto devices = SomeClaimed(5);
  const std::string other = Claimed("asp-b");
  const std::string order = Started("asp-a", {{"endpoint", "main"}}, {{"reason", "service ended"}});
  const json state = Ended("asp-a", order);
  EXPECT_EQ(state.at("done"), 5);
  EXPECT_EQ(state.at("refused").get<int>() + state.at("failed").get<int>() + state.at("skipped").get<int>(),
            0);
  ExpectStates(devices, "deactivated");
  EXPECT_EQ(StateOf(other), "registered");
  std::set<std::string> told;
  for (const Said& said : registry_.Heard("registry/v1/to/asp-a/event/device.deactivated")) {
    told.insert(said.data().at("device"));
    EXPECT_EQ(said.data().at("by"), "asp-a");
    EXPECT_EQ(said.data().at("reason"), "service ended");
  }
  EXPECT_EQ(told, devices);
  for (const auto& device : devices) {
    EXPECT_THAT(HistoryOf(registry_, device), testing::Contains("deactivated: service ended").Times(1));
  }
  const auto done = registry_.Heard("registry/v1/to/asp-a/event/order.done");
  ASSERT_THAT(done, SizeIs(1));
  EXPECT_EQ(done[0].data().at("order"), order);
  EXPECT_EQ(done[0].data().at("done"), 5);
  EXPECT_EQ(done[0].data().at("state"), "done");
  ExpectSound();
}

TEST_F(OrderTest, ReportsEveryDeviceInPages) {
  const auto devices = SomeClaimed(3);
  const std::string order = Started("asp-a", {{"state", "registered"}});
  Ended("asp-a", order);
  const json first = Report("asp-a", order, {{"limit", 2}});
  ASSERT_THAT(first.at("items"), SizeIs(2));
  EXPECT_EQ(first.at("items")[0].at("number"), 1);
  const json rest = Report("asp-a", order, {{"limit", 2}, {"after", first.at("next")}});
  ASSERT_THAT(rest.at("items"), SizeIs(1));
  EXPECT_FALSE(rest.contains("next"));
  std::set<std::string> reported;
  for (const json* page : {&first, &rest}) {
    for (const json& item : page->at("items")) reported.insert(item.at("device"));
  }
  EXPECT_EQ(reported, devices);
  EXPECT_THAT(Report("asp-a", order, {{"outcome", "refused"}}).at("items"), IsEmpty());
}

TEST_F(OrderTest, WhatTheSingleCommandIsRefusedIsRefusedWithItsSymbol) {
  const std::string device = Claimed();
  ASSERT_TRUE(registry_.Ask("asp-a", "device.deactivate", {{"device", device}}).accepted());
  const std::string order = Started("asp-a", json::object());
  EXPECT_EQ(Ended("asp-a", order).at("refused"), 1);
  const json item = Report("asp-a", order).at("items").at(0);
  EXPECT_EQ(item.at("outcome"), "refused");
  EXPECT_EQ(item.at("symbol"), "state_prohibits");
  EXPECT_EQ(item.at("device"), device);
}

TEST_F(OrderTest, WhoMayNotSayTheSingleCommandMayNotOrderIt) {
  const std::string device = Claimed();
  for (const char* kind : {"deactivate", "delete", "reprovision"}) {
    const Said said = Start("mno-a", json::object(), {{"kind", kind}});
    EXPECT_EQ(said.symbol(), "order_kind_foreign") << kind;
    EXPECT_EQ(said.code(), 2201);
    EXPECT_EQ(said.data().at("field"), "/kind");
  }
  EXPECT_THAT(*registry_.ledger().OrdersOf(std::nullopt), IsEmpty());
  EXPECT_EQ(StateOf(device), "registered");
}

TEST_F(OrderTest, DeletesWhatItsSelectionHolds) {
  const auto devices = SomeClaimed(3);
  const std::string kept = *devices.begin();
  for (const auto& device : devices) {
    if (device != kept) {
      EXPECT_TRUE(registry_.Ask("asp-a", "device.deactivate", {{"device", device}}).accepted());
    }
  }
  const std::string order =
      Started("asp-a", {{"state", "deactivated"}}, {{"kind", "delete"}, {"reason", "scrapped"}});
  EXPECT_EQ(Ended("asp-a", order).at("done"), 2);
  for (const auto& device : devices) EXPECT_EQ(StateOf(device), device == kept ? "registered" : "deleted");
  EXPECT_THAT(registry_.Heard("registry/v1/to/asp-a/event/device.deleted"), SizeIs(2));
  ExpectSound();
}

TEST_F(OrderTest, AreListedInPagesToTheirOwnerAndTheOperator) {
  std::set<std::string> orders;
  for (int i = 0; i < 3; ++i) orders.insert(Started("asp-a", json::object(), {{"dryRun", true}}));
  for (const auto& order : orders) Ended("asp-a", order);
  SomeClaimed(3);
  const std::string slow = Started("asp-a", json::object(), {{"rate", 1}});
  EXPECT_TRUE(registry_.Ask("asp-a", "order.pause", {{"order", slow}}).accepted());
  orders.insert(slow);
  const auto list = [&](const std::string& party, const json& asked) {
    return registry_.Ask(party, "order.list", asked).data();
  };
  std::set<std::string> listed;
  const json first = list("asp-a", {{"limit", 3}});
  ASSERT_THAT(first.at("orders"), SizeIs(3));
  const json rest = list("asp-a", {{"limit", 3}, {"after", first.at("next")}});
  ASSERT_THAT(rest.at("orders"), SizeIs(1));
  EXPECT_FALSE(rest.contains("next"));
  for (const json* page : {&first, &rest}) {
    for (const json& order : page->at("orders")) listed.insert(order.at("order"));
  }
  EXPECT_EQ(listed, orders);
  const json paused = list("asp-a", {{"state", "paused"}});
  ASSERT_THAT(paused.at("orders"), SizeIs(1));
  EXPECT_EQ(paused.at("orders")[0], Get("asp-a", slow));
  EXPECT_THAT(list("asp-b", json::object()).at("orders"), IsEmpty());
  EXPECT_THAT(list("operator", json::object()).at("orders"), SizeIs(4));
}

TEST_F(OrderTest, TheOperatorOrdersOverAnybodysDevices) {
  const auto devices = SomeClaimed(2);
  const std::string other = Claimed("asp-b");
  Ended("operator", Started("operator", {{"party", "asp-a"}, {"endpoint", "main"}}));
  ExpectStates(devices, "deactivated");
  EXPECT_EQ(StateOf(other), "registered");
  Ended("operator", Started("operator", {{"state", "registered"}}));
  EXPECT_EQ(StateOf(other), "deactivated");
  EXPECT_THAT(registry_.Heard("registry/v1/to/operator/event/order.done"), SizeIs(2));
}

TEST_F(OrderTest, ADryRunCountsAndWritesNothingOfADevice) {
  const auto devices = SomeClaimed(3);
  const std::string deactivated = *devices.begin();
  ASSERT_TRUE(registry_.Ask("asp-a", "device.deactivate", {{"device", deactivated}}).accepted());
  registry_.Heard("registry/v1/to/asp-a/event/device.deactivated");
  const std::string order = Started("asp-a", json::object(), {{"dryRun", true}});
  const json state = Ended("asp-a", order);
  EXPECT_EQ(state.at("done"), 2);
  EXPECT_EQ(state.at("refused"), 1);
  EXPECT_EQ(state.at("dryRun"), true);
  for (const auto& device : devices) {
    EXPECT_EQ(StateOf(device), device == deactivated ? "deactivated" : "registered");
  }
  EXPECT_THAT(registry_.Heard("registry/v1/to/asp-a/event/device.deactivated"), IsEmpty());
  const auto done = registry_.Heard("registry/v1/to/asp-a/event/order.done");
  ASSERT_THAT(done, SizeIs(1));
  EXPECT_EQ(done[0].data().at("done"), 2);
  EXPECT_EQ(done[0].data().at("dryRun"), true);
}

TEST_F(OrderTest, APausedOrderDecidesNothingUntilItIsResumed) {
  const auto devices = SomeClaimed(4);
  const std::string order = Started("asp-a", json::object(), {{"rate", 1}});
  const json paused = {{"order", order}, {"reason", "too many refusals"}};
  EXPECT_EQ(registry_.Ask("asp-a", "order.pause", paused).data().at("state"), "paused");
  EXPECT_THAT(HistoryOf(registry_, DeviceId()),
              testing::Contains("order " + order + " paused: too many refusals").Times(1));
  const int paused_at = Get("asp-a", order).at("done");
  EXPECT_TRUE(registry_.Ask("asp-a", "order.pause", {{"order", order}}).accepted());
  registry_.Restart();  // nor after a restart
  EXPECT_EQ(Get("asp-a", order).at("done"), paused_at);
  EXPECT_EQ(registry_.Ask("operator", "order.resume", {{"order", order}}).data().at("state"), "running");
  EXPECT_EQ(Ended("asp-a", order).at("done"), 4);
  ExpectStates(devices, "deactivated");
  EXPECT_EQ(registry_.Ask("asp-a", "order.resume", {{"order", order}}).symbol(), "order_ended");
}

TEST_F(OrderTest, ACancelledOrderLeavesTheRestAsItIs) {
  SomeClaimed(8);
  const std::string order = Started("asp-a", json::object(), {{"rate", 1}});
  const Said cancelled = registry_.Ask("operator", "order.cancel", {{"order", order}});
  EXPECT_EQ(cancelled.data().at("state"), "cancelled");
  const auto done = registry_.Heard("registry/v1/to/asp-a/event/order.done");
  ASSERT_THAT(done, SizeIs(1));
  EXPECT_EQ(done[0].data().at("state"), "cancelled");
  EXPECT_EQ(done[0].data().at("done"), Get("asp-a", order).at("done"));
  EXPECT_EQ(registry_.Ask("asp-a", "order.cancel", {{"order", order}}).symbol(), "order_ended");
  EXPECT_EQ(registry_.Ask("asp-a", "order.pause", {{"order", order}}).code(), 2304);
}

TEST_F(OrderTest, GoesOnAfterRestartsAndDecidesEachDeviceOnce) {
  const auto devices = SomeClaimed(30);
  const std::string order = Started("asp-a", json::object(), {{"rate", 100}});
  for (int i = 0; i < 5; ++i) registry_.Restart();
  EXPECT_EQ(Ended("asp-a", order).at("done"), 30);
  std::set<std::string> reported;
  const json items = Report("asp-a", order).at("items");
  for (const json& item : items) reported.insert(item.at("device"));
  EXPECT_EQ(items.size(), 30u);
  EXPECT_EQ(reported, devices);
  ExpectSound();
}

TEST_F(OrderTest, SeveralGoOnAtOnce) {
  SomeClaimed(10);
  SomeClaimed(10, "asp-b");
  const std::string first = Started("asp-a", json::object(), {{"dryRun", true}});
  const std::string second = Started("asp-a", json::object());
  const std::string third = Started("asp-b", json::object());
  for (const auto& [party, order] :
       {std::pair("asp-a", first), std::pair("asp-a", second), std::pair("asp-b", third)}) {
    const json state = Ended(party, order);
    EXPECT_EQ(state.at("done").get<int>() + state.at("refused").get<int>(), 10);
  }
  ExpectSound();
}

TEST_F(OrderTest, ProgressIsToldOnceASecondAndNotMore) {
  SomeClaimed(20);
  const std::string order = Started("asp-a", json::object(), {{"dryRun", true}});
  Ended("asp-a", order);
  // The registry's clock stood still.
  EXPECT_THAT(registry_.Heard("registry/v1/to/asp-a/event/order.progress"), IsEmpty());
  const std::string slow = Started("asp-a", json::object(), {{"dryRun", true}, {"rate", 5}});
  ASSERT_TRUE(registry_.Ask("asp-a", "order.pause", {{"order", slow}}).accepted());
  registry_.clock().Advance(std::chrono::seconds(2));
  ASSERT_TRUE(registry_.Ask("asp-a", "order.resume", {{"order", slow}}).accepted());
  Ended("asp-a", slow);
  const auto told = registry_.Heard("registry/v1/to/asp-a/event/order.progress");
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].data().at("order"), slow);
  EXPECT_GE(told[0].data().at("done"), 1);
}

TEST_F(OrderTest, ASelectionIsTheSendersOwn) {
  const auto refused = [&](const std::string& party, const json& selection, const std::string& field) {
    const Said said = Start(party, selection, {{"kind", "suspend"}});  // each of them may order that
    EXPECT_EQ(said.symbol(), "selection_foreign") << said.payload;
    EXPECT_EQ(said.code(), 2201);
    EXPECT_EQ(said.data().value("field", ""), field);
  };
  refused("asp-a", {{"party", "asp-b"}}, "/selection/party");
  refused("mno-a", {{"party", "asp-a"}}, "/selection/party");
  refused("mno-a", {{"endpoint", "main"}}, "/selection/endpoint");
  refused("operator", {{"endpoint", "main"}}, "/selection/endpoint");
  EXPECT_TRUE(Start("asp-a", {{"party", "asp-a"}}).accepted());
  EXPECT_EQ(Start("asp-a", {{"state", "active"}, {"endpoint", "main"}}).symbol(), "selection_mismatch");
}

TEST_F(OrderTest, SomebodyElsesOrderDoesNotExist) {
  const std::string order = Started("asp-a", json::object(), {{"rate", 1}});
  for (const char* command : {"order.get", "order.report", "order.pause", "order.resume", "order.cancel"}) {
    const Said said = registry_.Ask("asp-b", command, {{"order", order}});
    EXPECT_EQ(said.symbol(), "order_unknown") << command;
    EXPECT_EQ(said.code(), 2303);
  }
  EXPECT_EQ(Get("operator", order).at("owner"), "asp-a");
}

TEST_F(OrderTest, EightAreOpenAtOnceAndTheNinthIsPutOff) {
  SomeClaimed(6);
  std::vector<std::string> orders;
  for (int i = 0; i < 8; ++i) {
    orders.push_back(Started("asp-a", json::object(), {{"rate", 1}, {"dryRun", true}}));
    EXPECT_TRUE(registry_.Ask("asp-a", "order.pause", {{"order", orders.back()}}).accepted());
  }
  const Said ninth = Start("asp-a", json::object());
  EXPECT_EQ(ninth.symbol(), "orders_too_many");
  EXPECT_EQ(ninth.code(), 2502);
  EXPECT_TRUE(ninth.data().contains("retryAfterSeconds"));
  EXPECT_TRUE(Start("asp-b", json::object()).accepted());  // each has its own
  EXPECT_TRUE(registry_.Ask("asp-a", "order.cancel", {{"order", orders.front()}}).accepted());
  EXPECT_TRUE(Start("asp-a", json::object()).accepted());
}

TEST_F(OrderTest, OfThoseThatEndedTheLastAreKept) {
  std::vector<std::string> orders;
  for (int i = 0; i < 34; ++i) {
    registry_.clock().Advance(std::chrono::seconds(1));
    orders.push_back(Started("asp-a", json::object(), {{"dryRun", true}}));
    Ended("asp-a", orders.back());
  }
  EXPECT_EQ(registry_.Ask("asp-a", "order.get", {{"order", orders[1]}}).symbol(), "order_unknown");
  EXPECT_EQ(Get("asp-a", orders[2]).at("state"), "done");
  EXPECT_THAT(*registry_.ledger().OrdersOf(std::nullopt), SizeIs(32));
}

TEST_F(OrderTest, ARepeatedStartIsTheSameOrder) {
  const json data = {{"kind", "deactivate"}, {"selection", json::object()}, {"rate", 500}};
  const Said first = registry_.Ask("asp-a", "order.start", data, "the-same");
  const Said again = registry_.Ask("asp-a", "order.start", data, "the-same");
  EXPECT_EQ(first.data().at("order"), again.data().at("order"));
  EXPECT_THAT(*registry_.ledger().OrdersOf(std::nullopt), SizeIs(1));
}

}  // namespace
}  // namespace registry::test
