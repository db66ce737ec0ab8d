// What a sender and an operator see when something inside the registry fails, is full, or is asked too much.
#include <gtest/gtest.h>

#include <future>
#include <set>
#include <thread>

#include "tests/support/commands.h"
#include "tests/support/faulty_ledger.h"
#include "tests/support/test_registry.h"

namespace registry::test {
namespace {

using nlohmann::json;
using Fault = FaultyLedger::Fault;

TestRegistry::Setup With(FaultyLedger::Hooks hooks) {
  TestRegistry::Setup setup;
  setup.wrap = [hooks = std::move(hooks)](std::unique_ptr<ledger::Ledger> real) {
    return std::make_unique<FaultyLedger>(std::move(real), hooks);
  };
  return setup;
}

Fault LedgerError(std::string_view symbol) {
  return Error::Make(Code::kFailed, symbol, "as told by the test");
}

json Esim(std::uint64_t number) { return {{"eid", EidOf(number)}, {"iccid", IccidOf(number)}}; }

ingest::InboundMessage Message(const std::string& party, const std::string& command, const std::string& id,
                               const json& data) {
  return Raw(party, command, Command(party, command, id, data).dump());
}

TEST(Faults, ADeviceThatChangesTooFastIsBusyAndTheSameIdWorksLater) {
  std::atomic<bool> moving{true};
  TestRegistry registry(With({.commit = [&](const domain::Changeset& changes) -> Fault {
    return moving && changes.mark ? LedgerError(ledger::kStale) : std::nullopt;
  }}));
  const Said busy = registry.Ask("mno-a", "esim.register", Esim(1), "same");
  EXPECT_EQ(busy.code(), 2400);
  EXPECT_EQ(busy.symbol(), "busy");
  EXPECT_EQ(busy.data().at("retryAfterSeconds"), 1);
  moving = false;
  EXPECT_TRUE(registry.Ask("mno-a", "esim.register", Esim(1), "same").accepted());
}

TEST(Faults, WhatFailsInsideIsAnsweredWithoutDetailsLoggedWithThemAndNotRemembered) {
  for (const std::string& symbol : {std::string(ledger::kLedgerDamaged), std::string("signing_failed")}) {
    std::atomic<bool> damaged{true};
    TestRegistry registry(
        With({.load_device = [&]() -> Fault { return damaged ? LedgerError(symbol) : std::nullopt; }}));
    const auto device = registry.Register();
    const Said failed = registry.Ask("mno-a", "device.attach", {{"device", device.device}}, "same");
    EXPECT_EQ(failed.code(), 2400);
    EXPECT_EQ(failed.symbol(), "registry_failed");
    EXPECT_TRUE(failed.data().contains("retryAfterSeconds"));
    EXPECT_EQ(failed.envelope.at("cause"), "same");
    EXPECT_TRUE(registry.Logged(symbol));
    damaged = false;
    EXPECT_TRUE(registry.Ask("mno-a", "device.attach", {{"device", device.device}}, "same").accepted());
  }
}

// Hides from a decision, when asked to, that a device's key.generate waits: what is decided then is one too many.
class LyingLedger final : public WrappedLedger {
 public:
  LyingLedger(std::unique_ptr<ledger::Ledger> real, std::atomic<bool>& lies)
      : WrappedLedger(*real), real_(std::move(real)), lies_(lies) {}
  Result<std::vector<domain::Job>> JobsOf(const DeviceId& device) const override {
    if (lies_.exchange(false)) return std::vector<domain::Job>();
    return WrappedLedger::JobsOf(device);
  }

