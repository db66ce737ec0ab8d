// Devices that go to another ASP and to another MNO, in a lab of real servers: broker, registryd, BIND, Unbound, and the
// simulators of both sides. Each device holds one session after the other with its ASP meanwhile, and none may be refused
// before the transfer is completed. registryd is killed at every step.
#include <gmock/gmock.h>

#include <filesystem>
#include <mutex>
#include <thread>

#include "simulators/lab/heard.h"
#include "simulators/lab/lab.h"
#include "simulators/lab/process.h"

namespace registry::lab {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using testing::IsEmpty;

constexpr int kDevices = 4;  // of each MNO and each ASP one
constexpr seconds kPatience{180};

// One session after the other, each begun when the one before is over.
class Probe {
 public:
  Probe(Lab& lab, Heard& heard, std::string device) : lab_(lab), heard_(heard), device_(std::move(device)) {
    thread_ = std::thread([this] { Run(); });
  }
  ~Probe() { End(); }
  void End() {
    going_ = false;
    if (thread_.joinable()) thread_.join();
  }
  std::vector<std::string> refusals() {
    const std::lock_guard lock(mutex_);
    return refusals_;
  }
  int held() const { return held_; }

 private:
  void Run() {
    std::size_t from = heard_.size();
    while (going_) {
      lab_.SendTo("devices", {{"cmd", "session"}, {"device", device_}});
      const auto session = heard_.Wait(
          from,
          [this](const std::string&, const json& event) {
            return event.value("step", "") == "session" && event.value("again", false) &&
                   event.value("device", "") == device_;
          },
          seconds(30));
      const std::lock_guard lock(mutex_);
      if (session && session->value("ok", false)) {
        ++held_;
      } else {
        refusals_.push_back(session ? session->value("reason", "?") : "no answer");
      }
    }
  }

  Lab& lab_;
  Heard& heard_;
  const std::string device_;
  std::atomic<bool> going_{true};
  std::atomic<int> held_{0};
  std::mutex mutex_;
  std::vector<std::string> refusals_;
  std::thread thread_;
};

class TransfersLab : public testing::Test {
 protected:
  void SetUp() override {
    LabOptions options;
    options.program_folder = std::string(REGISTRY_BINARY_DIR) + "/bin";
    options.broker_config_folder = std::string(REGISTRY_SOURCE_DIR) + "/broker-config";
    options.devices = kDevices;
    options.retry_first_seconds = 2;
    options.on_event = [this](const std::string& program, const json& event) { heard_.Hear(program, event); };
    auto created = Lab::Create(options);
    ASSERT_TRUE(created) << created.error().message;
    lab_ = std::move(*created);
    ASSERT_TRUE(lab_->StartServers());
    ASSERT_TRUE(lab_->StartSimulators());
    std::size_t from = 0;
    for (int i = 0; i < kDevices; ++i) {
      const auto done = heard_.Wait(
          from, [](const std::string&, const json& event) { return event.value("event", "") == "done"; },
          kPatience);
      ASSERT_TRUE(done && done->value("ok", false)) << "device " << i;
    }
  }
  void TearDown() override {
    const auto failure = lab_->TakeFailure();
    EXPECT_FALSE(failure) << *failure;
    lab_->Stop();
    if (!HasFailure()) std::filesystem::remove_all(lab_->layout().folder);
  }

  // The device that this MNO sponsors and this ASP has claimed.
  std::string DeviceOf(const std::string& mno, const std::string& asp) {
    for (const json& device : Ctl("device list")) {
      if (device.at("sponsor") == mno && device.at("claimer") == asp) return device.at("device");
    }
    ADD_FAILURE() << "no device of " << mno << " and " << asp;
    return "";
  }
  json Ctl(const std::string& words) {
    const std::string registryctl = std::string(REGISTRY_BINARY_DIR) + "/bin/registryctl";
    const auto ran =
        RunToEnd({"bash", "-c",
                  registryctl + " " + words + " --json --ledger '" + lab_->layout().Registry("ledger") + "'"},
                 {}, seconds(60));
    EXPECT_TRUE(ran) << words << ": " << (ran ? "" : ran.error().message);
    return ran ? json::parse(*ran, nullptr, false) : json();
  }
  void KillRegistry(const std::string& when) {
    SCOPED_TRACE(when);
    lab_->Kill("registryd");
    const auto restarted = lab_->Restart("registryd");
    ASSERT_TRUE(restarted) << restarted.error().message;
  }
  void Give(const std::string& from, const std::string& to, const std::string& device) {
    ASSERT_TRUE(lab_->SendTo(from, {{"cmd", "give"}, {"device", device}, {"to", to}}));
  }
  template <class Wanted>
  void Await(std::size_t& from, const Wanted& wanted, const std::string& what) {
    EXPECT_TRUE(heard_.Wait(from, wanted, kPatience)) << what << " does not come";
  }
  json Transfer(const std::string& device) { return Ctl("device show " + device).at("transfer"); }

