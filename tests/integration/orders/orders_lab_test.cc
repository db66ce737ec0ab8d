// Orders over hundreds of devices of a registryd that runs, through the real broker and into the real ledger: a dry run,
// somebody else's order, a pause, a registryd that is killed in the middle, and every device taken once.
#include <gmock/gmock.h>

#include <map>
#include <set>

#include "schemas/base/check.h"
#include "simulators/lab/lab.h"
#include "simulators/lab/process.h"
#include "tests/support/contract.h"
#include "tests/support/main_endpoint.h"
#include "tests/support/raw_mqtt.h"

namespace registry::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::size_t kDevices = 240;
constexpr std::size_t kAtOnce = 40;  // commands without a reply yet
constexpr seconds kPatience{90};

// One party over one connection: what it is told and has not asked for is kept.
class Party {
 public:
  struct Reply {
    bool accepted = false;
    json data;
    std::string symbol() const { return data.value("symbol", ""); }
  };

  Party(const lab::Layout& layout, std::string name)
      : name_(std::move(name)),
        client_({layout.mqtt, layout.BrokerCa(), layout.PartyCertificate(name_), layout.PartyKey(name_),
                 name_ + "-orders"}) {
    EXPECT_TRUE(client_.connected());
    EXPECT_TRUE(client_.Subscribe("registry/v1/to/" + name_ + "/#"));
  }

  Reply Ask(const std::string& command, const json& data) { return AskAll(command, {data}).at(0); }

  // In the order of `all`.
  std::vector<Reply> AskAll(const std::string& command, const std::vector<json>& all) {
    std::vector<std::string> ids;
    for (std::size_t heard = 0; heard < all.size(); ++heard) {
      while (ids.size() < all.size() && ids.size() < heard + kAtOnce)
        ids.push_back(Say(command, all[ids.size()]));
      if (!WaitFor([&] { return replies_.contains(ids[heard]); })) break;
    }
    std::vector<Reply> replies;
    for (const std::string& id : ids) replies.push_back(replies_[id]);
    replies.resize(all.size());
    return replies;
  }

  // The one notification of an order's end.
  json Ended(const std::string& order) {
    const auto of_order = [&]() -> const json* {
      for (const json& event : events_) {
        if (event.at("type") == "registry.v1.event.order.done" && event.at("data").at("order") == order)
          return &event.at("data");
      }
      return nullptr;
    };
    EXPECT_TRUE(WaitFor([&] { return of_order() != nullptr; })) << "order " << order << " does not end";
    return of_order() == nullptr ? json::object() : *of_order();
  }

  // What is told again after a kill has the id it had, and counts once.
  std::map<std::string, std::set<std::string>> Deactivated() {
    std::map<std::string, std::set<std::string>> ids;
    for (const json& event : events_) {
      if (event.at("type") == "registry.v1.event.device.deactivated")
        ids[event.at("data").at("device")].insert(event.at("id"));
    }
    return ids;
  }

 private:
  std::string Say(const std::string& command, const json& data) {
    const std::string id = "orders-" + std::to_string(++last_);
    const json envelope = {{"specversion", "1.0"},
                           {"id", id},
                           {"source", name_},
                           {"type", "registry.v1." + command},
                           {"data", data}};
    EXPECT_EQ(client_.Publish("registry/v1/from/" + name_ + "/" + command, envelope.dump()), 0);
    return id;
  }

  template <class Condition>
  bool WaitFor(const Condition& holds) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (!holds()) {
      if (std::chrono::steady_clock::now() > until) return false;
      if (const auto message = client_.Next(seconds(1))) Hear(*message);
    }
    return true;
  }

  void Hear(const RawMessage& message) {
    ExpectContract(message.payload);
    json envelope = json::parse(message.payload);
    const bool accepted = message.topic.ends_with("/accepted");
    if (accepted || message.topic.ends_with("/rejected")) {
      replies_[envelope.at("cause")] = {accepted, envelope.at("data")};
    } else {
      events_.push_back(std::move(envelope));
    }
  }

  const std::string name_;
  RawMqtt client_;
  std::uint64_t last_ = 0;
  std::map<std::string, Reply> replies_;
  std::vector<json> events_;
};

class OrdersLab : public testing::Test {
 protected:
  void SetUp() override {
    lab::LabOptions options;
    options.program_folder = std::string(REGISTRY_BINARY_DIR) + "/bin";
    options.broker_config_folder = std::string(REGISTRY_SOURCE_DIR) + "/broker-config";
    options.devices = kDevices;
    auto created = lab::Lab::Create(options);
    ASSERT_TRUE(created) << created.error().message;
    lab_ = *std::move(created);
    const auto started = lab_->StartServers();
    ASSERT_TRUE(started) << started.error().message;
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
  json Ctl(std::vector<std::string> words) {
    words.insert(words.begin(), std::string(REGISTRY_BINARY_DIR) + "/bin/registryctl");
    words.insert(words.end(), {"--json", "--ledger", lab_->layout().Registry("ledger")});
    const auto said = lab::RunToEnd(words);
    EXPECT_TRUE(said) << said.error().message;
    return said ? json::parse(*said, nullptr, false) : json();
  }

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
  EXPECT_LT(paused.at("done").get<std::size_t>(), kDevices);
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
