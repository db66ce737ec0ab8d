// The registry, the broker and the ledger's server die at random moments while devices are being provisioned; in the end
// nothing accepted is lost, nothing was done twice, no feed has a gap and the hash chain is whole (README, "The journey of
// one message"). A server that has a synchronous standby does not come back: the standby is promoted.
#include <gtest/gtest.h>

#include <array>
#include <condition_variable>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>
#include <regex>
#include <set>

#include "simulators/lab/probe.h"
#include "tests/crash/ledger_servers.h"
#include "tests/support/test_lab.h"
#include "workers/domain/standing.h"

namespace registry::test {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct Campaign {
  int devices, registry_kills, broker_kills;
  int server_kills = 0;  // of PostgreSQL, where it keeps the ledger
  bool standby = false;  // it has a synchronous one
  // Some at once; the rest comes in small groups, one whenever few are at work, so that no death finds nothing
  // to disturb.
  int devices_first;

  bool postgres() const { return server_kills > 0; }
  int kills() const { return registry_kills + broker_kills + server_kills; }
};
constexpr int kGroup = 4;
constexpr int kFewAtWork = 8;
constexpr int kNearlyOver = 2;               // devices unfinished: the last moment for a death
constexpr std::uint64_t kNever = 1'000'000;  // events

// What the simulators have told so far. Fed by reader threads, waited for by the test.
class Progress {
 public:
  explicit Progress(int devices) : devices_(devices) {}
  void Hear(const json& event) {
    std::lock_guard lock(mutex_);
    ++events_;
    const std::string kind = event.value("event", "");
    const std::string device = event.value("device", "");
    if (kind == "registered") registered_.insert(device);
    if (kind == "step" && event.value("step", "") == "activated" && event.value("ok", false))
      activated_.insert(device);
    if (kind == "done" && event.value("ok", false)) done_.insert(device);
    changed_.notify_all();
  }
  // Until `count` events came, or the work of those released is nearly over, or `within` is.
  void WaitEvents(std::uint64_t count, int released, milliseconds within) {
    std::unique_lock lock(mutex_);
    const std::uint64_t target = events_ + count;
    changed_.wait_for(lock, within,
                      [&] { return events_ >= target || UnfinishedLocked(released) <= kNearlyOver; });
  }
  bool WaitFinished(milliseconds deadline) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, deadline, [&] { return UnfinishedLocked(devices_) == 0; });
  }
  int Unfinished(int devices) {
    std::lock_guard lock(mutex_);
    return UnfinishedLocked(devices);
  }
  std::set<std::string> registered() {
    std::lock_guard lock(mutex_);
    return registered_;
  }
  std::string summary() {
    std::lock_guard lock(mutex_);
    return std::to_string(registered_.size()) + " registered, " + std::to_string(activated_.size()) +
           " activated, " + std::to_string(done_.size()) + " done";
  }

 private:
  int UnfinishedLocked(int devices) const {
    return devices - static_cast<int>(std::min(activated_.size(), done_.size()));
  }
  const int devices_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t events_ = 0;
  std::set<std::string> registered_, activated_, done_;
};

std::map<std::string, int> CountHistory(const ledger::LedgerReader& reader, const DeviceId& device) {
  std::map<std::string, int> counts;
  const auto history = reader.HistoryOf(device);
  EXPECT_TRUE(history);
  if (!history) return counts;
  for (const auto& record : *history) ++counts[record.entry.what.substr(0, record.entry.what.find(' '))];
  return counts;
}

void CheckDevice(const ledger::LedgerReader& reader, const domain::Device& device) {
  const std::string name = device.id.text();
  EXPECT_EQ(device.state, domain::State::kActive) << name << " is " << domain::StateName(device.state);
  EXPECT_TRUE(domain::Live(device)) << name;
  auto counts = CountHistory(reader, device.id);
  EXPECT_EQ(counts["registered"], 1) << name;
  EXPECT_EQ(counts["claimed"], 1) << name;
  EXPECT_EQ(counts["certified"], 1) << name << ": two live certificates would be two of these";
  EXPECT_EQ(counts["active"], 1) << name;
}

// The next group of eSIMs, half of them at each MNO; how many came.
int Release(lab::Lab& lab, int left) {
  const int group = std::min(kGroup, left);
  if (group == 0) return 0;
  for (const char* mno : lab::kMnos)
    EXPECT_TRUE(lab.SendTo(mno, {{"cmd", "register"}, {"count", group / 2}}));
  return group;
}

enum class Victim : std::uint8_t { kRegistry, kBroker, kServer };

// Whose turn it is: each dies evenly over the whole run.
class Deaths {
 public:
  explicit Deaths(const Campaign& campaign)
      : wanted_{campaign.registry_kills, campaign.broker_kills, campaign.server_kills} {}
  bool Over() const { return done_ == wanted_; }
  Victim Next() const {
    std::size_t next = 0;
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      if (done_[i] * wanted_[next] < done_[next] * wanted_[i] || done_[next] == wanted_[next]) next = i;
    }
    return static_cast<Victim>(next);
  }
  void Count(Victim victim) { ++done_[static_cast<std::size_t>(victim)]; }

 private:
  std::array<int, 3> wanted_, done_{};
};

// `both`: the registry dies with the ledger's server.
// All of it has started: a server that dies before ends the start (status 1), and there is no supervisor here.
Status RestartRegistry(lab::Lab& lab) {
  const auto starts = [&lab] { return test::LinesWith(lab, "registryd", std::regex("\"ready, zone port")); };
  const auto before = starts();
  if (auto restarted = lab.Restart("registryd"); !restarted) return restarted;
  lab::WaitUntil([&] { return starts() > before; }, seconds(60));
  return Done{};
}

