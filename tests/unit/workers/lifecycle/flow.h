// tests/unit/workers/lifecycle/flow.h: the steps of an activation, one sentence each, over a TestRegistry whose
// sponsor is mno-a and whose claimer is asp-a.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/device_key.h"
#include "tests/support/test_registry.h"

namespace registry::test {

using nlohmann::json;

inline constexpr const char* kActions = "registry/v1/to/mno-a/do/";
inline constexpr const char* kMnoFailures = "registry/v1/to/mno-a/event/device.failed";
inline constexpr const char* kAspFailures = "registry/v1/to/asp-a/event/device.failed";

inline Said Claim(TestRegistry& registry, const TestRegistry::Registered& device,
                  const std::string& asp = "asp-a", const std::string& endpoint = "main") {
  return registry.Ask(
      asp, "device.claim",
      {{"device", device.device}, {"authorisationCode", device.code}, {"endpoint", endpoint}});
}
inline Said Attach(TestRegistry& registry, const std::string& device) {
  return registry.Ask("mno-a", "device.attach", {{"device", device}});
}

// Claimed, attached and certified; DNS does not show it yet.
inline std::string Certified(TestRegistry& registry) {
  registry.PublishEndpoint();
  const auto device = registry.Register();
  REG_CHECK(Claim(registry, device).accepted() && Attach(registry, device.device).accepted());
  REG_CHECK(
      registry.Ask("mno-a", "csr.submit", {{"device", device.device}, {"csr", NewCsrPem()}}).accepted());
  return device.device;
}
inline std::string Published(TestRegistry& registry) {
  const std::string device = Certified(registry);
  registry.ServeZone();
  return device;
}

inline domain::Job OnlyJob(TestRegistry& registry, const std::string& device) {
  const auto jobs = registry.ledger().JobsOf(*DeviceId::Parse(device));
  REG_CHECK(jobs.ok() && jobs->size() == 1);
  return jobs->front();
}
inline domain::Job JobOf(TestRegistry& registry, const std::string& device, domain::JobKind kind) {
  const auto jobs = registry.ledger().JobsOf(*DeviceId::Parse(device));
  REG_CHECK(jobs.ok());
  const auto job =
      std::find_if(jobs->begin(), jobs->end(), [kind](const domain::Job& it) { return it.kind == kind; });
  REG_CHECK(job != jobs->end());
  return *job;
}

inline Said Report(TestRegistry& registry, const domain::Job& job, const json& what,
                   const std::string& mno = "mno-a") {
  json data = {{"job", job.id.text()}, {"device", job.device().text()}};
  data.update(what);
  return registry.Ask(mno, data.contains("progress") ? "do.progress" : "do.result", data);
}

inline std::vector<std::string> HistoryOf(TestRegistry& registry, const DeviceId& device) {
  std::vector<std::string> what;
  for (const auto& record : *registry.ledger().HistoryOf(device)) what.push_back(record.entry.what);
  return what;
}
inline std::vector<std::string> HistoryOf(TestRegistry& registry, const std::string& device) {
  return HistoryOf(registry, *DeviceId::Parse(device));
}

}  // namespace registry::test
