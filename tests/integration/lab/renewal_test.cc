// Certificates of two minutes on real servers: 200 devices renew twice, registryd dies in between, and a probe that goes
// round all of them never sees a refusal. One device that nobody reaches expires and comes back, one key is compromised,
// and the name server never shows a set of records that has nothing in common with the one before.
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "bridge/ledger/rocksdb/open.h"
#include "schemas/base/sanitized.h"
#include "tests/support/test_lab.h"

namespace registry::lab {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr bool kSanitized = REGISTRY_ADDRESS_SANITIZED != 0;  // several times slower

// From two thirds of a certificate's time on, and a tenth of jitter, there is a quarter of it for all that a renewal takes.
constexpr int kDevices = kSanitized ? 30 : 200;
constexpr int kValidity = kSanitized ? 150 : 120;
constexpr milliseconds kBetweenSessions{kSanitized ? 100 : 20};
constexpr std::size_t kAtOnce = 4;  // sessions of the probe, the most
constexpr seconds kPatience{2 * kValidity};

// What the simulators say, counted, and the probe that goes round all devices again and again, at a pace that leaves
// room to the servers.
class Heard {
 public:
  void Hear(const std::string& program, const json& event) {
    const std::lock_guard lock(mutex_);
    const std::string what = event.value("event", ""), device = event.value("device", "");
    if (what == "step" && event.value("step", "") == "activated") asp_of_[device] = program;
    if (what == "done" && event.value("ok", false)) done_.insert(device);
    // Its MNO hears the same.
    if (what == "notification" && program.starts_with("asp")) ++told_[{device, event.value("type", "")}];
    if (what == "radio") ++told_[{device, "radio"}];
    if (what == "rekeyed") ++told_[{device, "rekeyed"}];
    if (what == "step" && event.value("step", "") == "session" && event.value("again", false)) Session(event);
    changed_.notify_all();
  }
  template <class Until>
  bool Wait(Until until, seconds deadline) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, deadline, [&] { return until(*this); });
  }
  bool WaitTold(const std::string& device, const std::string& type, int times, seconds deadline) {
    return Wait([&](Heard& heard) { return heard.told_[{device, type}] >= times; }, deadline);
  }
  // Of all that are probed.
  int LeastRenewed() {
    int least = 1 << 20;
    for (const auto& device : probed_) least = std::min(least, told_[{device, "device.renewed"}]);
    return least;
  }
  std::size_t done() const { return done_.size(); }
  std::set<std::string> Devices() {
    const std::lock_guard lock(mutex_);
    return done_;
  }
  std::string AspOf(const std::string& device) {
    const std::lock_guard lock(mutex_);
    return asp_of_[device];
  }
  // What the next session that is not the probe's came to; empty: the device was served.
  std::string AskOnce(Lab& lab, const std::string& device) {
    std::unique_lock lock(mutex_);
    once_.erase(device);
    lab.SendTo("devices", {{"cmd", "session"}, {"device", device}});
    changed_.wait_for(lock, seconds(60), [&] { return once_.contains(device); });
    return once_.contains(device) ? once_[device] : "no answer";
  }

  void Probe(Lab& lab, std::set<std::string> devices) {
    {
      const std::lock_guard lock(mutex_);
      probed_ = {devices.begin(), devices.end()};
      probed_set_ = std::move(devices);
    }
    probe_ = std::thread([this, &lab] { GoRound(lab); });
  }
  void StopProbing() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
    if (probe_.joinable()) probe_.join();
  }
  std::map<std::string, int> sessions;  // held, by device
  std::vector<std::string> refusals;

 private:
  void GoRound(Lab& lab) {
    std::unique_lock lock(mutex_);
    std::size_t next = 0;
    while (!over_) {
      changed_.wait(lock, [this] { return over_ || open_ < kAtOnce; });
      if (over_) return;
      ++open_;
      const std::string& device = probed_[next++ % probed_.size()];
      lock.unlock();
      lab.SendTo("devices", {{"cmd", "session"}, {"device", device}});
      lock.lock();
      changed_.wait_for(lock, kBetweenSessions, [this] { return over_; });
    }
  }
  void Session(const json& event) {
    const std::string device = event.at("device"), reason = event.value("reason", "");
    if (!probed_set_.contains(device)) {
      once_[device] = reason;
      return;
    }
    --open_;
    if (event.value("ok", false)) ++sessions[device];
    if (!event.value("ok", false)) refusals.push_back(device + ": " + reason);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::string> asp_of_, once_;
  std::set<std::string> done_, probed_set_;
  std::map<std::pair<std::string, std::string>, int> told_;
  std::vector<std::string> probed_;
  std::size_t open_ = 0;  // sessions begun and not over
  bool over_ = false;
  std::thread probe_;
};

