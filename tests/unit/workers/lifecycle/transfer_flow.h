// tests/unit/workers/lifecycle/transfer_flow.h: an active device of mno-a and asp-a that asp-b or mno-b is about to get.
#pragma once

#include <gtest/gtest.h>

#include "tests/unit/workers/lifecycle/flow.h"
#include "workers/domain/standing.h"

namespace registry::test {

class TransferTest : public testing::Test {
 protected:
  TransferTest() : TransferTest(TestRegistry::Setup{}) {}
  explicit TransferTest(TestRegistry::Setup setup) : registry_(std::move(setup)) {
    registry_.PublishEndpoint("asp-b", "new");
    device_ = registry_.Activate();
    registry_.ServeZone();
    HearAll();
  }

  Said Ask(const std::string& party, const std::string& command, const json& data) {
    return registry_.Ask(party, command, data);
  }
  std::string Code(const std::string& setter) {
    const Said said = Ask(setter, "authorisation.set", {{"device", device_}, {"purpose", "transfer"}});
    if (!said.accepted()) ADD_FAILURE() << said.payload;
    return said.accepted() ? said.data().at("authorisationCode").get<std::string>() : "none";
  }
  Said RequestByAsp(const std::string& code, const std::string& asp = "asp-b",
                    const std::string& endpoint = "new") {
    return Ask(asp, "transfer.request",
               {{"device", device_}, {"authorisationCode", code}, {"endpoint", endpoint}});
  }
  // Asked for by asp-b, with a code of asp-a's.
  std::string Requested() {
    const Said said = RequestByAsp(Code("asp-a"));
    if (!said.accepted()) ADD_FAILURE() << said.payload;
    return said.accepted() ? said.data().at("transfer").get<std::string>() : "none";
  }
  std::string Approved() {
    const std::string transfer = Requested();
    EXPECT_TRUE(Ask("asp-a", "transfer.approve", {{"transfer", transfer}}).accepted());
    return transfer;
  }

  domain::Device Device() { return registry_.Device(device_); }
  std::string State() { return std::string(domain::TransferStateName(Device().transfer->state)); }
  std::vector<Said> Events(const std::string& party, const std::string& type) {
    return registry_.Heard("registry/v1/to/" + party + "/event/" + type);
  }
  void HearAll() {
    for (const char* party : {"asp-a", "asp-b", "mno-a", "mno-b", "operator"}) (void)Events(party, "");
    (void)registry_.Heard(kActions);
  }
  std::vector<domain::Job> Jobs(domain::JobKind kind) {
    auto jobs = registry_.ledger().JobsOf(*DeviceId::Parse(device_));
    REG_CHECK(jobs.ok());
    std::erase_if(*jobs, [kind](const domain::Job& job) { return job.kind != kind; });
    return *jobs;
  }
  bool Holds(domain::DeviceStatus status) { return Device().statuses.contains(status); }

  TestRegistry registry_;
  std::string device_;
};

}  // namespace registry::test
