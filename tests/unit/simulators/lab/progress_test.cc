#include "simulators/lab/progress.h"

#include <gmock/gmock.h>

#include <sstream>
#include <thread>

#include "simulators/lab/demo_report.h"
#include "simulators/lab/live_line.h"
#include "simulators/lab/run_record.h"
#include "simulators/lab/timeline.h"

namespace registry::lab {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

json Step(const std::string& device, const std::string& step, bool ok = true,
          const std::string& reason = "") {
  return {{"event", "step"}, {"device", device}, {"step", step}, {"ms", 5.0}, {"ok", ok}, {"reason", reason}};
}

void Complete(Progress& progress, const std::string& device) {
  progress.Heard("mno-a", Step(device, "register"));
  progress.Heard("asp-a", Step(device, "activated"));
  progress.Heard("devices", Step(device, "verify"));
  progress.Heard("devices", Step(device, "session"));
  progress.Heard("asp-a", Step(device, "asp_check"));
}

TEST(Parts, EveryProcessCountsForOne) {
  for (const char* const node : {"registryd", "registryd-2", "registryd-3"})
    EXPECT_EQ(PartOf(node), "registry");
  EXPECT_EQ(PartOf("mosquitto"), "broker");
  EXPECT_EQ(PartOf("postgres"), "ledger");
  for (const char* const dns : {"bind", "nsd", "knot", "signing-server", "unbound"})
    EXPECT_EQ(PartOf(dns), "dns");
  for (const char* const simulator : {"mno-sim-a", "asp-sim-a", "device-sim"})
    EXPECT_EQ(PartOf(simulator), "simulators");
}

TEST(ProgressTest, ADeviceIsThroughOnlyWithActiveVerifiedSessionAndTheAspsCheck) {
  Progress progress;
  progress.StartClock();
  progress.Heard("asp-a", Step("d1", "activated"));
  progress.Heard("devices", Step("d1", "verify"));
  progress.Heard("devices", Step("d1", "session"));
  EXPECT_EQ(progress.complete(), 0u);
  EXPECT_FALSE(progress.Wait(1, milliseconds(1), seconds(60), seconds(60)));
  progress.Heard("asp-a", Step("d1", "asp_check"));
  EXPECT_EQ(progress.complete(), 1u);
  EXPECT_TRUE(progress.Wait(1, seconds(10), seconds(60), seconds(60)));
}

TEST(ProgressTest, ADeviceThatChecksNothingIsThroughWhenItIsActiveAndDone) {
  const json done = {{"event", "done"}, {"device", "d1"}, {"ok", true}, {"checked", false}};
  for (const bool active_first : {true, false}) {
    Progress progress;
    progress.StartClock();
    if (active_first) progress.Heard("asp-a", Step("d1", "activated"));
    progress.Heard("devices", done);
    EXPECT_EQ(progress.complete(), active_first ? 1u : 0u);
    progress.Heard("devices", done);
    progress.Heard("asp-a", Step("d1", "activated"));
    EXPECT_EQ(progress.complete(), 1u) << "once";
    const DemoReport report = Summarise(progress, 1);
    EXPECT_TRUE(report.Good());
    EXPECT_EQ(report.checked, 0u);
    EXPECT_EQ(report.steps.at("whole").ms.size(), 1u);
  }
}

TEST(ProgressTest, ARegistrationThatFailedForGoodIsNotWaitedFor) {
  Progress progress;
  progress.StartClock();
  progress.Heard("mno-a", Step("", "register", false, "esim_exists"));
  EXPECT_EQ(progress.given_up(), 1u);
  EXPECT_TRUE(progress.Wait(1, seconds(10), seconds(60), seconds(60)));
}

TEST(ProgressTest, ALaterSuccessHealsAFailureAndNothingIsCountedTwice) {
  Progress progress;
  progress.Heard("devices", Step("d1", "verify", false, "nxdomain"));
  progress.Heard("devices", Step("d1", "verify"));
  progress.Heard("devices", Step("d1", "verify"));
  EXPECT_EQ(progress.counts()["verify"], 1u);
  EXPECT_EQ(progress.series()["verify"].failures, 0u);
  EXPECT_EQ(progress.series()["verify"].ms.size(), 1u);
}

TEST(ProgressTest, SilenceAndDevicesThatGiveUpEndTheWait) {
  Progress progress;
  progress.StartClock();
  EXPECT_TRUE(progress.Wait(2, milliseconds(5), milliseconds(0), seconds(60)));  // silence
  Complete(progress, "d1");
  progress.Heard("devices", {{"event", "done"}, {"device", "d2"}, {"ok", false}});
  EXPECT_TRUE(progress.Wait(2, seconds(10), seconds(60), seconds(60)));
}

TEST(ProgressTest, ARefusalAfterDeactivationIsNoFailureOfTheDevice) {
  Progress progress;
  Complete(progress, "d1");
  progress.Heard("asp-a", {{"event", "deactivated"}, {"device", "d1"}, {"ok", true}});
  json again = Step("d1", "session", false, "refused no_tlsa");
  again["again"] = true;
  std::thread device([&] { progress.Heard("devices", again); });
  const auto retry = progress.WaitRetry("d1", seconds(10));
  device.join();
  ASSERT_TRUE(retry.has_value());
  EXPECT_FALSE(retry->ok);
  progress.Heard("asp-a", Step("d1", "asp_check", false, "no_tlsa"));
  EXPECT_EQ(progress.WaitDeactivated("d1", seconds(1)), true);
  const DemoReport report = Summarise(progress, 1);
  EXPECT_TRUE(report.failed.empty());
  EXPECT_EQ(report.sessions_ok, 1u);
}

TEST(ProgressTest, RubbishFromAProgramHarmsNothing) {
  Progress progress;
  for (const char* text :
       {R"({"event":7})", R"({"event":"step","device":[],"step":{},"ms":"x","ok":"yes"})", "{}"}) {
    progress.Heard("devices", json::parse(text));
  }
  EXPECT_EQ(progress.complete(), 0u);
}

TEST(DemoReportTest, EveryDeviceThatIsNotThroughIsNamedWithItsStep) {
  Progress progress;
  Complete(progress, "d1");
  progress.Heard("mno-a", Step("d2", "register"));
  progress.Heard("mno-a", Step("d2", "csr", false, "key_in_use"));
  DemoReport report = Summarise(progress, 3);
  EXPECT_EQ(report.active, 1u);
  ASSERT_EQ(report.failed.size(), 2u);
  EXPECT_EQ(report.failed[0].step, "csr");
  EXPECT_EQ(report.failed[0].reason, "key_in_use");
  EXPECT_EQ(report.failed[1].step, "register");  // nobody ever spoke of the third
  EXPECT_FALSE(report.Good());
}

TEST(DemoReportTest, TheJsonHasTheNamesOthersReadAndGoodMeansRefusedToo) {
  Progress progress;
  Complete(progress, "d1");
  DemoReport report = Summarise(progress, 1);
  EXPECT_TRUE(report.Good());
  report.refusals_wanted = 1;
  EXPECT_FALSE(report.Good());
  report.refused = 1;
  EXPECT_TRUE(report.Good());
  report.cpu_us_per_activation = {{"registry", 1.0}, {"broker", 2.0}, {"dns", 3.0}, {"simulators", 4.0}};
  const json said = ToJson(report);
  for (const char* name :
       {"devices", "active", "failed", "device_verifications_ok", "asp_sessions_ok",
        "refused_after_deactivation", "duration_s", "activations_per_s", "steps", "cpu_us_per_activation"}) {
    EXPECT_TRUE(said.contains(name)) << name;
  }
  EXPECT_EQ(said["steps"]["verify"]["p50_ms"], 5.0);
  EXPECT_THAT(StepTable(report), testing::HasSubstr("verify"));
  for (const std::size_t columns : {80u, 120u, 200u}) {
    std::istringstream table(DeviceTable(progress.devices(), columns));
    for (std::string line; std::getline(table, line);) EXPECT_LE(line.size(), columns) << line;
    EXPECT_THAT(table.str(), testing::HasSubstr("asp-a"));
  }
}

TEST(DemoReportTest, ARevocationHasItsThreeTimesInTableJsonAndPage) {
  DemoReport report = NotStarted(1, "");
  EXPECT_EQ(RevocationTable(report), "");
  EXPECT_EQ(ToJson(report)["revocations"], json::array());
  report.revocations.push_back({"b47ab6a4-6d05-4bd6-9a67-3a4a3e5ad9f1", 12.5, 4321, 4400.2});
  const std::string table = RevocationTable(report);
  EXPECT_THAT(table, testing::HasSubstr("\nb47ab6a4 "));
  for (const char* ms : {" 12.5", " 4321.0", " 4400.2\n"}) EXPECT_THAT(table, testing::HasSubstr(ms));
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
  EXPECT_EQ(ToJson(report)["revocations"][0]["unserved_ms"], 12.5);
  EXPECT_EQ(ToJson(report)["revocations"][0]["disbelieved_ms"], 4321.0);
  EXPECT_EQ(ToJson(report)["revocations"][0]["refused_ms"], 4400.2);
  RunRecord record;
  record.report = report;
  EXPECT_THAT(page::ToHtml(PageOf(record)), testing::HasSubstr("refused by its ASP"));
}

TEST(ProgressTest, ARunWithTelemetryIsGoodWhenAllIsHeardAndTheDeactivatedArePutOut) {
  Progress progress;
  Complete(progress, "d1");
  DemoReport report = Summarise(progress, 1);
  report.telemetry_wanted = report.refusals_wanted = report.refused = 1;
  EXPECT_FALSE(report.Good());
  EXPECT_THAT(OutcomeSentence(report), testing::HasSubstr("of 1 devices their ASP's broker heard 0"));
  report.telemetry_heard = 1;
  EXPECT_FALSE(report.Good()) << "it stays connected";
  report.put_out = 1;
  EXPECT_TRUE(report.Good());
  EXPECT_EQ(ToJson(report)["telemetry_heard"], 1);
}

TEST(ProgressTest, TelemetryAndTheEndOfItAreHeardByDevice) {
  Progress progress;
  EXPECT_EQ(progress.WaitTold(1, milliseconds(0)), std::nullopt);
  progress.Heard("asp-a", {{"event", "telemetry"}, {"device", "d1"}, {"ok", false}});
  EXPECT_FALSE(progress.Told("d1")) << "under another name than its own";
  progress.Heard("asp-a", {{"event", "telemetry"}, {"device", "d1"}, {"ok", true}});
  progress.Heard("asp-a", {{"event", "telemetry"}, {"device", "d1"}, {"ok", true}});
  EXPECT_EQ(progress.WaitTold(2, milliseconds(0)), std::nullopt) << "one device";
  EXPECT_EQ(progress.WaitTold(1, seconds(10)), true);
  EXPECT_EQ(progress.WaitPutOut("d1", milliseconds(0)), std::nullopt);
  progress.Heard("devices",
                 {{"event", "telemetry_ended"}, {"device", "d1"}, {"reason", "administrative_action"}});
  EXPECT_EQ(progress.WaitPutOut("d1", seconds(10)), "administrative_action");
}

TEST(ProgressTest, ARadioIsOffOnceTheDeviceSaysSo) {
  Progress progress;
  EXPECT_EQ(progress.WaitRadio("d1", milliseconds(0)), std::nullopt);
  progress.Heard("devices", {{"event", "radio"}, {"device", "d1"}, {"on", false}});
  EXPECT_EQ(progress.WaitRadio("d1", seconds(10)), false);
}

TEST(DemoReportTest, WhatNeverStartedStillHasEveryKeyAndEveryDevice) {
  const json said = ToJson(NotStarted(3, "unbound ended with status 1; its log:\nbla"));
  EXPECT_EQ(said["devices"], 3);
  EXPECT_EQ(said["active"], 0);
  ASSERT_EQ(said["failed"].size(), 3u);
  EXPECT_EQ(said["failed"][2],
            json({{"device", ""}, {"step", "start"}, {"reason", "unbound ended with status 1; its log:"}}));
  EXPECT_EQ(said["cpu_us_per_activation"],
            json({{"registry", 0.0}, {"broker", 0.0}, {"dns", 0.0}, {"simulators", 0.0}}));
  EXPECT_EQ(said["steps"], json::object());
}

TEST(DemoReportTest, AServerThatDiedUsesNoTimeRatherThanAgesOfIt) {
  DemoReport report;
  report.active = 2;
  Counted before, after;
  before.processes = {{"registryd", {100, 10, 1000, 0}}, {"nsd", {5000, 0, 0, 0}}};
  after.processes = {{"registryd", {500, 14, 9000, 7}}, {"nsd", {0, 0, 0, 0}},   {"unbound", {40, 0, 0, 0}},
                     {"mno-a", {8, 0, 0, 0}},           {"mno-b", {4, 0, 0, 0}}, {"devices", {60, 0, 0, 0}}};
  before.registry = {
      {"registry_mqtt_heard_total", 1}, {"registry_mqtt_said_total", 2}, {"registry_zone_ixfr_total", 5}};
  after.registry = {{"registry_mqtt_heard_total", 11}, {"registry_mqtt_said_total", 22}};
  AddUsage(before, after, report);
  EXPECT_EQ(report.cpu_us_per_activation,
            (std::map<std::string, double>{
                {"registry", 200.0}, {"broker", 0.0}, {"dns", 20.0}, {"simulators", 36.0}}));
  EXPECT_EQ(report.simulator_us_per_activation,
            (std::map<std::string, double>{{"mno", 6.0}, {"devices", 30.0}}));
  EXPECT_EQ(report.registry_per_activation, (std::map<std::string, double>{{"switches", 2.0},
                                                                           {"written", 4000.0},
                                                                           {"messages", 15.0},
                                                                           {"changesets", 0.0},
                                                                           {"transfers", 0.0}}));
  EXPECT_EQ(report.registry_peak_octets, 7u);
}

TEST(LiveLineTest, NeverIsWiderThanTheTerminal) {
  const LiveState state{123.4, 4999, 12, 5000, {{"register", 5000}, {"csr", 5000}, {"session", 4999}}};
  for (std::size_t columns = 1; columns < 200; ++columns) {
    EXPECT_LE(LiveLine(state, columns).size(), columns);
  }
  EXPECT_THAT(LiveLine(state, 79), testing::HasSubstr("4999/5000"));
  EXPECT_THAT(LiveLine(state, 79), testing::HasSubstr("FAILED 12"));
}

TEST(LiveLineTest, TheBarIsFullOnlyWhenAllAreThrough) {
  LiveState state{1, 0, 0, 3, {{"register", 3}}};
  EXPECT_THAT(LiveLine(state, 79), testing::HasSubstr("[-----"));
  EXPECT_THAT(LiveLine(state, 79), testing::Not(testing::HasSubstr("#")));
  EXPECT_THAT(LiveLine(state, 79), testing::HasSubstr("reg"));
  state.through = 2;
  EXPECT_THAT(LiveLine(state, 79), testing::ContainsRegex("\\[##+--+\\] 2/3"));
  state.through = 3;
  EXPECT_THAT(LiveLine(state, 79), testing::ContainsRegex("\\[##+\\] 3/3"));
}

TEST(DemoReportTest, QuantilesAreOfTheNearestRank) {
  EXPECT_EQ(Quantile({}, 0.5), 0);
  EXPECT_EQ(Quantile({1, 2, 3, 4}, 0.5), 2);
  EXPECT_EQ(Quantile({1, 2, 3, 4}, 0.99), 4);
}

}  // namespace
}  // namespace registry::lab
