#include "tests/integration/conformance/scripted_devices.h"

#include "schemas/base/check.h"
#include "tests/support/csr_maker.h"

namespace registry::test {

using nlohmann::json;
using std::chrono::seconds;

ScriptedDevice::ScriptedDevice(const std::string& radio_socket, const std::string& iccid,
                               const std::string& eid) {
  auto radio = sim::Dial(
      radio_socket, seconds(10), [this](const auto& from, const json& frame) { Hear(from, frame); }, nullptr);
  REG_CHECK(radio.ok());
  radio_ = *radio;
  radio_->Send({{"t", "power_on"}, {"iccid", iccid}, {"eid", eid}}, seconds(1));
}

ScriptedDevice::~ScriptedDevice() { radio_->Finish(); }

void ScriptedDevice::Hear(const std::shared_ptr<sim::Connection>& from, const json& frame) {
  const std::string type = frame.value("t", "");
  json answer;
  if (type == "key_generate") {
    answer = {{"t", "csr"}, {"csr", ToPem("CERTIFICATE REQUEST", MakeCsr({}))}};
  } else if (type == "payload") {
    answer = InstallOf(frame);
  } else if (type == "wipe") {
    answer = {{"t", "wiped"}, {"outcome", "success"}};
  } else if (type == "profile_delete") {
    answer = {{"t", "profile_done"}, {"outcome", "success"}};
  } else {
    return;
  }
  answer["iccid"] = frame.at("iccid");
  answer["job"] = frame.at("job");
  from->Send(answer, seconds(1));
}

json ScriptedDevice::InstallOf(const json& frame) {
  const auto version = frame.at("version").get<std::uint64_t>();
  json answer{{"t", "payload_result"}, {"outcome", "success"}, {"retriable", false}};
  if (version <= installed_)
    answer.update({{"outcome", "failed"}, {"stage", "payload"}, {"reason", "payload_replayed"}});
  installed_ = std::max(installed_, version);
  return answer;
}

}  // namespace registry::test
