// Orders whose devices, owners and disks change under them, and several that want the same.
#include <future>

#include "bridge/ingest/order_runner.h"
#include "tests/support/faulty_ledger.h"
#include "tests/support/software_signer.h"
#include "tests/unit/workers/orders/order_flow.h"
#include "workers/domain/compose.h"
#include "workers/orders/items.h"

namespace registry::test {
namespace {

using testing::SizeIs;

// As if it had been started earlier, by a party that the configuration may know no more.
domain::Order Earlier(const std::string& owner, const std::string& of, int number) {
  domain::Order order;
  order.id = *OrderId::Parse("00000000-0000-4000-8000-00000000000" + std::to_string(number));
  order.owner = *PartyId::Parse(owner);
  order.selection = domain::DeviceGroup::Of(*PartyId::Parse(of));
  order.rate = 500;
  order.cause = *EventId::Parse("earlier-" + std::to_string(number));
  return order;
}

void Keep(ledger::Ledger& ledger, domain::Order order) {
  domain::Changeset changes;
  changes.orders = {{std::move(order), 0}};
  ASSERT_TRUE(ledger.Commit(std::move(changes)).ok());
}

class OrderTrouble : public OrderTest {
 protected:
  struct Decision {
    domain::Changeset changes;
    domain::ItemOutcome outcome;
  };
  static Result<domain::Decision> Nobody(const domain::Order&, const DeviceId&, const domain::Context&) {
    ADD_FAILURE() << "nothing is to be decided of the device";
    return domain::Decision{};
  }
  // Of an order that no runner has heard of.
  Decision Decided(const domain::Order& order, const std::string& device,
                   const orders::DecideOne& decide = Nobody) {
    const auto at = domain::PositionIn(order.selection.kind, domain::BriefOf(registry_.Device(device)));
    const domain::Origin own = domain::OwnOrigin();
    const domain::Context context{registry_.clock().Now(), ingest::FillFromOpenSsl};
    const domain::Policy policy;
    domain::Case decided{own, registry_.ledger(), context, policy, signer_};
    const auto outcome = orders::DecideItem(order, at, decide, decided);
    REG_CHECK(outcome.ok());
    return {std::move(decided.changes), *outcome};
  }

