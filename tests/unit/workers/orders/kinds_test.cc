// Every kind of order goes the same way: counted by a dry run, stopped and started again, several at once, and each device
// decided as by the single command, once.
#include "tests/unit/workers/orders/order_flow.h"

namespace registry::test {
namespace {

using testing::SizeIs;

constexpr std::size_t kDevices = 6;

struct Kind {
  const char* name;
  const char* recorded;  // what the history of a device says once it was decided
  std::string before;    // the single command that makes a device ready for it; empty: it is active
};

class OrderOfKind : public OrderTest, public testing::WithParamInterface<Kind> {
 protected:
  // Of one ASP, and such that the kind's single command is accepted of each.
  std::set<std::string> Ready(const std::string& asp) {
    std::set<std::string> devices;
    for (std::size_t i = 0; i < kDevices; ++i) {
      const std::string device = registry_.Activate("mno-a", asp);
      devices.insert(device);
      if (GetParam().before.empty()) continue;
      const Said said = registry_.Ask(asp, GetParam().before, {{"device", device}});
      EXPECT_TRUE(said.accepted()) << said.payload;
    }
    registry_.ServeZone();
    return devices;
  }
  std::string StartedKind(const std::string& party, json more = json::object()) {
    more["kind"] = GetParam().name;
    return Started(party, json::object(), std::move(more));
  }
  std::size_t Recorded(const std::string& device) {
    const auto history = HistoryOf(registry_, device);
    return static_cast<std::size_t>(std::count_if(history.begin(), history.end(), [](const auto& what) {
      // The operator's deactivation of a device that is deactivated already has it wiped again.
      return what.starts_with(GetParam().recorded) ||
             (GetParam().name == std::string_view("deactivate") && what.starts_with("wipe asked again"));
    }));
  }
  void ExpectDecidedOnce(const std::string& party, const std::string& order,
                         const std::set<std::string>& devices) {
    EXPECT_EQ(Ended(party, order).at("done"), devices.size());
    std::set<std::string> reported;
    const json items = Report(party, order).at("items");
    for (const json& item : items) reported.insert(item.at("device"));
    EXPECT_THAT(items, SizeIs(devices.size()));
    EXPECT_EQ(reported, devices);
    for (const auto& device : devices) EXPECT_EQ(Recorded(device), 1u) << device;
  }
};

INSTANTIATE_TEST_SUITE_P(
    Kinds, OrderOfKind,
    testing::Values(Kind{"deactivate", "deactivated", ""}, Kind{"delete", "deleted", "device.deactivate"},
                    Kind{"reprovision", "reprovisioned", ""}, Kind{"suspend", "suspended", ""},
                    Kind{"resume", "resumed", "device.suspend"}, Kind{"rekey", "rekey", ""}),
    [](const auto& kind) { return std::string(kind.param.name); });

TEST_P(OrderOfKind, IsCountedByADryRunThatWritesNothingOfADevice) {
  const auto devices = Ready("asp-a");
  std::map<std::string, std::uint64_t> versions;
  for (const auto& device : devices) versions[device] = registry_.Device(device).version;
  const std::string order = StartedKind("asp-a", {{"dryRun", true}});
  const json state = Ended("asp-a", order);
  EXPECT_EQ(state.at("done"), kDevices) << state.dump();
  EXPECT_EQ(state.at("kind"), GetParam().name);
  for (const auto& device : devices) {
    EXPECT_EQ(registry_.Device(device).version, versions[device]);
    EXPECT_EQ(Recorded(device), 0u);
  }
  EXPECT_THAT(Report("asp-a", order).at("items"), SizeIs(kDevices));
}

TEST_P(OrderOfKind, IsPausedResumedAndGoesOnAfterARestart) {
  const auto devices = Ready("asp-a");
  const std::string order = StartedKind("asp-a", {{"rate", 20}});
  EXPECT_EQ(registry_.Ask("asp-a", "order.pause", {{"order", order}}).data().at("state"), "paused");
  const json paused = Get("asp-a", order);
  registry_.Restart();
  EXPECT_EQ(Get("asp-a", order), paused);
  EXPECT_TRUE(registry_.Ask("asp-a", "order.resume", {{"order", order}}).accepted());
  registry_.Restart();
  ExpectDecidedOnce("asp-a", order, devices);
  ExpectSound();
}

TEST_P(OrderOfKind, GoesOnBesideAnotherOfItsKind) {
  const auto ours = Ready("asp-a"), others = Ready("asp-b");
  const std::string first = StartedKind("asp-a"), second = StartedKind("asp-b");
  ExpectDecidedOnce("asp-a", first, ours);
  ExpectDecidedOnce("asp-b", second, others);
  ExpectSound();
}

// The second one to come to a device decides it as a second single command: refused, or done once more.
TEST_P(OrderOfKind, GoesOnBesideAnotherOverTheSameDevices) {
  const auto devices = Ready("asp-a");
  const std::string first = StartedKind("asp-a"), second = StartedKind("operator");
  std::size_t done = 0;
  for (const auto& [party, order] : {std::pair("asp-a", first), std::pair("operator", second)}) {
    const json state = Ended(party, order);
    EXPECT_EQ(state.at("failed"), 0) << state.dump();
    std::set<std::string> reported;
    const json items = Report(party, order).at("items");
    for (const json& item : items) EXPECT_TRUE(reported.insert(item.at("device")).second) << item.dump();
    // What the other has deleted is not in the selection any more, and may never be met.
    if (GetParam().name != std::string_view("delete")) {
      EXPECT_EQ(reported, devices);
    }
    done += state.at("done").get<std::size_t>();
  }
  EXPECT_GE(done, kDevices);
  std::size_t recorded = 0;
  for (const auto& device : devices) recorded += Recorded(device);
  EXPECT_EQ(recorded, done) << "what was done stands in the history, and nothing else";
  ExpectSound();
}

}  // namespace
}  // namespace registry::test
