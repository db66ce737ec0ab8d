#include "simulators/lab/process.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "simulators/lab/probe.h"
#include "simulators/lab/usage.h"

namespace registry::lab {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

class ProcessTest : public testing::Test {
 protected:
  ProcessTest() : log_(testing::TempDir() + "process-test-" + std::to_string(::getpid()) + ".log") {}
  ~ProcessTest() override { std::filesystem::remove(log_); }

  ProcessSpec Shell(const std::string& script) const {
    ProcessSpec spec;
    spec.name = "shell";
    spec.command = {"/bin/sh", "-c", script};
    spec.log_file = log_;
    return spec;
  }

  const std::string log_;
};

TEST_F(ProcessTest, OutputGoesToTheLogAndTheObituaryQuotesIt) {
  auto process = Process::Start(Shell("echo said; echo complained >&2; exit 3"));
  ASSERT_TRUE(process.ok());
  ASSERT_TRUE((*process)->WaitExit(seconds(10)));
  EXPECT_FALSE((*process)->running());
  EXPECT_THAT((*process)->Obituary(), HasSubstr("ended with status 3"));
  EXPECT_THAT((*process)->Obituary(), HasSubstr("said\ncomplained"));
}

TEST_F(ProcessTest, ItHasItsOwnEnvironmentAndElseOurs) {
  ASSERT_EQ(::setenv("LAB_OURS", "ours", 1), 0);
  ASSERT_EQ(::setenv("LAB_BOTH", "ours", 1), 0);
  ProcessSpec spec = Shell("echo $LAB_OURS $LAB_BOTH $LAB_OWN; exit 3");
  spec.environment = {"LAB_BOTH=own", "LAB_OWN=own"};
  auto process = Process::Start(spec);
  ::unsetenv("LAB_OURS");
  ::unsetenv("LAB_BOTH");
  ASSERT_TRUE(process.ok());
  ASSERT_TRUE((*process)->WaitExit(seconds(10)));
  EXPECT_THAT((*process)->Obituary(), HasSubstr("ours own own"));
}

TEST_F(ProcessTest, AMissingProgramIsAnErrorThatNamesIt) {
  ProcessSpec spec = Shell("");
  spec.command = {"no-such-program-anywhere"};
  const auto process = Process::Start(spec);
  ASSERT_FALSE(process.ok());
  EXPECT_EQ(process.error().symbol, "not_started");
  EXPECT_THAT(process.error().message, HasSubstr("no-such-program-anywhere"));
}

TEST_F(ProcessTest, AFileThatIsNoProgramIsAnError) {
  const std::string file = testing::TempDir() + "not-a-program-" + std::to_string(::getpid());
  std::ofstream(file) << "\x7f"
                         "ELF but not really";
  std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  ProcessSpec spec = Shell("");
  spec.command = {file};
  EXPECT_FALSE(Process::Start(spec).ok());
  std::filesystem::remove(file);
}

TEST_F(ProcessTest, LinesGoBothWaysAndTheEndOfInputEndsIt) {
  std::mutex mutex;
  std::condition_variable heard;
  std::vector<std::string> lines;
  ProcessSpec spec = Shell("while read line; do echo \"heard $line\"; done; echo over");
  spec.on_line = [&](const std::string& line) {
    const std::lock_guard lock(mutex);
    lines.push_back(line);
    heard.notify_all();
  };
  auto process = Process::Start(std::move(spec));
  ASSERT_TRUE(process.ok());
  const auto wait_for = [&](std::size_t count) {
    std::unique_lock lock(mutex);
    return heard.wait_for(lock, seconds(60), [&] { return lines.size() >= count; });
  };
  ASSERT_TRUE((*process)->WriteLine("one"));
  ASSERT_TRUE(wait_for(1));
  (*process)->CloseInput();
  ASSERT_TRUE(wait_for(2));
  EXPECT_TRUE((*process)->WaitExit(seconds(10)));
  EXPECT_FALSE((*process)->WriteLine("two"));
  EXPECT_THAT(lines, testing::ElementsAre("heard one", "over"));
  EXPECT_EQ(TailOf(log_, 10), "heard one\nover\n") << "the log file holds them, too";
}

TEST_F(ProcessTest, StopKillsWhoIgnoresTermAndEverybodyInItsGroup) {
  const std::string pid_file = log_ + ".pid";
  auto process =
      Process::Start(Shell("trap '' TERM; sleep 1000 & echo $! > " + pid_file + "; while :; do wait; done"));
  ASSERT_TRUE(process.ok());
  pid_t grandchild = 0;
  ASSERT_TRUE(
      WaitUntil([&] { return static_cast<bool>(std::ifstream(pid_file) >> grandchild); }, seconds(10)));
  EXPECT_FALSE((*process)->Stop(milliseconds(100)));
  EXPECT_FALSE((*process)->running());
  // Gone, or a zombie nobody has waited for yet; never running.
  EXPECT_TRUE(WaitUntil(
      [&] {
        std::ifstream in("/proc/" + std::to_string(grandchild) + "/stat");
        std::string word;
        return !(in >> word >> word >> word) || word == "Z";
      },
      seconds(10)));
  std::filesystem::remove(pid_file);
}

TEST_F(ProcessTest, WhoEndsIsHeardOfOnce) {
  std::atomic<int> ends{0};
  ProcessSpec spec = Shell("exit 0");
  spec.on_exit = [&] { ++ends; };
  {
    auto process = Process::Start(std::move(spec));
    ASSERT_TRUE(process.ok());
    ASSERT_TRUE((*process)->WaitExit(seconds(10)));
  }
  EXPECT_EQ(ends, 1);
}

TEST_F(ProcessTest, ChildrenDieWithUs) {
  const std::string pid_file = log_ + ".pid";
  const pid_t starter = ::fork();
  if (starter == 0) {
    auto process = Process::Start(Shell("echo $$ > " + pid_file + "; exec sleep 1000"));
    ::pause();
    ::_exit(process.ok() ? 0 : 1);
  }
  pid_t child = 0;
  ASSERT_TRUE(WaitUntil([&] { return static_cast<bool>(std::ifstream(pid_file) >> child); }, seconds(10)));
  const auto start = StartTimeOf(child);
  ::kill(starter, SIGKILL);
  ::waitpid(starter, nullptr, 0);
  EXPECT_TRUE(WaitUntil(
      [&] {
        std::ifstream in("/proc/" + std::to_string(child) + "/stat");
        std::string word;
        return StartTimeOf(child) != start || ((in >> word >> word >> word) && word == "Z");
      },
      seconds(10)));
  std::filesystem::remove(pid_file);
}

// As in a container whose process 1 waits for nobody.
TEST_F(ProcessTest, ADeadProcessNobodyWaitedForDoesNotLive) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(StartTimeOf(child), 0u);
  ::waitpid(child, nullptr, 0);
}