 private:
  const std::unique_ptr<ledger::Ledger> real_;
  std::atomic<bool>& lies_;
};

TEST(Faults, WhatMustNeverBeIsNotWrittenButLoggedAndTheSameIdWorksLater) {
  std::atomic<bool> lies{false};
  TestRegistry::Setup setup;
  setup.wrap = [&](std::unique_ptr<ledger::Ledger> real) {
    return std::make_unique<LyingLedger>(std::move(real), lies);
  };
  TestRegistry registry(std::move(setup));
  const std::string device = registry.Register().device;
  ASSERT_TRUE(registry.Ask("mno-a", "device.attach", {{"device", device}}).accepted());
  const auto version = registry.Device(device).version;
  lies = true;
  const Said refused = registry.Ask("mno-a", "device.attach", {{"device", device}}, "same");
  EXPECT_EQ(refused.symbol(), "registry_failed");
  EXPECT_TRUE(registry.Logged(std::string("changes_unsound") + ": device " + device +
                              ": two jobs of key.generate wait"));
  EXPECT_EQ(registry.Device(device).version, version);
  EXPECT_EQ(registry.ledger().JobsOf(*DeviceId::Parse(device))->size(), 1u);
  EXPECT_TRUE(registry.Ask("mno-a", "device.attach", {{"device", device}}, "same").accepted());
}

// Counts the timer's turns (each looks how far the relay is) and how often it then looked for jobs.
class WatchedLedger final : public WrappedLedger {
 public:
  struct Counts {
    std::atomic<int> turns{0}, looked_for_jobs{0};
  };
  WatchedLedger(std::unique_ptr<ledger::Ledger> real, Counts& counts)
      : WrappedLedger(*real), real_(std::move(real)), counts_(counts) {}
  Result<ledger::SinkState> LoadSink(ledger::Sink sink) const override {
    ++counts_.turns;
    return WrappedLedger::LoadSink(sink);
  }
  Result<std::vector<domain::Job>> JobsDue(ledger::DueTimes times, std::size_t limit) const override {
    ++counts_.looked_for_jobs;
    return WrappedLedger::JobsDue(times, limit);
  }

