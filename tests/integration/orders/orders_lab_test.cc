// Orders over hundreds of devices of a registryd that runs, through the real broker and into the real ledger: a dry run,
// somebody else's order, a pause, a registryd that is killed in the middle, and every device taken once.
#include <gmock/gmock.h>

#include <map>
#include <set>

#include "schemas/base/check.h"
#include "tests/integration/orders/lab_party.h"
#include "tests/support/main_endpoint.h"
#include "tests/support/test_lab.h"

namespace registry::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using testing::IsEmpty;
using testing::SizeIs;

constexpr int kDevices = 240;

class OrdersLab : public testing::Test {
 protected:
  void SetUp() override {
    lab_ = NewLabOfServers({.devices = kDevices});
    ASSERT_NE(lab_, nullptr);
  }

  // Of asp-a, for its endpoint `main`.
  std::set<std::string> ClaimAll(Party& mno, Party& asp) {
    EXPECT_TRUE(asp.Ask("endpoint.publish", {{"endpoint", MainEndpoint()}}).accepted);
    std::vector<json> esims, claims;
    for (const auto& esim : lab_->inventory())
      esims.push_back({{"eid", esim.eid.text()}, {"iccid", esim.iccid.text()}});
    for (const auto& registered : mno.AskAll("esim.register", esims)) {
      EXPECT_TRUE(registered.accepted) << registered.data.dump();
      if (!registered.accepted) return {};
      claims.push_back({{"device", registered.data.at("device")},
                        {"authorisationCode", registered.data.at("authorisationCode")},
                        {"endpoint", "main"}});
    }
    std::set<std::string> devices;
    for (const auto& claimed : asp.AskAll("device.claim", claims))
      EXPECT_TRUE(claimed.accepted) << claimed.data.dump();
    for (const json& claim : claims) devices.insert(claim.at("device"));
    return devices;
  }

  // As an operator reads it beside registryd.
  json Ctl(std::vector<std::string> words) { return Registryctl(*lab_, std::move(words)); }

  std::unique_ptr<lab::Lab> lab_;
};

json Selection(bool dry_run, int rate) {
  return {{"kind", "deactivate"}, {"selection", {{"endpoint", "main"}}}, {"rate", rate}, {"dryRun", dry_run}};
}

TEST_F(OrdersLab, HundredsOfDevicesAreTakenOnceThroughPauseAndKill) {
  Party mno(lab_->layout(), "mno-a"), asp(lab_->layout(), "asp-a"), other(lab_->layout(), "asp-b");
  const auto devices = ClaimAll(mno, asp);
  ASSERT_THAT(devices, SizeIs(kDevices));

  const std::string dry = asp.Ask("order.start", Selection(true, 500)).data.at("order");
  const json would = asp.Ended(dry);
  EXPECT_EQ(would.at("done"), kDevices);
  EXPECT_EQ(would.at("dryRun"), true);
  EXPECT_THAT(Ctl({"device", "list", "--state", "deactivated"}), IsEmpty());
  EXPECT_THAT(Ctl({"order", "report", dry}), SizeIs(kDevices));
  EXPECT_THAT(asp.Deactivated(), IsEmpty());

  EXPECT_EQ(other.Ask("order.pause", {{"order", dry}}).symbol(), "order_unknown");
  const json foreign = {{"kind", "deactivate"}, {"selection", {{"party", "asp-a"}}}};
  EXPECT_EQ(other.Ask("order.start", foreign).symbol(), "selection_foreign");

  const std::string order = asp.Ask("order.start", Selection(false, 60)).data.at("order");
  EXPECT_EQ(asp.Ask("order.pause", {{"order", order}}).data.at("state"), "paused");
  const json paused = asp.Ask("order.get", {{"order", order}}).data;
  EXPECT_LT(paused.at("done").get<int>(), kDevices);
  EXPECT_TRUE(other.Ask("feed.ack", {{"seq", 0}}).accepted);
  EXPECT_EQ(asp.Ask("order.get", {{"order", order}}).data, paused);
  EXPECT_EQ(asp.Ask("order.resume", {{"order", order}}).data.at("state"), "running");
  lab_->Kill("registryd");
  const auto restarted = lab_->Restart("registryd");
  ASSERT_TRUE(restarted) << restarted.error().message;
  EXPECT_TRUE(other.Ask("feed.ack", {{"seq", 0}}).accepted) << "others are served beside an order";

  const json done = asp.Ended(order);
  EXPECT_EQ(done.at("done"), kDevices);
  EXPECT_EQ(done.at("state"), "done");
  std::set<std::string> reported;
  const json report = Ctl({"order", "report", order});
  for (const json& item : report) reported.insert(item.at("device"));
  EXPECT_THAT(report, SizeIs(kDevices));
  EXPECT_EQ(reported, devices);
  const auto told = asp.Deactivated();
  EXPECT_THAT(told, SizeIs(kDevices));
  for (const auto& [device, ids] : told) EXPECT_THAT(ids, SizeIs(1)) << device;
  EXPECT_THAT(Ctl({"device", "list", "--state", "deactivated"}), SizeIs(kDevices));
  EXPECT_THAT(Ctl({"ledger", "verify"}).at("faults"), IsEmpty());
  EXPECT_FALSE(lab_->TakeFailure()) << "no process ended by itself";
}

}  // namespace
}  // namespace registry::test