  Heard heard_;
  std::unique_ptr<Lab> lab_;
};

TEST_F(TransfersLab, ADeviceGoesToAnotherAspAndHoldsItsSessionsAllTheTime) {
  const std::string device = DeviceOf("mno-a", "asp-a");
  Probe probe(*lab_, heard_, device);
  std::size_t from = heard_.size();
  Give("asp-a", "asp-b", device);
  Await(from, Notified("asp-a", "transfer.requested", device), "transfer.requested");
  KillRegistry("requested");
  Await(from, Notified("asp-b", "transfer.completed", device), "transfer.completed");
  KillRegistry("completed");
  // To its new ASP, at least one more.
  const int before = probe.held();
  std::size_t later = heard_.size();
  Await(
      later,
      [&](const std::string& who, const json& event) {
        return who == "asp-b" && event.value("step", "") == "asp_check" && event.value("ok", false) &&
               event.value("device", "") == device;
      },
      "a session with the gaining ASP");
  probe.End();
  EXPECT_THAT(probe.refusals(), IsEmpty());
  EXPECT_GT(probe.held(), before);
  EXPECT_EQ(Transfer(device).at("state"), "completed");
  EXPECT_EQ(Ctl("device show " + device).at("claimer"), "asp-b");
}

TEST_F(TransfersLab, ADeviceGoesToAnotherMnoWhileRegistrydIsKilledAtEveryStep) {
  const std::string device = DeviceOf("mno-a", "asp-a");
  const std::string old = Ctl("device show " + device).at("certificate").at("serial");
  Probe probe(*lab_, heard_, device);
  std::size_t from = heard_.size();
  const auto profile = [&](const char* what) {
    return [&device, what](const std::string&, const json& event) {
      return event.value("event", "") == what && event.value("device", "") == device &&
             event.value("ok", false);
    };
  };
  const auto step = [&](const char* name) {
    return [&device, name](const std::string& who, const json& event) {
      return who == "devices" && event.value("step", "") == name && event.value("device", "") == device &&
             !event.value("again", false);
    };
  };
  Give("mno-a", "mno-b", device);
  Await(from, Notified("mno-a", "transfer.requested", device), "transfer.requested");
  KillRegistry("requested");
  Await(from, profile("profile_enable"), "profile.enable");
  KillRegistry("enabled");
  Await(from, step("key_generate"), "key.generate");
  KillRegistry("key made");
  Await(from, step("install"), "the certificate");
  KillRegistry("certified");
  Await(from, step("payload_open"), "payload.push");
  KillRegistry("delivered");
  Await(from, profile("profile_disable"), "profile.disable");
  KillRegistry("disabled");
  Await(from, profile("profile_delete"), "profile.delete");
  KillRegistry("deleted");
  Await(from, Notified("mno-b", "transfer.completed", device), "transfer.completed");
  probe.End();
  EXPECT_THAT(probe.refusals(), IsEmpty());
  EXPECT_GT(probe.held(), 10);
  const json shown = Ctl("device show " + device);
  EXPECT_EQ(shown.at("transfer").at("state"), "completed");
  EXPECT_EQ(shown.at("sponsor"), "mno-b");
  ASSERT_EQ(shown.at("credentials").size(), 1u);
  EXPECT_NE(shown.at("credentials")[0].at("serial"), old);
  const json verified = Ctl("ledger verify");
  EXPECT_EQ(verified.value("faults", json::array()), json::array());
}

TEST_F(TransfersLab, AStepThatFailsLeavesTheDeviceWithItsMnoAndItsSessions) {
  const std::string device = DeviceOf("mno-a", "asp-b");
  Probe probe(*lab_, heard_, device);
  for (const char* action : {"profile.enable", "key.generate", "payload.push"}) {
    SCOPED_TRACE(action);
    std::size_t from = heard_.size();
    lab_->SendTo("mno-b", {{"cmd", "fail"}, {"action", action}, {"on", true}});
    Give("mno-a", "mno-b", device);
    Await(from, Notified("mno-a", "transfer.failed", device), "transfer.failed");
    lab_->SendTo("mno-b", {{"cmd", "fail"}, {"action", action}, {"on", false}});
    EXPECT_EQ(Transfer(device).at("state"), "failed");
    EXPECT_EQ(Ctl("device show " + device).at("sponsor"), "mno-a");
    // Until both MNOs have undone what was begun, another transfer is refused.
    const auto idle = [&] { return Ctl("device show " + device).at("jobs").empty(); };
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (!idle() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  }
  probe.End();
  EXPECT_THAT(probe.refusals(), IsEmpty());
  EXPECT_GT(probe.held(), 10);
}

}  // namespace
}  // namespace registry::lab
