// Devices that arrive at a rate, on real servers: what ./dev load promises.
#include "simulators/lab/load.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "simulators/lab/probe.h"
#include "tests/support/built_lab.h"

namespace registry::lab {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using std::chrono::seconds;
using testing::HasSubstr;

class LoadTest : public testing::Test {
 protected:
  LoadTest() : folder_(testing::TempDir() + "lab-load-" + std::to_string(::getpid())) {}
  ~LoadTest() override {
    if (HasFailure()) return;
    fs::remove_all(folder_);
    for (const char* end : {".out", ".html", ".json"}) fs::remove(folder_ + end);
  }
  LoadOptions Options(int devices, double duration_s) const {
    LoadOptions options;
    options.demo.lab = test::BuiltLab();
    options.demo.lab.folder = folder_;
    options.demo.lab.devices = devices;
    options.demo.quiet = true;
    options.duration_s = duration_s;
    options.arrive = Arrive::kEven;
    return options;
  }
  // The program, as a person or a script calls it.
  std::unique_ptr<Process> Start(std::vector<std::string> arguments) const {
    ProcessSpec spec;
    spec.name = "registry-lab";
    spec.command = {REGISTRY_BINARY_DIR "/bin/registry-lab", "load", "--dir", folder_};
    spec.command.insert(spec.command.end(), arguments.begin(), arguments.end());
    spec.log_file = folder_ + ".out";
    auto program = Process::Start(std::move(spec));
    return program ? std::move(*program) : nullptr;
  }
  static int StatusOf(const Process& program) { return WEXITSTATUS(program.exit_status().value_or(0xFF00)); }
  std::string Said() const { return TailOf(folder_ + ".out", 1000); }
  static std::string ReadText(const std::string& file) {
    std::ifstream in(file);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }

  const std::string folder_;
};

TEST_F(LoadTest, EveryDeviceThatArrivesBecomesActiveAndTheRunIsWrittenDown) {
  LoadOptions options = Options(6, 2);
  options.demo.lab.check_share = 0.5;
  const LoadRun run = RunLoad(options);
  const DemoReport& report = run.record.report;
  ASSERT_TRUE(report.Good() && report.trouble.empty()) << ToJson(run.record).dump(1);
  EXPECT_EQ(report.active, 6u);
  EXPECT_EQ(report.sessions_ok, 3u);
  EXPECT_EQ(run.record.arrivals->started, 6u);
  EXPECT_EQ(run.record.arrivals->missed, 0u);
  EXPECT_EQ(report.steps.at("register").ms.size(), 6u);
  EXPECT_EQ(report.steps.at("whole").ms.size(), 6u);
  ASSERT_GE(run.record.timeline.size(), 2u);
  const Moment& end = run.record.timeline.back();
  EXPECT_EQ(end.through, 6u);
  EXPECT_EQ(end.queues.size(), QueueMetrics().size());
  EXPECT_EQ(end.cores.size(), 4u);
  EXPECT_GT(report.peak_octets.at("registryd"), 0u);
}

// All are due at the very beginning, so that it does not matter how fast anything is.
TEST_F(LoadTest, WhatIsBeyondTheBoundIsMissedAndCounted) {
  LoadOptions options = Options(7, 1e-6);
  options.under_way_max = 3;
  options.demo.lab.check_share = 0;
  const LoadRun run = RunLoad(options);
  EXPECT_EQ(run.record.arrivals->planned, 7u);
  EXPECT_EQ(run.record.arrivals->started, 3u);
  EXPECT_EQ(run.record.arrivals->missed, 4u);
  EXPECT_TRUE(run.record.report.Good()) << ToJson(run.record).dump(1);
  EXPECT_EQ(run.record.report.active, 3u);
  EXPECT_THAT(LoadSentence(run.record), HasSubstr("4 of 7 arrivals were missed"));
}

TEST_F(LoadTest, OneAtATimeMeansThatNoneWaitsForAnother) {
  LoadOptions options = Options(3, 1);
  options.one_at_a_time = true;
  const LoadRun run = RunLoad(options);
  EXPECT_TRUE(run.record.report.Good()) << ToJson(run.record).dump(1);
  EXPECT_EQ(run.record.report.active, 3u);
}

TEST_F(LoadTest, TheProgramWritesAPageAndEndsWell) {
  const auto program =
      Start({"--rate", "2", "--duration", "2", "--checks", "none", "--report", folder_ + ".html"});
  ASSERT_NE(program, nullptr);
  ASSERT_TRUE(program->WaitExit(seconds(120)));
  EXPECT_EQ(StatusOf(*program), 0) << Said();
  EXPECT_THAT(Said(), HasSubstr("4 arrivals: 4 started, 0 missed, 4 active"));
  const std::string page = ReadText(folder_ + ".html");
  EXPECT_TRUE(page.starts_with("<!DOCTYPE html>"));
  EXPECT_THAT(page, HasSubstr("4 of 4 devices became active"));
}

TEST_F(LoadTest, AnInterruptedOneReportsWhatThereIsAndLeavesNothing) {
  const auto program = Start({"--rate", "1", "--duration", "600", "--report", folder_ + ".json"});
  ASSERT_NE(program, nullptr);
  ASSERT_TRUE(WaitUntil([&] { return Said().find("under way") != std::string::npos; }, seconds(60)))
      << Said();
  program->Signal(SIGINT);
  ASSERT_TRUE(program->WaitExit(seconds(60)));
  EXPECT_EQ(StatusOf(*program), 130) << Said();
  EXPECT_THAT(Said(), HasSubstr("The load was interrupted; "));
  const json report = json::parse(ReadText(folder_ + ".json"), nullptr, false);
  EXPECT_EQ(report["trouble"], "interrupted");
  EXPECT_EQ(report["arrivals"]["planned"], 600);
  EXPECT_GE(report["timeline"].size(), 1u);
}

TEST_F(LoadTest, WrongOptionsAreSaidBeforeAnythingIsStarted) {
  const std::pair<std::vector<std::string>, const char*> wrong[] = {
      {{}, "load: give either --rate or --devices"},
      {{"--rate", "5", "--devices", "5"}, "load: give either --rate or --devices"},
      {{"--rate", "0"}, "--rate"},
      {{"--rate", "fast"}, "--rate"},
      {{"--rate", "5000", "--duration", "3600"}, "more than 100000 devices"},
      {{"--devices", "0"}, "load: --devices must be at least 1"},
      {{"--devices", "5", "--duration", "0"}, "--duration"},
      {{"--devices", "5", "--arrivals", "often"}, "--arrivals"},
      {{"--devices", "5", "--under-way", "0"}, "--under-way"},
      {{"--devices", "5", "--checks", "sample:2"}, "none of all, none, sample:P"}};
  for (const auto& [arguments, said] : wrong) {
    fs::remove(folder_ + ".out");
    const auto program = Start(arguments);
    ASSERT_NE(program, nullptr);
    ASSERT_TRUE(program->WaitExit(seconds(60)));
    EXPECT_EQ(StatusOf(*program), 2) << said;
    EXPECT_THAT(Said(), HasSubstr(said));
    EXPECT_FALSE(fs::exists(folder_)) << said;
  }
}

}  // namespace
}  // namespace registry::lab
