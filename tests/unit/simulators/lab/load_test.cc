// When devices arrive, what is kept of a run, and what its reports say of it.
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "simulators/lab/arrivals.h"
#include "simulators/lab/budgets.h"
#include "simulators/lab/run_record.h"

namespace registry::lab {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

// A load of `started` devices that all became active.
RunRecord Record(std::size_t started, std::size_t missed = 0) {
  RunRecord record;
  record.title = "Load";
  record.report.devices = record.report.active = started;
  record.report.duration_s = 2;
  record.report.activations_per_s = static_cast<double>(started) / 2;
  record.report.steps["csr"].ms.assign(started, 4.0);
  record.report.steps["whole"].ms.assign(started, 900.0);
  record.report.peak_octets = {{"registryd", 64u << 20}};
  record.arrivals = ArrivalCount{started + missed, started, missed};
  record.offered_per_s = 2;
  record.settings = {{"rate, devices a second", "<2>"}};
  for (int i = 0; i < 3; ++i) {
    Moment moment;
    moment.at_s = i;
    moment.arrivals = {started + missed, started, missed};
    moment.active = moment.through = static_cast<std::size_t>(i) * started / 2;
    for (const auto& [metric, name] : QueueMetrics()) moment.queues[metric] = i;
    record.timeline.push_back(moment);
  }
  return record;
}

TEST(ArrivalsTest, AreAscendingWithinTheTimeAndRepeatWithTheirSeed) {
  for (const Arrive arrive : {Arrive::kPoisson, Arrive::kEven}) {
    const auto times = ArrivalTimes(arrive, 1000, 20, 7);
    ASSERT_EQ(times.size(), 1000u);
    EXPECT_TRUE(std::is_sorted(times.begin(), times.end()));
    EXPECT_GE(times.front(), 0);
    EXPECT_LT(times.back(), 20);
    EXPECT_EQ(times, ArrivalTimes(arrive, 1000, 20, 7));
    EXPECT_EQ(ArriveOf(NameOf(arrive)), arrive);
    EXPECT_TRUE(ArrivalTimes(arrive, 0, 20, 7).empty());
  }
  EXPECT_NE(ArrivalTimes(Arrive::kPoisson, 9, 20, 7), ArrivalTimes(Arrive::kPoisson, 9, 20, 8));
  EXPECT_EQ(ArriveOf("often"), std::nullopt);
}

TEST(ArrivalsTest, OnlyTheEvenOnesKeepTheirDistance) {
  const auto even = ArrivalTimes(Arrive::kEven, 4, 2, 1),
             poisson = ArrivalTimes(Arrive::kPoisson, 1000, 1000, 1);
  EXPECT_EQ(even, (std::vector<double>{0, 0.5, 1, 1.5}));
  std::size_t near = 0;  // gaps of less than half the mean: 39 of 100 when they are independent
  for (std::size_t i = 1; i < poisson.size(); ++i) near += poisson[i] - poisson[i - 1] < 0.5 ? 1 : 0;
  EXPECT_GT(near, 300u);
  EXPECT_LT(near, 480u);
}

TEST(BudgetsTest, DependOnWhatTheDevicesDo) {
  EXPECT_EQ(RateBudget(1), 400);
  EXPECT_EQ(RateBudget(0), 900);
  EXPECT_EQ(RateBudget(0.5), std::nullopt);
  EXPECT_EQ(CpuBudget("registry", 0.5), 800);
  EXPECT_EQ(CpuBudget("simulators", 0), 900);
  EXPECT_EQ(CpuBudget("simulators", 0.5), std::nullopt);
  EXPECT_EQ(CpuBudget("whole", 1), 4800);
  EXPECT_EQ(CpuBudget("kitchen", 1), std::nullopt);
}

TEST(TimelineTest, AThinnedOneKeepsItsEnd) {
  for (const std::size_t size : {1u, 2u, 7u, 8u}) {
    std::vector<Moment> moments(size);
    for (std::size_t i = 0; i < size; ++i) {
      moments[i].at_s = static_cast<double>(i);
      moments[i].queues["q"] = static_cast<double>(i);
    }
    Thin(moments);
    ASSERT_EQ(moments.size(), (size + 1) / 2);
    EXPECT_EQ(moments.back().at_s, size - 1);
    EXPECT_EQ(moments.back().queues.at("q"), size - 1) << "whole";
  }
}

TEST(RunRecordTest, ThePageShowsThroughputLatenciesCostsQueuesSettingsAndBudgets) {
  const std::string html = page::ToHtml(PageOf(Record(4)));
  for (const char* part :
       {"Throughput", "Under way", "Latency of each step", "CPU of an activation", "CPU over time",
        "Queues of the registry", "Memory", "Settings", "Beside the budgets", "4 of 4 devices became active",
        "committed and not said", "&lt;2&gt;"}) {
    EXPECT_THAT(html, HasSubstr(part));
  }
  EXPECT_THAT(html, Not(HasSubstr("Devices that did not get through")));
}

TEST(RunRecordTest, OneDeviceOrNoneMakesAPageToo) {
  EXPECT_THAT(page::ToHtml(PageOf(Record(1))), HasSubstr("1 of 1 devices became active"));
  RunRecord none;
  none.report.trouble = "registryd ended <badly>";
  none.arrivals = ArrivalCount{10, 0, 0};
  const std::string html = page::ToHtml(PageOf(none));
  EXPECT_THAT(html,
              HasSubstr("The load failed; 0 of 0 devices that were started became active. registryd ended "
                        "&lt;badly&gt;"));
  EXPECT_THAT(html, HasSubstr("The run was too short for this."));
  EXPECT_THAT(html, Not(HasSubstr("nan")));
}

TEST(RunRecordTest, WhatWasMissedAndWhatFailedIsSaid) {
  RunRecord record = Record(4, 2);
  EXPECT_THAT(LoadSentence(record), HasSubstr("2 of 6 arrivals were missed"));
  EXPECT_FALSE(PageOf(record).good);
  record.report.active = 3;
  record.report.failed.push_back({"d1", "csr", "key_in_use"});
  EXPECT_THAT(LoadSentence(record), HasSubstr("3 of 4 devices that were started became active"));
  const std::string html = page::ToHtml(PageOf(record));
  EXPECT_THAT(html, HasSubstr("Devices that did not get through"));
  EXPECT_THAT(html, HasSubstr("key_in_use"));
  record.report.trouble = "interrupted";
  EXPECT_THAT(LoadSentence(record), HasSubstr("The load was interrupted; 3 of 4"));
  EXPECT_EQ(LoadSentence(Record(4)), "");
}

// So little was offered that nothing can be said of how fast it is.
TEST(RunRecordTest, ARateIsJudgedOnlyWhereSoMuchWasOffered) {
  RunRecord record = Record(4);
  EXPECT_EQ(PageOf(record).verdicts[0].kept, std::nullopt);
  record.offered_per_s = 500;
  EXPECT_EQ(PageOf(record).verdicts[0].kept, false);
  record.report.activations_per_s = 450;
  EXPECT_EQ(PageOf(record).verdicts[0].kept, true);
  record.arrivals.reset();
  record.offered_per_s = 0;
  EXPECT_EQ(PageOf(record).verdicts[0].kept, true) << "a demo offers all at once";
}

TEST(RunRecordTest, TheEndOfItsNameSaysWhatAFileHolds) {
  const std::string file = testing::TempDir() + "run-record-" + std::to_string(::getpid());
  const auto content = [](const std::string& name) {
    std::ifstream in(name);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  ASSERT_TRUE(WriteReport(file + ".html", Record(2)).ok());
  EXPECT_TRUE(content(file + ".html").starts_with("<!DOCTYPE html>"));
  ASSERT_TRUE(WriteReport(file + ".json", Record(2, 1)).ok());
  const json said = json::parse(content(file + ".json"), nullptr, false);
  EXPECT_EQ(said["arrivals"]["missed"], 1);
  EXPECT_EQ(said["settings"]["rate, devices a second"], "<2>");
  EXPECT_EQ(said["timeline"].size(), 3u);
  EXPECT_EQ(said["active"], 2);
  EXPECT_EQ(WriteReport("/no/such/folder/x.html", Record(1)).error().symbol, "report_not_written");
  for (const char* end : {".html", ".json"}) std::filesystem::remove(file + end);
}

}  // namespace
}  // namespace registry::lab