TEST_F(ProcessTest, RunToEndAnswersOutputOrWhatWentWrong) {
  const auto good = RunToEnd({"/bin/sh", "-c", "pwd"}, "/");
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(*good, "/\n");
  const auto bad = RunToEnd({"/bin/sh", "-c", "echo because >&2; exit 9"});
  ASSERT_FALSE(bad.ok());
  EXPECT_THAT(bad.error().message, HasSubstr("because"));
  const auto late = RunToEnd({"sleep", "1000"}, {}, milliseconds(50));
  EXPECT_FALSE(late.ok());
}

TEST_F(ProcessTest, UsageOfAGroupCountsItsWork) {
  auto process = Process::Start(Shell("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; exec sleep 1000"));
  ASSERT_TRUE(process.ok());
  const pid_t pid = (*process)->pid();
  EXPECT_TRUE(WaitUntil([&] { return UsageOfGroups({pid}).at(pid).cpu_us >= 20'000; }, seconds(30)));
  EXPECT_GT(UsageOfGroups({pid}).at(pid).peak_octets, 100'000u);
  EXPECT_GT(UsageOfGroups({pid}).at(pid).switches, 0u);
  EXPECT_NE(StartTimeOf(pid), 0u);
}

}  // namespace
}  // namespace registry::lab
