// A changed endpoint reaches every device that uses it, through a registryd that is killed in the middle: real servers,
// simulated MNOs and devices, and an ASP that publishes.
#include <gmock/gmock.h>

#include <condition_variable>
#include <mutex>

#include "tests/integration/orders/lab_party.h"
#include "tests/support/test_lab.h"

namespace registry::test {
namespace {

using testing::SizeIs;

// Half of them are asp-a's.
int Devices() {
  const char* const asked = std::getenv("REGISTRY_ENDPOINT_DEVICES");  // for a longer run by hand
  return asked != nullptr ? std::atoi(asked) : 400;
}
constexpr std::chrono::seconds kAllWithin{240};

// What the simulators say, counted.
class Heard {
 public:
  void Hear(const std::string& program, const json& event) {
    const std::lock_guard lock(mutex_);
    const std::string what = event.value("event", "");
    if (program == "asp-a" && what == "step" && event.at("step") == "activated")
      ours_.insert(event.at("device"));
    if (what == "step" && event.at("step") == "payload_open" && event.at("ok") == true)
      ++opened_[event.at("device")];
    changed_.notify_all();
  }
  // Devices of asp-a, once `count` are active.
  std::set<std::string> Active(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kAllWithin, [&] { return ours_.size() >= count; });
    return ours_;
  }
  // How many payloads each has taken, once every one of these has taken `times`.
  std::map<std::string, int> Opened(const std::set<std::string>& devices, int times) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kAllWithin, [&] {
      return std::all_of(devices.begin(), devices.end(),
                         [&](const std::string& device) { return opened_[device] >= times; });
    });
    return opened_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> ours_;
  std::map<std::string, int> opened_;
};

json ChangedEndpoint(const lab::Layout& layout, const std::string& name) {
  const std::string host = layout.AspHost("asp-a"), port = std::to_string(layout.asp_tls[0]);
  return {{"name", name},
          {"fqdn", host},
          {"url", "tls://" + host + ":" + port + "/v2"},
          {"port", layout.asp_tls[0]},
          {"protocol", "tls"},
          {"trust", {{"kind", "tlsa"}, {"tlsaOwner", layout.TlsaOwner(0)}}}};
}

TEST(EndpointLab, AChangeReachesEveryDeviceThoughTheRegistryIsKilled) {
  Heard heard;
  lab::LabOptions options;
  options.devices = Devices();
  options.check_share = 0;
  options.on_event = [&heard](const std::string& program, const json& event) { heard.Hear(program, event); };
  const auto whole = NewWholeLab(std::move(options));
  ASSERT_NE(whole, nullptr);
  lab::Lab& lab = *whole;
  const std::size_t ours = static_cast<std::size_t>(Devices()) / 2;
  const auto devices = heard.Active(ours);
  ASSERT_THAT(devices, SizeIs(ours));

  Party asp(lab.layout(), "asp-a"), other(lab.layout(), "asp-b");
  const json listed = asp.Ask("endpoint.list", json::object()).data.at("endpoints");
  ASSERT_THAT(listed, SizeIs(1));
  const std::string name = listed[0].at("endpoint");
  EXPECT_EQ(asp.Ask("endpoint.withdraw", {{"name", name}}).symbol(), "endpoint_in_use");
  const auto begun = std::chrono::steady_clock::now();
  const auto seconds_since = [&begun] {
    return static_cast<int>((std::chrono::steady_clock::now() - begun) / std::chrono::seconds(1));
  };
  const auto published = asp.Ask("endpoint.publish", {{"endpoint", ChangedEndpoint(lab.layout(), name)}});
  ASSERT_TRUE(published.accepted) << published.data.dump();
  const std::string order = published.data.at("order");
  EXPECT_TRUE(asp.HearsProgress(order));
  lab.Kill("registryd");
  const auto restarted = lab.Restart("registryd");
  ASSERT_TRUE(restarted) << restarted.error().message;

  const json done = asp.Ended(order);
  EXPECT_EQ(done.at("done"), ours) << done.dump();
  EXPECT_EQ(done.at("kind"), "reprovision");
  EXPECT_EQ(done.at("state"), "done");
  RecordProperty("devices", static_cast<int>(ours));
  RecordProperty("order_seconds", seconds_since());
  const auto opened = heard.Opened(devices, 2);
  RecordProperty("delivered_seconds", seconds_since());
  for (const auto& [device, times] : opened) EXPECT_EQ(times, devices.contains(device) ? 2 : 1) << device;
  EXPECT_FALSE(other.Ask("order.get", {{"order", order}}).accepted);
  const auto failure = lab.TakeFailure();
  EXPECT_FALSE(failure) << *failure;
  lab.Stop();
}

}  // namespace
}  // namespace registry::test