 private:
  const std::unique_ptr<ledger::Ledger> real_;
  Counts& counts_;
};

TEST(Faults, NothingIsAskedAgainWhileManyMessagesWaitForTheBroker) {
  WatchedLedger::Counts counts;
  TestRegistry::Setup setup;
  setup.wrap = [&](std::unique_ptr<ledger::Ledger> real) {
    return std::make_unique<WatchedLedger>(std::move(real), counts);
  };
  TestRegistry registry(setup);
  const auto device = registry.Register();
  const Said attached = registry.Ask("mno-a", "device.attach", {{"device", device.device}});
  ASSERT_EQ(registry.Heard("registry/v1/to/mno-a/do/key.generate").size(), 1u);
  domain::Changeset waiting;
  waiting.messages.assign(1500, {attached.topic, attached.payload, ""});
  ASSERT_TRUE(registry.ledger().Commit(std::move(waiting)).ok());

  const int turns = counts.turns;  // the turn after the next one began with the backlog in the ledger
  while (counts.turns < turns + 2) std::this_thread::yield();
  const int looked = counts.looked_for_jobs;
  registry.clock().Advance(std::chrono::hours(1));
  while (counts.turns < turns + 4) std::this_thread::yield();
  EXPECT_EQ(counts.looked_for_jobs, looked);

  const auto last = registry.ledger().OutboxLast(ledger::Sink::kMqtt);
  ASSERT_TRUE(registry.ledger().Advance(ledger::Sink::kMqtt, {*last, ""}, true).ok());
  registry.RunDueJobs(std::chrono::seconds(0));
  EXPECT_EQ(registry.Heard("registry/v1/to/mno-a/do/key.generate").size(), 1u) << "asked again, once";
}

TEST(Faults, ADamagedMarkIsAnsweredToo) {
  TestRegistry registry(With({.find_event = [] { return LedgerError(ledger::kLedgerDamaged); }}));
  EXPECT_EQ(registry.Ask("mno-a", "esim.register", Esim(1)).symbol(), "registry_failed");
}

TEST(Faults, AFailedReadIsLoggedAndTriedAgainWithoutARestart) {
  std::atomic<int> failures{3};
  TestRegistry registry(With({.find_event = [&]() -> Fault {
    return failures-- > 0 ? LedgerError(ledger::kLedgerFailed) : std::nullopt;
  }}));
  EXPECT_TRUE(registry.Ask("mno-a", "esim.register", Esim(1)).accepted());
  EXPECT_TRUE(registry.Counted("failed", 3));
  EXPECT_TRUE(registry.Logged("ledger_failed"));
}

TEST(Faults, AFailedCommitIsLoggedAndTriedAgain) {
  std::atomic<int> failures{2};
  TestRegistry registry(With({.commit = [&](const domain::Changeset&) -> Fault {
    return failures-- > 0 ? LedgerError(ledger::kLedgerFailed) : std::nullopt;
  }}));
  EXPECT_TRUE(registry.Ask("mno-a", "esim.register", Esim(1)).accepted());
  EXPECT_TRUE(registry.Counted("failed", 2));
  EXPECT_TRUE(registry.Counted("accepted", 1));
}

TEST(Faults, ADeadLetterThatCouldNotBeKeptIsTriedAgain) {
  std::atomic<int> failures{2};
  TestRegistry registry(With({.commit = [&](const domain::Changeset&) -> Fault {
    return failures-- > 0 ? LedgerError(ledger::kLedgerFailed) : std::nullopt;
  }}));
  registry.Send({"registry/v1/from/MNO-A/x/y", "z", "", ""});
  EXPECT_TRUE(registry.Counted("dead_letter", 1));
  EXPECT_EQ(registry.ledger().DeadLettersAfter(0, 10)->size(), 1u);
}

// Paho's receive thread is the only ear the registry has; it must not wait for a disk because somebody talks nonsense.
TEST(Faults, NonsenseIsCommittedTogetherAndNotByTheThreadThatHears) {
  constexpr std::uint64_t kMessages = 100;
  std::mutex mutex;
  std::set<std::thread::id> threads;
  int commits = 0;
  std::promise<void> heard;
  const std::shared_future<void> all_heard = heard.get_future().share();
  TestRegistry registry(With({.commit = [&](const domain::Changeset&) -> Fault {
    {
      const std::lock_guard lock(mutex);
      threads.insert(std::this_thread::get_id());
      ++commits;
    }
    all_heard.wait_for(std::chrono::seconds(20));
    return std::nullopt;
  }}));
  for (std::uint64_t i = 0; i < kMessages; ++i) {
    registry.Send({"registry/v1/from/MNO-A/x/y", "z", "", ""});
    registry.Send({"registry/v1/from/mno-a/esim.register", "not JSON", "", ""});
  }
  registry.WaitUntilRead();
  heard.set_value();
  EXPECT_TRUE(registry.Counted("dead_letter", kMessages));
  EXPECT_TRUE(registry.Counted("rejected", kMessages));
  const std::lock_guard lock(mutex);
  EXPECT_FALSE(threads.contains(std::this_thread::get_id()));
  EXPECT_LE(commits, 2 * static_cast<int>(kMessages) / 8 + 2) << "eight at a time, of all senders";
}

TEST(Faults, APartyThatSaysTooMuchFillsItsOwnShareOnly) {
  std::promise<void> opened;
  const std::shared_future<void> open = opened.get_future().share();
  auto setup = With({.commit = [&](const domain::Changeset& changes) -> Fault {
    if (changes.mark) open.wait_for(std::chrono::seconds(20));
    return std::nullopt;
  }});
  setup.lanes = 1;
  setup.queue_max = 4;
  TestRegistry registry(setup);
  registry.Send(Message("mno-a", "esim.register", "1", Esim(1)));
  registry.Send(Message("mno-a", "esim.register", "2", Esim(2)));
  const auto third = Message("mno-a", "esim.register", "3", Esim(3));
  const Said refused = registry.AskRaw(third);
  EXPECT_EQ(refused.code(), 2502);
  EXPECT_EQ(refused.symbol(), "too_busy");
  EXPECT_EQ(refused.envelope.at("cause"), "3");
  EXPECT_TRUE(refused.data().contains("retryAfterSeconds"));
  registry.Send(Message("mno-b", "esim.register", "1", Esim(4)));  // finds its room, else this would wait
  opened.set_value();
  EXPECT_TRUE(registry.Counted("accepted", 3));
  EXPECT_TRUE(registry.AskRaw(third).accepted()) << "the share is given back, and the id was not used up";
}

// Beyond its share and the line of its refusals a party gets one answer for all, and nobody else notices.
TEST(Faults, WhatIsBeyondAllBoundsIsAnsweredInOne) {
  constexpr std::uint64_t kShare = 2, kRefused = 2048, kBeyond = 1000;
  std::promise<void> opened;
  const std::shared_future<void> open = opened.get_future().share();
  auto setup = With({.commit = [&](const domain::Changeset&) -> Fault {
    open.wait_for(std::chrono::seconds(20));
    return std::nullopt;
  }});
  setup.queue_max = 2 * kShare;
  TestRegistry registry(setup);
  for (std::uint64_t i = 0; i < kShare + kRefused + kBeyond; ++i) {
    registry.Send(Message("asp-a", "feed.ack", std::to_string(i), {{"seq", 0}}));
  }
  registry.Send(Message("asp-b", "feed.ack", "b", {{"seq", 0}}));
  opened.set_value();
  EXPECT_TRUE(registry.Counted("accepted", kShare + 1));
  EXPECT_TRUE(registry.Counted("rejected", kRefused + kBeyond + 1));
  std::uint64_t alone = 0, together = 0;
  for (const Said& said : registry.Heard("registry/v1/to/asp-a/feed.ack/rejected")) {
    EXPECT_EQ(said.symbol(), "too_busy");
    ++(said.envelope.contains("cause") ? alone : together);
    if (said.envelope.contains("cause")) continue;
    EXPECT_EQ(said.data().at("message").get<std::string>().substr(0, 5), "1000 ");
  }
  EXPECT_EQ(alone, kRefused);
  EXPECT_EQ(together, 1u);
}

// One device's commands of one party are decided in the order in which they came, however many wait.
TEST(Faults, OnePartysCommandsForOneDeviceKeepTheirOrder) {
  TestRegistry registry(8);
  const std::string device = "0b2f4a52-9a6e-4a5b-8f5e-3f1d2c4b5a69";
  for (int i = 0; i < 500; ++i) {
    registry.Send(Message("mno-a", "device.attach", std::to_string(i), {{"device", device}}));
    registry.Send(Message("mno-b", "feed.ack", std::to_string(i), {{"seq", 0}}));
  }
  EXPECT_TRUE(registry.Counted("rejected", 500));
  int next = 0;
  for (const Said& said : registry.Heard("registry/v1/to/mno-a/device.attach")) {
    EXPECT_EQ(said.envelope.at("cause"), std::to_string(next++));
  }
  EXPECT_EQ(next, 500);
}

// What a stop had no time for is in the intake, and the next start does it, once.
TEST(Faults, WhatAStopLeavesWaitsForTheNextStart) {
  std::atomic<bool> failing{true};
  auto setup = With({.commit = [&](const domain::Changeset&) -> Fault {
    return failing ? LedgerError(ledger::kLedgerFailed) : std::nullopt;
  }});
  setup.lanes = 1;
  setup.stop_deadline = std::chrono::milliseconds(1);
  TestRegistry registry(setup);
  for (int i = 0; i < 100; ++i) {
    registry.Send(Message("mno-a", "feed.ack", std::to_string(i), {{"seq", 0}}));
    registry.Send(Raw("mno-a", "feed.ack", "not JSON"));
  }
  registry.Restart();
  failing = false;
  EXPECT_TRUE(registry.Counted("accepted", 100));
  EXPECT_TRUE(registry.Counted("rejected", 100));
  EXPECT_EQ(registry.Heard("registry/v1/to/mno-a/feed.ack").size(), 200u);
}

// Full until somebody says otherwise.
class FullIntake final : public ingest::Intake {
 public:
  std::vector<Record> TakeLeftOver() override { return {}; }
  Result<Ticket> Append(const ingest::InboundMessage&) override {
    ++asked;
    if (broken) return Error::Make(Code::kFailed, "intake_failed", "No space left on device");
    if (full) return Error::Make(Code::kLimit, "intake_full", "as told by the test");
    return Ticket{1};
  }
  void Expect(Ticket, std::size_t) override {}
  void MarkDone(Ticket) override { done = true; }
  std::uint64_t torn_records() const override { return 0; }
  std::uint64_t damages() const override { return 0; }
  std::uint64_t undone() const override { return 0; }
  Status CopyTo(const std::string&) override { return Done{}; }