Status KillAndRestart(lab::Lab& lab, LedgerServers& servers, Victim victim, bool both) {
  if (victim == Victim::kServer) {
    const auto back = servers.Die([&] {
      if (both) lab.Kill("registryd");
    });
    return back && both ? RestartRegistry(lab) : back;
  }
  const std::string program = victim == Victim::kBroker ? "mosquitto" : "registryd";
  lab.Kill(program);
  return victim == Victim::kBroker ? lab.Restart(program) : RestartRegistry(lab);
}

void ExpectEverythingOnce(const ledger::LedgerReader& reader, const std::set<std::string>& registered,
                          int count) {
  const auto report = ledger::Verify(reader);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->faults.empty()) << report->faults.front();
  EXPECT_EQ(registered.size(), static_cast<std::size_t>(count))
      << "an MNO was given two devices for one eSIM";
  const auto devices = reader.DevicesAfter(std::nullopt, static_cast<std::size_t>(count) * 2);
  ASSERT_TRUE(devices);
  EXPECT_EQ(devices->size(), static_cast<std::size_t>(count))
      << "an accepted command lost, or executed twice";
  for (const auto& device : *devices) {
    CheckDevice(reader, device);
    EXPECT_TRUE(registered.contains(device.id.text())) << "registered without its MNO knowing";
  }
}

void Survive(const Campaign& campaign) {
  const std::uint64_t seed = std::random_device{}();
  testing::Test::RecordProperty("seed", std::to_string(seed));
  std::mt19937_64 random(seed);
  Progress progress(campaign.devices);
  lab::LabOptions options;
  options.devices = campaign.devices;
  options.register_first = campaign.devices_first;
  options.retry_first_seconds = 2;
  options.batches = seed % 2 == 0;  // what dies in the middle of one is done again
  options.postgres = campaign.postgres();
  options.on_event = [&](const std::string&, const json& event) { progress.Hear(event); };
  const auto whole = NewLab(std::move(options));
  ASSERT_NE(whole, nullptr);
  lab::Lab& lab = *whole;
  LedgerServers servers(lab);
  const auto start = [&]() -> Status {
    if (campaign.standby) {
      if (auto added = servers.AddStandby(); !added) return added;
    }
    if (auto started = lab.StartServers(); !started) return started;
    return lab.StartSimulators();
  };
  const auto started = start();
  ASSERT_TRUE(started) << started.error().message;

  int released = campaign.devices_first;
  Deaths deaths(campaign);
  for (int i = 0; i < 3 * campaign.kills() && !deaths.Over(); ++i) {
    if (progress.Unfinished(released) < kFewAtWork) released += Release(lab, campaign.devices - released);
    // A death every few events spreads them over the whole run; the random rest hits any point between two steps.
    progress.WaitEvents(random() % 40, released, seconds(5));
    progress.WaitEvents(kNever, released, milliseconds(random() % 60));
    const Victim victim = deaths.Next();
    const bool at_work = progress.Unfinished(released) > 0;  // only deaths during work count
    const auto restarted = KillAndRestart(lab, servers, victim, campaign.standby && random() % 2 == 0);
    ASSERT_TRUE(restarted) << "seed " << seed << ": " << restarted.error().message;
    if (at_work) deaths.Count(victim);
  }
  while (released < campaign.devices) released += Release(lab, campaign.devices - released);
  EXPECT_TRUE(progress.WaitFinished(seconds(240))) << "seed " << seed << ": " << progress.summary();
  EXPECT_TRUE(deaths.Over()) << "seed " << seed << ": the work was over too soon";
  const auto failure = lab.TakeFailure();
  EXPECT_FALSE(failure) << *failure;
  if (campaign.standby) {
    EXPECT_NE(lab::TailOf(lab.layout().LogFile("registryd"), 10'000).find("was cut off"), std::string::npos)
        << "no transaction was under way when a server died, seed " << seed;
  }
  const std::set<std::string> registered = progress.registered();
  const auto seen = [&] {
    const auto now = servers.OpenReader();
    return now && EveryFeedWasSeen(**now);
  };
  EXPECT_TRUE(!campaign.postgres() || lab::WaitUntil(seen, seconds(60))) << "a feed has a gap, seed " << seed;
  lab.Stop();

  const auto reader = servers.OpenReader();
  ASSERT_TRUE(reader) << reader.error().message;
  ExpectEverythingOnce(**reader, registered, campaign.devices);
}

TEST(Crash, TwoHundredDevicesSurviveTwentyDeathsOfTheRegistryAndFiveOfTheBroker) {
  Survive({.devices = 200, .registry_kills = 20, .broker_kills = 5, .devices_first = 60});
}

TEST(Crash, DevicesOnPostgresSurviveDeathsOfTheRegistryTheBrokerAndTheServer) {
  Survive({.devices = 60, .registry_kills = 8, .broker_kills = 2, .server_kills = 4, .devices_first = 20});
}

TEST(Crash, DevicesOnPostgresSurviveFailoversToASynchronousStandby) {
  Survive({.devices = 60,
           .registry_kills = 2,
           .broker_kills = 1,
           .server_kills = 5,
           .standby = true,
           .devices_first = 20});
}

}  // namespace
}  // namespace registry::test
