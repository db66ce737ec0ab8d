// The MNO simulator is asked by the conformance program, as it is and with each of its faults.
#include <gmock/gmock.h>

#include <atomic>

#include "simulators/mno/mno_sim.h"
#include "tests/integration/conformance/conformance_lab.h"
#include "tests/integration/conformance/scripted_devices.h"

namespace registry::test {
namespace {

using conformance::ConformanceRun;
using conformance::Finding;
using sim::ProtocolFault;
using std::chrono::milliseconds;
using testing::IsEmpty;

constexpr const char* kIccid = "8910390000000000000";
constexpr const char* kEid = "89049032123451234512345678901235";

ConformanceRun AskMno(sim::ProtocolFaults faults) {
  static std::atomic<int> runs{0};
  sim::Report report([](const nlohmann::json&) {});
  std::unique_ptr<sim::MnoSim> mno;
  std::unique_ptr<ScriptedDevice> device;
  conformance::RunOptions options = QuickRun("mno", "mno-a");
  options.listening = [&](std::uint16_t port) {
    sim::MnoConfig config;
    config.mqtt = QuickClient("mno-a", port, faults);
    config.radio_socket = ConformanceLab().socket_folder + "/conformance-" + std::to_string(++runs);
    config.inventory.push_back({Iccid::Parse(kIccid).value(), Eid::Parse(kEid).value(), "asp-a"});
    config.repeat_after = milliseconds(500);
    config.gap_patience = milliseconds(300);
    auto started = sim::MnoSim::Start(config, report);
    REG_CHECK(started.ok());
    mno = std::move(*started);
    device = std::make_unique<ScriptedDevice>(config.radio_socket, kIccid, kEid);
  };
  auto run = RunConformance(options);
  device.reset();
  mno.reset();
  if (run) return *std::move(run);
  ConformanceRun none;
  none.trouble = run.error().message;
  return none;
}

TEST(MnoConformance, TheSimulatorPassesEveryCase) {
  const ConformanceRun run = AskMno({});
  EXPECT_TRUE(run.Good()) << FailuresOf(run);
  EXPECT_EQ(run.trouble, "");
  EXPECT_THAT(CasesThat(run, Finding::kNotRun), IsEmpty());
  EXPECT_EQ(ClausesThat(run, Finding::kNotObservable), (std::set<std::string>{"J8", "P16"}));
  EXPECT_EQ(ClausesThat(run, Finding::kNotCovered), (std::set<std::string>{"J10", "P18"}));
}

TEST(MnoConformance, EverySeededFaultIsFoundByItsCaseAndByNoOtherClause) {
  std::vector<SeededFault> faults = FaultsOfEither();
  const std::vector<SeededFault> own = {
      {ProtocolFault::kJobDoneTwice, "key-again", {"J3"}},
      {ProtocolFault::kJobForgotten, "payload-again", {"J3"}},
      {ProtocolFault::kOtherJob, "payload", {"J1"}},
      {ProtocolFault::kLateWipeDone, "late-wipe", {"J5"}},
      {ProtocolFault::kUnknownActionIgnored, "unknown-action", {"J4"}},
      {ProtocolFault::kOldCsr, "new-key", {"J7"}},
      {ProtocolFault::kRefusedCsrKept, "refused-csr", {"J11"}},
  };
  faults.insert(faults.end(), own.begin(), own.end());
  ExpectEachFound(faults, faults.size(), AskMno);
}

}  // namespace
}  // namespace registry::test