// Asks the name server for one device's TLSA every tenth of a second.
class Watch {
 public:
  Watch(const Layout& layout, const std::string& device)
      : command_("dig +short +tries=1 +time=2 -p " + std::to_string(layout.authority) + " @" + kAddress +
                 " TLSA " + device + "._device." + kZone),
        thread_([this] { Run(); }) {}
  ~Watch() { Stop(); }
  void Stop() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
  }
  bool WaitChanges(std::size_t wanted, seconds deadline) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, deadline, [&] { return changes >= wanted; });
  }
  std::size_t looks = 0, changes = 0;
  std::vector<std::string> faults;

 private:
  void Run() {
    std::unique_lock lock(mutex_);
    std::set<std::string> before;
    while (!wake_.wait_for(lock, milliseconds(100), [this] { return stopped_; })) {
      const auto answer = Ask();
      if (!answer) continue;  // the machine was too busy for the question
      const std::set<std::string>& now = *answer;
      if (now.empty()) {
        faults.push_back("look " + std::to_string(looks) + ": no TLSA");
      } else if (!before.empty() && now != before) {
        ++changes;
        changed_.notify_all();
        const bool shared =
            std::any_of(now.begin(), now.end(), [&](const auto& one) { return before.contains(one); });
        if (!shared) faults.push_back("look " + std::to_string(looks) + ": all records are new");
      }
      before = now;
      ++looks;
    }
  }
  // nullopt: no answer came, which dig says in a comment.
  std::optional<std::set<std::string>> Ask() const {
    std::set<std::string> records;
    bool answered = true;
    FILE* const pipe = popen(command_.c_str(), "r");
    if (pipe == nullptr) return std::nullopt;
    std::array<char, 512> line{};
    while (std::fgets(line.data(), line.size(), pipe) != nullptr) {
      const std::string text = line.data();
      if (text.starts_with(";")) answered = false;
      if (text.starts_with("3 ")) records.insert(text);
    }
    pclose(pipe);
    return answered ? std::optional(records) : std::nullopt;
  }

  const std::string command_;
  std::mutex mutex_;
  std::condition_variable wake_, changed_;
  bool stopped_ = false;
  std::thread thread_;
};

// Each has renewed twice by the registry's own record, which no repeated notification counts in.
void ExpectRenewedTwice(const ledger::LedgerReader& reader, const std::set<std::string>& devices) {
  for (const std::string& device : devices) {
    const auto history = reader.HistoryOf(*DeviceId::Parse(device));
    ASSERT_TRUE(history);
    const auto renewed = std::count_if(history->begin(), history->end(), [](const auto& record) {
      return record.entry.what.starts_with("renewed ");
    });
    EXPECT_GE(renewed, 2) << device;
  }
}

TEST(RenewalLab, TwoHundredDevicesRenewTwiceWhileEachOfThemWorksAtEveryMoment) {
  Heard heard;
  LabOptions options;
  options.devices = kDevices;
  options.retry_first_seconds = 3;
  options.validity_seconds = kValidity;
  options.on_event = [&heard](const std::string& program, const json& event) { heard.Hear(program, event); };
  const auto whole = test::NewWholeLab(std::move(options));
  ASSERT_NE(whole, nullptr);
  Lab& lab = *whole;
  const std::shared_ptr<void> probing(nullptr, [&heard](void*) { heard.StopProbing(); });  // it uses the lab
  ASSERT_TRUE(heard.Wait([](Heard& all) { return all.done() == kDevices; }, kPatience));

  std::set<std::string> devices = heard.Devices();
  const std::string lost = *devices.begin(), compromised = *std::next(devices.begin());
  const std::string watched = *std::next(devices.begin(), 2);
  devices.erase(lost);
  devices.erase(compromised);
  ASSERT_TRUE(lab.SendTo("devices", {{"cmd", "radio"}, {"device", lost}, {"on", false}}));
  ASSERT_TRUE(heard.WaitTold(lost, "radio", 1, seconds(30)));
  Watch watch(lab.layout(), watched);
  heard.Probe(lab, devices);

  // The old key is of no use from the reply on, whatever the device does; then it has another.
  lab.SendTo(heard.AspOf(compromised),
             {{"cmd", "rekey"}, {"device", compromised}, {"reason", "keyCompromise"}});
  ASSERT_TRUE(heard.WaitTold(compromised, "rekeyed", 1, seconds(30)));

  EXPECT_TRUE(heard.Wait([](Heard& all) { return all.LeastRenewed() >= 1; }, kPatience));
  lab.Kill("registryd");
  ASSERT_TRUE(lab.Restart("registryd"));
  EXPECT_TRUE(heard.WaitTold(lost, "device.expired", 1, kPatience)) << "nobody reached it";
  EXPECT_EQ(heard.AskOnce(lab, lost).substr(0, 7), "refused");
  EXPECT_TRUE(lab.SendTo("devices", {{"cmd", "radio"}, {"device", lost}, {"on", true}}));
  EXPECT_TRUE(heard.Wait([](Heard& all) { return all.LeastRenewed() >= 2; }, kPatience));
  EXPECT_TRUE(heard.WaitTold(lost, "device.renewed", 1, kPatience)) << "it is reached again";
  EXPECT_EQ(heard.AskOnce(lab, lost), "");
  EXPECT_EQ(heard.AskOnce(lab, compromised), "") << "it has another key";
  EXPECT_TRUE(watch.WaitChanges(4, kPatience)) << "each renewal adds a record and takes one";
  heard.StopProbing();
  watch.Stop();
  const auto failure = lab.TakeFailure();
  EXPECT_FALSE(failure) << *failure;
  const std::string ledger_folder = lab.layout().Registry("ledger");
  lab.Stop();

  EXPECT_THAT(heard.refusals, testing::IsEmpty());
  EXPECT_EQ(heard.sessions.size(), devices.size()) << "each of them was probed";
  EXPECT_THAT(watch.faults, testing::IsEmpty());
  RecordProperty("looks", static_cast<int>(watch.looks));
  const auto reader = ledger::OpenRocksDbReader(ledger_folder, lab.layout().In("verify"));
  ASSERT_TRUE(reader) << reader.error().message;
  const auto report = ledger::Verify(**reader);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_THAT(report->faults, testing::IsEmpty());
  ExpectRenewedTwice(**reader, devices);
}

}  // namespace
}  // namespace registry::lab
