// The registry and the broker die at random moments while devices are being provisioned; in the end nothing accepted is
// lost, nothing was done twice and the hash chain is whole (design §3, README, "The journey of one message").
#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>
#include <set>

#include "bridge/ledger/rocksdb/open.h"
#include "tests/support/test_lab.h"
#include "workers/domain/standing.h"

namespace registry::test {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kDevices = 200;
constexpr int kRegistryKills = 20;
constexpr int kBrokerKills = 5;
// Some at once; the rest comes in small groups, one whenever few are at work, so that no death finds nothing
// to disturb.
constexpr int kDevicesFirst = 60;
constexpr int kGroup = 4;
constexpr int kFewAtWork = 8;
constexpr int kNearlyOver = 2;               // devices unfinished: the last moment for a death
constexpr std::uint64_t kNever = 1'000'000;  // events
constexpr int kKillsMax = 3 * (kRegistryKills + kBrokerKills);

// What the simulators have told so far. Fed by reader threads, waited for by the test.
class Progress {
 public:
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
    return changed_.wait_for(lock, deadline, [&] { return UnfinishedLocked(kDevices) == 0; });
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
int Release(lab::Lab& lab, int released) {
  const int group = std::min(kGroup, kDevices - released);
  if (group == 0) return 0;
  for (const char* mno : lab::kMnos)
    EXPECT_TRUE(lab.SendTo(mno, {{"cmd", "register"}, {"count", group / 2}}));
  return group;
}

TEST(Crash, TwoHundredDevicesSurviveTwentyDeathsOfTheRegistryAndFiveOfTheBroker) {
  const std::uint64_t seed = std::random_device{}();
  RecordProperty("seed", std::to_string(seed));
  std::mt19937_64 random(seed);
  Progress progress;
  lab::LabOptions options;
  options.devices = kDevices;
  options.register_first = kDevicesFirst;
  options.retry_first_seconds = 2;
  options.batches = seed % 2 == 0;  // what dies in the middle of one is done again
  options.on_event = [&](const std::string&, const json& event) { progress.Hear(event); };
  const auto whole = NewWholeLab(std::move(options));
  ASSERT_NE(whole, nullptr);
  lab::Lab& lab = *whole;

  int registry_kills = 0, broker_kills = 0, released = kDevicesFirst;
  for (int i = 0; i < kKillsMax && (registry_kills < kRegistryKills || broker_kills < kBrokerKills); ++i) {
    if (progress.Unfinished(released) < kFewAtWork) released += Release(lab, released);
    // A death every few events spreads them over the whole run; the random rest hits any point between two steps.
    progress.WaitEvents(random() % 40, released, seconds(5));
    progress.WaitEvents(kNever, released, milliseconds(random() % 60));
    const bool broker =
        broker_kills < kBrokerKills && registry_kills >= broker_kills * kRegistryKills / kBrokerKills;
    const std::string victim = broker ? "mosquitto" : "registryd";
    lab.Kill(victim);
    if (progress.Unfinished(released) > 0)
      ++(broker ? broker_kills : registry_kills);  // only deaths during work count
    const auto restarted = lab.Restart(victim);
    ASSERT_TRUE(restarted) << victim << ": " << restarted.error().message;
  }
  while (released < kDevices) released += Release(lab, released);
  EXPECT_TRUE(progress.WaitFinished(seconds(240))) << "seed " << seed << ": " << progress.summary();
  EXPECT_GE(registry_kills, kRegistryKills) << "seed " << seed << ": the work was over too soon";
  EXPECT_GE(broker_kills, kBrokerKills) << "seed " << seed << ": the work was over too soon";
  const auto failure = lab.TakeFailure();
  EXPECT_FALSE(failure) << *failure;
  const std::string ledger_folder = lab.layout().Registry("ledger");
  const std::set<std::string> registered = progress.registered();
  lab.Stop();

  const auto reader = ledger::OpenRocksDbReader(ledger_folder, lab.layout().In("verify"));
  ASSERT_TRUE(reader) << reader.error().message;
  const auto report = ledger::Verify(**reader);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->faults.empty()) << report->faults.front();
  EXPECT_EQ(registered.size(), static_cast<std::size_t>(kDevices))
      << "an MNO was given two devices for one eSIM";
  const auto devices = (*reader)->DevicesAfter(std::nullopt, kDevices * 2);
  ASSERT_TRUE(devices);
  EXPECT_EQ(devices->size(), static_cast<std::size_t>(kDevices))
      << "an accepted command lost, or executed twice";
  for (const auto& device : *devices) {
    CheckDevice(**reader, device);
    EXPECT_TRUE(registered.contains(device.id.text())) << "registered without its MNO knowing";
  }
}

}  // namespace
}  // namespace registry::test
