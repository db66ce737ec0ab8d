#include "tests/support/device_session.h"

#include <gtest/gtest.h>

namespace registry::test {

using nlohmann::json;

std::optional<json> SessionAgain(lab::Lab& lab, lab::Heard& heard, const std::string& device,
                                 std::chrono::seconds patience, bool former) {
  const std::string step = former ? "former_session" : "session";
  std::size_t from = heard.size();
  lab.SendTo("devices", {{"cmd", "session"}, {"device", device}, {"former", former}});
  return heard.Wait(
      from,
      [&](const std::string&, const json& event) {
        return event.value("step", "") == step && event.value("again", false) &&
               event.value("device", "") == device;
      },
      patience);
}

std::set<std::string> DevicesDone(lab::Heard& heard, std::size_t& from, std::size_t count,
                                  std::chrono::seconds patience) {
  std::set<std::string> devices;
  while (devices.size() < count) {
    const auto done = heard.Wait(
        from, [](const std::string&, const json& event) { return event.value("event", "") == "done"; },
        patience);
    const bool good = done && done->value("ok", false);
    EXPECT_TRUE(good) << (done ? done->dump() : "nothing heard");
    if (!good) break;
    devices.insert(done->at("device"));
  }
  return devices;
}

}  // namespace registry::test
