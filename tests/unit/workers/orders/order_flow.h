// tests/unit/workers/orders/order_flow.h: orders through the whole registry, one sentence each, over a TestRegistry whose
// devices are claimed and never attached. Threads: the test's own.
#pragma once

#include <gmock/gmock.h>

#include <set>
#include <thread>

#include "tests/unit/workers/lifecycle/flow.h"

namespace registry::test {

inline constexpr std::chrono::seconds kOrderDeadline{20};

class OrderTest : public testing::Test {
 protected:
  explicit OrderTest(TestRegistry::Setup setup = {}) : registry_(std::move(setup)) {}

  // Claimed by the ASP for its endpoint `main`, never attached.
  std::string Claimed(const std::string& asp = "asp-a") {
    const auto device = registry_.Register();
    registry_.PublishEndpoint(asp);
    EXPECT_TRUE(Claim(registry_, device, asp).accepted());
    return device.device;
  }
  std::set<std::string> SomeClaimed(int count, const std::string& asp = "asp-a") {
    std::set<std::string> devices;
    for (int i = 0; i < count; ++i) devices.insert(Claimed(asp));
    return devices;
  }
  Said Start(const std::string& party, json selection, json more = json::object()) {
    json data = {{"kind", "deactivate"}, {"selection", std::move(selection)}, {"rate", 500}};
    data.update(more);
    return registry_.Ask(party, "order.start", data);
  }
  std::string Started(const std::string& party, json selection, json more = json::object()) {
    const Said said = Start(party, std::move(selection), std::move(more));
    EXPECT_TRUE(said.accepted()) << said.payload;
    return said.data().value("order", "");
  }
  json Get(const std::string& party, const std::string& order) {
    return registry_.Ask(party, "order.get", {{"order", order}}).data();
  }
  json Ended(const std::string& party, const std::string& order) {
    const auto until = std::chrono::steady_clock::now() + kOrderDeadline;
    json state;
    do {
      state = Get(party, order);
      if (state.value("state", "") == "done") return state;
      std::this_thread::yield();
    } while (std::chrono::steady_clock::now() < until);
    ADD_FAILURE() << "does not end: " << state.dump();
    return state;
  }
  json Report(const std::string& party, const std::string& order, json more = json::object()) {
    more["order"] = order;
    return registry_.Ask(party, "order.report", more).data();
  }
  std::string StateOf(const std::string& device) {
    return std::string(domain::StateName(registry_.Device(device).state));
  }
  void ExpectStates(const std::set<std::string>& devices, const std::string& state) {
    for (const auto& device : devices) EXPECT_EQ(StateOf(device), state) << device;
  }
  void ExpectSound() { EXPECT_THAT(ledger::Verify(registry_.ledger())->faults, testing::IsEmpty()); }

  TestRegistry registry_;
};

}  // namespace registry::test