  std::atomic<bool> full{true}, broken{false}, done{false};
  std::atomic<int> asked{0};
};

class Silent final : public ingest::Observer {
  void CommandDone(const std::string&, const std::string&, const std::string&,
                   std::chrono::microseconds) override {}
  void StepDone(const std::string&, std::chrono::microseconds) override {}
  void Log(int, const std::string&) override {}
};

struct WithFullIntake {
  explicit WithFullIntake(bool may_refuse_it = false) : may_refuse(may_refuse_it) {}
  const bool may_refuse;
  FullIntake intake;
  std::unique_ptr<ledger::Ledger> ledger = ledger::OpenMemoryLedger();
  ManualClock clock;
  Silent observer;
  ingest::Pipeline pipeline{
      {.lanes = 1, .timer_period = std::chrono::milliseconds(5), .intake_may_refuse = may_refuse},
      *ledger,
      intake,
      clock,
      {},
      observer};

  std::thread StartAndReceive() {
    pipeline.Start();
    std::thread ear([this] { pipeline.Receive(Message("mno-a", "esim.register", "1", Esim(1))); });
    while (intake.asked < 2) std::this_thread::yield();
    return ear;
  }
};

TEST(FullIntakeTest, HoldsTheBrokerBackUntilThereIsRoom) {
  WithFullIntake it;
  std::thread ear = it.StartAndReceive();
  it.intake.full = false;
  ear.join();
  it.pipeline.Stop();
  EXPECT_TRUE(it.intake.done);
}

// A node that decides beside another one keeps such a message when it is a member again.
TEST(FullIntakeTest, WhereItMayRefuseTheCallerIsToldAndTheProcessGoesOn) {
  WithFullIntake it(true);
  it.pipeline.Start();
  it.intake.broken = true;
  EXPECT_FALSE(it.pipeline.Receive(Message("mno-a", "esim.register", "1", Esim(1))));
  it.intake.broken = false;
  it.intake.full = false;
  EXPECT_TRUE(it.pipeline.Receive(Message("mno-a", "esim.register", "2", Esim(2))));
  it.intake.full = true;
  std::atomic<bool> kept{true};
  std::thread ear([&] { kept = it.pipeline.Receive(Message("mno-a", "esim.register", "3", Esim(3))); });
  for (const int before = it.intake.asked; it.intake.asked < before + 2;) std::this_thread::yield();
  it.pipeline.Stop();
  ear.join();
  EXPECT_FALSE(kept) << "full for good";
}

TEST(FullIntakeTest, AStopEndsTheProcessCleanlyAndWithoutAcknowledging) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        WithFullIntake it;
        std::thread ear = it.StartAndReceive();
        it.pipeline.Stop();
        ear.join();
        std::_Exit(3);  // Receive returned: the message would be acknowledged, and is nowhere
      },
      testing::ExitedWithCode(0), "");
}

TEST(FullIntakeTest, ADiskThatRefusesEndsTheProcessWithAnErrorAndWithoutAcknowledging) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        WithFullIntake it;
        it.pipeline.Start();
        it.intake.broken = true;
        it.pipeline.Receive(Message("mno-a", "esim.register", "1", Esim(1)));
        std::_Exit(3);  // Receive returned: the message would be acknowledged, and is nowhere
      },
      testing::ExitedWithCode(1), "");
}

}  // namespace
}  // namespace registry::test
