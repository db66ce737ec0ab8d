// The ASP simulator is asked by the conformance program, as it is and with each of its faults.
#include <gmock/gmock.h>

#include <atomic>

#include "simulators/asp/asp.h"
#include "simulators/link/frames.h"
#include "tests/integration/conformance/conformance_lab.h"

namespace registry::test {
namespace {

using conformance::ConformanceRun;
using conformance::Finding;
using sim::ProtocolFault;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::IsEmpty;

sim::AspConfig QuickAsp(std::uint16_t port, const sim::ProtocolFaults& faults) {
  static std::atomic<int> runs{0};
  sim::AspConfig config;
  config.mqtt = QuickClient("asp-a", port, faults);
  config.gap_patience = milliseconds(300);
  config.feed_tick = milliseconds(50);
  config.desk_socket = ConformanceLab().socket_folder + "/conformance-desk-" + std::to_string(++runs);
  config.endpoint.name = *EndpointName::Parse("gateway");
  config.endpoint.fqdn = "mqtt.asp-a.test";
  config.endpoint.url = "tls://mqtt.asp-a.test:8884";
  config.endpoint.port = 8884;
  config.endpoint.protocol = "tls";
  config.endpoint.trust.tlsa_owner = "_8884._tcp.mqtt.asp-a.test";
  return config;
}

// The simulator, and how a run reaches it. An ASP waits for its connection when it starts, and its endpoint's reply comes
// later.
class AskedAsp {
 public:
  void Start(std::uint16_t port, const sim::ProtocolFaults& faults) {
    config_ = QuickAsp(port, faults);
    auto asp = sim::Asp::Start(config_, own_, report_);
    REG_CHECK(asp.ok());
    asp_ = std::move(*asp);
  }
  void Claim(const std::string& device) {
    auto desk = sim::Dial(
        config_.desk_socket, seconds(5), [](const auto&, const nlohmann::json&) {}, nullptr);
    REG_CHECK(desk.ok());
    desk_ = *desk;
    const nlohmann::json code{
        {"t", "authorisation"}, {"device", device}, {"code", "code-0123456789-0123456789"}};
    desk_->Send(code, seconds(1));
  }
  bool Serves(const std::string& device) const { return own_.MayTalk(device).ok(); }

 private:
  clients::OwnDevices own_;
  sim::Report report_{[](const nlohmann::json&) {}};
  sim::AspConfig config_;
  std::shared_ptr<sim::Connection> desk_;
  std::unique_ptr<sim::Asp> asp_;
};

ConformanceRun AskAsp(sim::ProtocolFaults faults, bool serves = true) {
  AskedAsp asp;
  conformance::RunOptions options = QuickRun("asp", "asp-a");
  options.listening = [&](std::uint16_t port) { asp.Start(port, faults); };
  options.claim = [&](const std::string& device) { asp.Claim(device); };
  if (serves)
    options.cases.serves = [&](const std::string& device) { return std::optional(asp.Serves(device)); };
  auto run = RunConformance(options);
  if (run) return *std::move(run);
  ConformanceRun none;
  none.trouble = run.error().message;
  return none;
}

TEST(AspConformance, TheSimulatorPassesEveryCase) {
  const ConformanceRun run = AskAsp({});
  EXPECT_TRUE(run.Good()) << FailuresOf(run);
  EXPECT_EQ(run.trouble, "");
  EXPECT_THAT(CasesThat(run, Finding::kNotRun), IsEmpty());
  EXPECT_EQ(ClausesThat(run, Finding::kNotObservable), (std::set<std::string>{"P16"}));
  EXPECT_EQ(ClausesThat(run, Finding::kNotCovered), (std::set<std::string>{"A5", "P18"}));
}

TEST(AspConformance, WithoutAWordOnWhomItServesThoseClausesCannotBeSeen) {
  const ConformanceRun run = AskAsp({}, false);
  EXPECT_TRUE(run.Good()) << FailuresOf(run);
  EXPECT_EQ(ClausesThat(run, Finding::kNotObservable), (std::set<std::string>{"A1", "A2", "A3", "P16"}));
}

TEST(AspConformance, EverySeededFaultIsFoundByItsCaseAndByNoOtherClause) {
  std::vector<SeededFault> faults = FaultsOfEither();
  const std::vector<SeededFault> own = {
      {ProtocolFault::kSuspendedServed, "own-devices", {"A1"}},
      {ProtocolFault::kOrderIgnored, "out-of-order", {"A2"}},
      {ProtocolFault::kTransferIgnored, "transferred", {"A3"}},
  };
  faults.insert(faults.end(), own.begin(), own.end());
  ExpectEachFound(faults, faults.size(), [](const sim::ProtocolFaults& fault) { return AskAsp(fault); });
}

}  // namespace
}  // namespace registry::test