  SoftwareSigner signer_{"Issuing CA"};
};

TEST_F(OrderTrouble, ADeviceThatLeftTheSelectionBeforeItsTurnIsSkipped) {
  const std::string device = Claimed();
  Keep(registry_.ledger(), Earlier("asp-a", "asp-a", 1));
  ASSERT_TRUE(registry_.Ask("asp-a", "device.delete", {{"device", device}}).accepted());
  const auto order = *registry_.ledger().LoadOrder(Earlier("asp-a", "asp-a", 1).id);
  const auto decided = Decided(*order, device);
  EXPECT_EQ(decided.outcome, domain::ItemOutcome::kSkipped);
  ASSERT_THAT(decided.changes.order_items, SizeIs(1));
  EXPECT_TRUE(decided.changes.devices.empty());
}

// It stands behind the cursor once more, with another certificate: it was decided before, or joined while the order ran.
TEST_F(OrderTrouble, ADeviceCertifiedSinceAnOrderByCertificatesBeganIsSkipped) {
  domain::Order order = Earlier("asp-a", "asp-a", 1);
  order.selection = domain::DeviceGroup::ByExpiry(order.owner);
  order.created = registry_.clock().Now();
  registry_.clock().Advance(std::chrono::seconds(1));
  const std::string device = Published(registry_);
  Keep(registry_.ledger(), order);
  const auto decided = Decided(*registry_.ledger().LoadOrder(order.id).value(), device);
  EXPECT_EQ(decided.outcome, domain::ItemOutcome::kSkipped);
  ASSERT_THAT(decided.changes.order_items, SizeIs(1));

  domain::Order later = Earlier("asp-a", "asp-a", 2);
  later.selection = order.selection;
  later.created = registry_.clock().Now();
  Keep(registry_.ledger(), later);
  int asked = 0;
  const auto refusing = [&asked](const auto&, const auto&, const auto&) -> Result<domain::Decision> {
    ++asked;
    return Error::Make(Code::kStatusProhibits, "state_prohibits", "not now");
  };
  EXPECT_EQ(Decided(*registry_.ledger().LoadOrder(later.id).value(), device, refusing).outcome,
            domain::ItemOutcome::kRefused);
  EXPECT_EQ(asked, 1);
}

TEST_F(OrderTrouble, AnOrderThatMovedMeanwhileDecidesNothing) {
  const std::string device = Claimed();
  domain::Order order = Earlier("asp-a", "asp-a", 1);
  order.state = domain::OrderState::kCancelled;
  Keep(registry_.ledger(), order);
  EXPECT_TRUE(Decided(order, device).changes.empty());
}

TEST_F(OrderTrouble, WhoIsNoPartyAnyMoreMayDoNothingWithItsDevices) {
  const auto devices = SomeClaimed(3);
  const domain::Order order = Earlier("struck", "asp-a", 1);
  Keep(registry_.ledger(), order);
  registry_.Restart();
  EXPECT_EQ(Ended("operator", order.id.text()).at("refused"), 3);
  const json report = Report("operator", order.id.text());
  for (const json& item : report.at("items")) EXPECT_EQ(item.at("symbol"), "party_unknown");
  ExpectStates(devices, "registered");
  ExpectSound();
}

TEST_F(OrderTrouble, TwoOrdersOnTheSameDevicesTakeEachOnce) {
  const auto devices = SomeClaimed(20);
  const std::string own = Started("asp-a", json::object());
  const std::string operators = Started("operator", {{"party", "asp-a"}});
  const json first = Ended("asp-a", own), second = Ended("operator", operators);
  EXPECT_EQ(first.at("done").get<int>() + second.at("done").get<int>(), 20);
  for (const auto& device : devices) {
    EXPECT_THAT(HistoryOf(registry_, device), testing::Contains("deactivated").Times(1));
  }
  ExpectSound();
}

TEST_F(OrderTrouble, AnEndpointIsTheSendersOwnWhateverOthersCallTheirs) {
  const std::string device = Claimed("asp-b");
  const json state = Ended("asp-a", Started("asp-a", {{"endpoint", "main"}}));
  EXPECT_EQ(state.at("done"), 0);
  EXPECT_EQ(StateOf(device), "registered");
}

TEST_F(OrderTrouble, APaceOfNothingOrOfMuchIsRefused) {
  for (const int rate : {0, -1, 501, 1'000'000'000}) {
    EXPECT_EQ(Start("asp-a", json::object(), {{"rate", rate}}).symbol(), "out_of_range") << rate;
  }
}

// What it does while the disk is full.
struct FullDisk {
  std::atomic<bool> full{false};
  std::atomic<int> refused{0};
  std::atomic<bool> unreadable{false};
  TestRegistry::Setup Behind() {
    TestRegistry::Setup setup;
    setup.wrap = [this](std::unique_ptr<ledger::Ledger> real) -> std::unique_ptr<ledger::Ledger> {
      FaultyLedger::Hooks hooks;
      hooks.commit = [this](const domain::Changeset& changes) -> FaultyLedger::Fault {
        if (!full || changes.order_items.empty()) return std::nullopt;
        ++refused;
        return Error::Make(Code::kFailed, ledger::kLedgerFailed, "the disk is full");
      };
      hooks.load_device = [this]() -> FaultyLedger::Fault {
        if (!unreadable) return std::nullopt;
        ++refused;
        return Error::Make(Code::kFailed, ledger::kLedgerFailed, "the disk does not answer");
      };
      return std::make_unique<FaultyLedger>(std::move(real), std::move(hooks));
    };
    return setup;
  }
};

class OrderOnAFullDisk : private FullDisk, public OrderTest {
 protected:
  OrderOnAFullDisk() : OrderTest(Behind()) {}
  // An order over asp-a's devices that has met the trouble, which goes on.
  std::string StartedInto(std::atomic<bool>& trouble) {
    trouble = true;
    const std::string order = Started("asp-a", json::object());
    const auto until = std::chrono::steady_clock::now() + kOrderDeadline;
    while (refused == 0 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    EXPECT_GT(refused, 0);
    return order;
  }
  void ExpectItGoesOn(const std::string& order, const std::set<std::string>& devices) {
    EXPECT_EQ(Ended("asp-a", order).at("done"), devices.size());
    ExpectStates(devices, "deactivated");
    ExpectSound();
  }
  using FullDisk::full;
  using FullDisk::unreadable;
};

TEST_F(OrderOnAFullDisk, WhatCannotBeReadForTheMomentIsDecidedLater) {
  const auto devices = SomeClaimed(5);
  const std::string order = StartedInto(unreadable);
  EXPECT_EQ(Get("asp-a", order).at("failed"), 0);
  unreadable = false;
  ExpectItGoesOn(order, devices);
}

TEST_F(OrderOnAFullDisk, WaitsAndGoesOnWhenThereIsRoom) {
  const auto devices = SomeClaimed(5);
  const std::string order = StartedInto(full);
  EXPECT_EQ(Get("asp-a", order).at("done"), 0);
  ExpectStates(devices, "registered");
  full = false;
  ExpectItGoesOn(order, devices);
}

// Writes down what was done, in its order.
class Diary : public ingest::Observer {
 public:
  void Write(const std::string& what) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(what);
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  void CommandDone(const std::string&, const std::string&, const std::string&,
                   std::chrono::microseconds) override {}
  void StepDone(const std::string&, std::chrono::microseconds) override {}
  void OrderItemDone(const std::string&, const std::string&) override { Write("a device of an order"); }
  void Log(int, const std::string& line) override { ADD_FAILURE() << line; }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

class DiaryOfTroubles final : public Diary {
 public:
  void Log(int, const std::string& line) override {
    if (line.find("tried again") != line.npos) Write(line);
  }
};

TEST_F(OrderOnAFullDisk, WhatIsTriedEachSecondIsSaidOnce) {
  const std::string device = Claimed();
  const domain::Order order = Earlier("asp-a", "asp-a", 1);
  Keep(registry_.ledger(), order);
  const SoftwareSigner signer("Issuing CA");
  ingest::Services services;
  services.parties = {{*PartyId::Parse("asp-a"), wire::Role::kAsp}};
  services.signer = &signer;
  DiaryOfTroubles diary;
  ingest::Executor executor(services, registry_.ledger(), registry_.clock(), diary, [] {});
  const ingest::OrderDecisions decisions(registry_.ledger(), diary, executor);
  const auto at = domain::PositionIn(order.selection.kind, domain::BriefOf(registry_.Device(device)));
  full = true;
  using Settled = ingest::OrderDecisions::Settled;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(decisions.SettleItem(order, at), Settled::kAgain);
  EXPECT_THAT(diary.lines(), SizeIs(1));
  full = false;
  EXPECT_EQ(decisions.SettleItem(order, at), Settled::kDecided);
}

// Eight orders of one party, each as fast as may be, and a single lane for all.
TEST_F(OrderTrouble, AnotherPartysCommandStandsBehindTwoDevicesAtMost) {
  constexpr int kOrders = 8;
  SomeClaimed(3);
  for (int i = 1; i <= kOrders; ++i) {
    domain::Order order = Earlier("asp-a", "asp-a", i);
    order.dry_run = true;
    Keep(registry_.ledger(), order);
  }
  const SoftwareSigner signer("Issuing CA");
  ingest::Services services;
  services.parties = {{*PartyId::Parse("asp-a"), wire::Role::kAsp}};
  services.signer = &signer;
  Diary diary;
  ingest::Executor executor(services, registry_.ledger(), registry_.clock(), diary, [] {});
  const ingest::OrderDecisions decisions(registry_.ledger(), diary, executor);
  ingest::Lanes lanes(1, 64);
  ingest::Pace pace;
  ingest::OrderRunner runner(decisions, lanes, pace, diary);
  std::promise<void> open;
  const auto opened = open.get_future().share();
  ASSERT_TRUE(lanes.Post(0, "registry", [opened] { opened.wait(); }));
  runner.Start();
  const auto until = std::chrono::steady_clock::now() + kOrderDeadline;
  while (lanes.queued() < 1 + kOrders && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  ASSERT_EQ(lanes.queued(), std::size_t{1 + kOrders}) << "one device of each order, and no more, waits";
  EXPECT_EQ(runner.open(), std::size_t{kOrders});
  ASSERT_TRUE(lanes.Post(0, "asp-b", [&diary] { diary.Write("a command"); }));
  open.set_value();
  while (diary.lines().size() < 1 + kOrders && std::chrono::steady_clock::now() < until)
    std::this_thread::yield();
  runner.Stop();
  lanes.Stop(kOrderDeadline);
  const auto lines = diary.lines();
  const auto command = std::find(lines.begin(), lines.end(), "a command");
  ASSERT_NE(command, lines.end());
  // The turn that the orders had saved up when the command came, and the one they have before it (fair_queue.h).
  EXPECT_LE(command - lines.begin(), 2);
}

}  // namespace
}  // namespace registry::test
