// A device's standing on real servers, with its session as the judge: held, it is refused, because DNSSEC vouches for its
// certificate no longer; let go, it is welcome again. Disconnected, reconnected and released through the simulators.
#include <gmock/gmock.h>

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <vector>

#include "simulators/lab/lab.h"

namespace registry::lab {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr seconds kPatience{120};

// What the simulators say, kept.
class Heard {
 public:
  struct Event {
    std::string program;
    json said;
  };
  using Which = std::function<bool(const Event&)>;

  void Hear(const std::string& program, const json& event) {
    const std::lock_guard lock(mutex_);
    events_.push_back({program, event});
    changed_.notify_all();
  }
  // The next one that fits behind `from`, which is then its place.
  std::optional<Event> Next(std::size_t& from, const Which& fits, seconds patience = kPatience) {
    std::unique_lock lock(mutex_);
    std::optional<Event> found;
    changed_.wait_for(lock, patience, [&] {
      for (; from < events_.size() && !found; ++from) {
        if (fits(events_[from])) found = events_[from];
      }
      return found.has_value();
    });
    return found;
  }
  std::size_t Now() {
    const std::lock_guard lock(mutex_);
    return events_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Event> events_;
};

class StandingLab : public testing::Test {
 protected:
  void SetUp() override {
    LabOptions options;
    options.program_folder = std::string(REGISTRY_BINARY_DIR) + "/bin";
    options.broker_config_folder = std::string(REGISTRY_SOURCE_DIR) + "/broker-config";
    options.devices = 2;
    options.on_event = [this](const std::string& program, const json& event) { heard_.Hear(program, event); };
    auto created = Lab::Create(options);
    ASSERT_TRUE(created) << created.error().message;
    lab_ = std::move(*created);
    ASSERT_TRUE(lab_->StartServers());
    ASSERT_TRUE(lab_->StartSimulators());
  }
  void TearDown() override {
    if (!lab_) return;
    const auto failure = lab_->TakeFailure();
    EXPECT_FALSE(failure) << *failure;
    lab_->Stop();
    std::filesystem::remove_all(lab_->layout().folder);
  }

  // Of asp-a, when it has had its session.
  std::string ActiveDevice() {
    std::size_t from = 0;
    const auto active = heard_.Next(from, [](const Heard::Event& event) {
      return event.program == "asp-a" && event.said.value("step", "") == "activated";
    });
    if (!active) return {};
    const std::string device = active->said.at("device");
    from = 0;
    const auto done = heard_.Next(from, [&](const Heard::Event& event) { return Is(event, "done", device); });
    return done && done->said.at("ok") == true ? device : std::string();
  }
  static bool Is(const Heard::Event& event, const std::string& what, const std::string& device) {
    return event.said.value("event", "") == what && event.said.value("device", "") == device;
  }

  bool Asp(const std::string& verb, const std::string& answer, const std::string& device) {
    std::size_t from = heard_.Now();
    lab_->SendTo("asp-a", {{"cmd", verb}, {"device", device}});
    const auto said = heard_.Next(from, [&](const Heard::Event& event) { return Is(event, answer, device); });
    EXPECT_TRUE(said && said->said.at("ok") == true) << verb << (said ? said->said.dump() : ": no answer");
    return said && said->said.at("ok") == true;
  }
  // The device has heard of it from its MNO.
  bool ProfileIs(const std::string& what, std::size_t from, const std::string& device) {
    const auto heard = heard_.Next(from, [&](const Heard::Event& event) {
      return Is(event, "profile", device) && event.said.value("what", "") == what;
    });
    return heard.has_value();
  }

  // Sessions, one after the other, until one ends as `wanted`: a cache may hold a record for its TTL.
  bool SessionComesTo(const std::string& device, const std::function<bool(const json& step)>& wanted) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    std::string last = "none";
    while (std::chrono::steady_clock::now() < until) {
      std::size_t from = heard_.Now();
      lab_->SendTo("devices", {{"cmd", "session"}, {"device", device}});
      const auto step = heard_.Next(from, [&](const Heard::Event& event) {
        return Is(event, "step", device) && event.said.value("again", false);
      });
      if (!step) break;
      if (wanted(step->said)) return true;
      last = step->said.dump();
    }
    ADD_FAILURE() << "the last session: " << last;
    return false;
  }
  bool Welcome(const std::string& device) {
    return SessionComesTo(device, [](const json& step) { return step.at("ok") == true; });
  }
  bool Refused(const std::string& device) {
    return SessionComesTo(device, [](const json& step) {
      return step.at("ok") == false && step.value("reason", "").find("tlsa_missing") != std::string::npos;
    });
  }

  Heard heard_;
  std::unique_ptr<Lab> lab_;
};

TEST_F(StandingLab, AHeldDeviceIsRefusedAndAFreeOneIsWelcome) {
  const std::string device = ActiveDevice();
  ASSERT_FALSE(device.empty());
  ASSERT_TRUE(Welcome(device));
  ASSERT_TRUE(Asp("suspend", "suspended", device));
  EXPECT_TRUE(Refused(device));
  ASSERT_TRUE(Asp("resume", "resumed", device));
  EXPECT_TRUE(Welcome(device));

  std::size_t from = heard_.Now();
  ASSERT_TRUE(Asp("disconnect", "disconnected", device));
  EXPECT_TRUE(ProfileIs("disable", from, device));
  from = heard_.Now();
  ASSERT_TRUE(Asp("reconnect", "reconnected", device));
  EXPECT_TRUE(ProfileIs("enable", from, device));
  EXPECT_TRUE(Welcome(device)) << "the profile has nothing to do with its credentials";

  from = heard_.Now();
  ASSERT_TRUE(Asp("release", "released", device));
  std::size_t told = from;
  EXPECT_TRUE(heard_.Next(told, [&](const Heard::Event& event) {
    return event.program == "devices" && Is(event, "released", device);
  })) << "the device has opened a payload that names no ASP";
}

}  // namespace
}  // namespace registry::lab
