// What ./dev does around the programs: whose folder names are, and what an installation leaves behind. A copy of the
// script runs among stand-ins for apt-get and its like; nothing outside the test's folder is touched.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>

#include "simulators/lab/probe.h"
#include "simulators/lab/process.h"

namespace registry::lab {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using testing::HasSubstr;

class DevScriptTest : public testing::Test {
 protected:
  DevScriptTest() : folder_(testing::TempDir() + "dev-script-" + std::to_string(::getpid())) {
    for (const char* sub : {"project", "stand-ins", "etc/systemd/system", "sbin", "caller"})
      fs::create_directories(In(sub));
    std::ifstream in(REGISTRY_SOURCE_DIR "/dev");
    std::string script((std::istreambuf_iterator<char>(in)), {});
    Replace(script, "/usr/sbin/policy-rc.d", Policy());
    Replace(script, "/etc/", In("etc/"));
    Write("project/dev", script);
    Write("stand-ins/id", "#!/bin/sh\necho 0\n");
    Write("stand-ins/systemctl", "#!/bin/sh\nexit 1\n");
  }
  ~DevScriptTest() override { fs::remove_all(folder_); }

  static void Replace(std::string& text, const std::string& from, const std::string& to) {
    ASSERT_THAT(text, HasSubstr(from));
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
      text.replace(at, from.size(), to);
  }
  void Write(const std::string& name, const std::string& text) const {
    fs::create_directories(fs::path(In(name)).parent_path());
    std::ofstream(In(name)) << text;
    fs::permissions(In(name), fs::perms::owner_all);
  }
  // A project of one test that passes in every preset; `cmake` and `ctest`: what they do besides.
  void WriteFullRun(const std::string& cmake, const std::string& ctest) const {
    Write("stand-ins/dpkg-query", "#!/bin/sh\nprintf installed\n");
    for (const char* tool : {"node", "npm"}) Write(std::string("stand-ins/") + tool, "#!/bin/sh\n");
    Write("project/tests/tools/package.json", "{}");
    Write("stand-ins/cmake", "#!/bin/sh\ncase $1:$3 in\n" + cmake + "\nesac\n");
    Write(
        "stand-ins/ctest",
        "#!/bin/bash\nif [[ $* == *json-v1* ]]; then echo '{\"tests\": [{\"name\": \"one\"}]}'; exit; fi\n" +
            ctest +
            "\nmkdir -p \"$2\"\n"
            "echo '<testsuite failures=\"0\"><testcase name=\"one\" status=\"run\"/></testsuite>' >\"${@: "
            "-1}\"\n");
  }
  std::string In(const std::string& name) const { return folder_ + "/" + name; }
  std::string Policy() const { return In("sbin/policy-rc.d"); }
  std::string Read(const std::string& name) const {
    std::ifstream in(In(name));
    return std::string(std::istreambuf_iterator<char>(in), {});
  }
  ProcessSpec Dev(std::vector<std::string> arguments) const {
    ProcessSpec spec;
    spec.name = "dev";
    spec.command = {"/usr/bin/env", "PATH=" + In("stand-ins") + ":/usr/sbin:/usr/bin:/sbin:/bin",
                    In("project/dev")};
    spec.command.insert(spec.command.end(), arguments.begin(), arguments.end());
    spec.folder = In("caller");
    spec.log_file = In("log");
    return spec;
  }

  const std::string folder_;
};

TEST_F(DevScriptTest, FolderNamesAreTheCallers) {
  Write("project/build/release/bin/registry-lab", "#!/bin/sh\necho \"$PWD: $*\"\n");
  auto dev = Process::Start(Dev({"down", "--dir", "lab"}));
  ASSERT_TRUE(dev.ok());
  ASSERT_TRUE((*dev)->WaitExit(seconds(30)));
  EXPECT_THAT(Read("log"), HasSubstr(fs::canonical(In("caller")).string() + ": down --dir lab"));
}

TEST_F(DevScriptTest, ATestThatCannotInstallCountsAsAFailureWithoutPython) {
  for (const char* missing : {"dpkg-query", "apt-get", "python3"})
    Write(std::string("stand-ins/") + missing, "#!/bin/sh\nexit 127\n");
  auto dev = Process::Start(Dev({"test"}));
  ASSERT_TRUE(dev.ok());
  ASSERT_TRUE((*dev)->WaitExit(seconds(30)));
  EXPECT_NE((*dev)->exit_status(), 0);
  EXPECT_TRUE(Read("log").ends_with("0 passed, 1 failed\n")) << Read("log");
}

TEST_F(DevScriptTest, WhatTheNextTestsNeedIsBuiltWhileTestsWait) {
  const std::string built = "[ -e " + In("built") + " ]";
  WriteFullRun("--build:asan) : >" + In("built") + " ;;",
               "for i in {1..300}; do " + built + " && break; sleep 0.1; done\n" + built + " || exit 1");
  auto dev = Process::Start(Dev({"test"}));
  ASSERT_TRUE(dev.ok());
  ASSERT_TRUE((*dev)->WaitExit(seconds(60)));
  EXPECT_EQ((*dev)->exit_status(), 0);
  EXPECT_TRUE(Read("log").ends_with("5 passed, 0 failed\n")) << Read("log");
}

TEST_F(DevScriptTest, ABuildThatBreaksMeanwhileIsAFailureAndSaysWhy) {
  WriteFullRun("--build:tsan) echo no such header; exit 1 ;;", "");
  auto dev = Process::Start(Dev({"test"}));
  ASSERT_TRUE(dev.ok());
  ASSERT_TRUE((*dev)->WaitExit(seconds(60)));
  EXPECT_EQ(WEXITSTATUS((*dev)->exit_status().value_or(0)), 1);
  EXPECT_THAT(Read("log"), HasSubstr("no such header"));
  EXPECT_THAT(Read("log"), HasSubstr("builds that broke: tsan"));
  EXPECT_EQ(Read("log").find("testing tsan"), std::string::npos) << "what was not built is not run";
  EXPECT_TRUE(Read("log").ends_with("4 passed, 1 failed\n")) << Read("log");
}

TEST_F(DevScriptTest, WhatIsBuiltMeanwhileEndsWithTheScript) {
  ASSERT_EQ(::mkfifo(In("go").c_str(), 0600), 0);
  WriteFullRun("--build:asan) echo $$ >" + In("builder") + "; read word <" + In("go") + " ;;",
               "read word <" + In("go"));
  auto dev = Process::Start(Dev({"test"}));
  ASSERT_TRUE(dev.ok());
  ASSERT_TRUE(WaitUntil([&] { return Read("builder").ends_with("\n"); }, seconds(30)));
  (*dev)->Signal(SIGTERM);
  ASSERT_TRUE((*dev)->WaitExit(seconds(30)));
  const pid_t builder = std::stoi(Read("builder"));
  EXPECT_TRUE(WaitUntil([&] { return ::kill(builder, 0) != 0; }, seconds(30)));
}

// A wrong word is said at once: nothing is installed or built for it.
TEST_F(DevScriptTest, ArgumentsAreJudgedBeforeTheBuild) {
  for (const char* tool : {"dpkg-query", "apt-get", "cmake"}) {
    Write(std::string("stand-ins/") + tool, "#!/bin/sh\n: >" + In("begun") + "\nexit 1\n");
  }
  const std::pair<std::vector<std::string>, const char*> wrong[] = {
      {{"demo", "--devices", "x"}, "--devices: 'x' is no number"},
      {{"demo", "--devices=-1"}, "--devices: '-1' is no number"},
      {{"demo", "--devices"}, "--devices needs a value"},
      {{"up", "--secondary", "named"}, "--secondary: 'named' is none of bind, nsd, knot"},
      {{"up", "--publisher", "none"}, "--publisher: 'none' is none of own, update"},
      {{"up", "--telemetry", "yes"}, "--telemetry: 'yes' is none of on, off"},
      {{"demo", "--checks", "some"}, "--checks: 'some' is none of all, none, sample:P"},
      {{"demo", "--checks", "sample:"}, "--checks: 'sample:' is none of all, none, sample:P"},
      {{"demo", "--devices", "0"}, "--devices must be at least 1"},
      {{"demo", "--devcies", "2"}, "'--devcies' is no option of it; nearest: --devices\n"},
      {{"demo", "--servers-only"}, "'--servers-only' is no option of it"},
      {{"up", "--keep"}, "'--keep' is no option of it"},
      {{"up", "lab"}, "'lab' is no option of it"},
      {{"load"}, "load: give either --rate or --devices"},
      {{"load", "--rate", "1", "--devices", "1"}, "load: give either --rate or --devices"},
      {{"load", "--devices", "0"}, "load: --devices must be at least 1"},
      {{"build", "relase"}, "build: 'relase' is no preset; nearest: release\n"},
      {{"dmeo"}, "'dmeo' is no command of it; nearest: demo\n"},
      {{"fz"}, "'fz' is no command of it\n"},
      {{"test", "--quik"}, "test: '--quik' is no option of it; nearest: --quick\n"},
      {{"check", "--fxi"}, "check: '--fxi' is no option of it; nearest: --fix\n"},
      {{"bench", "--jsn", "x"}, "bench: '--jsn' is no option of it; nearest: --json\n"}};
  for (const auto& [arguments, said] : wrong) {
    fs::remove(In("log"));
    auto dev = Process::Start(Dev(arguments));
    ASSERT_TRUE(dev.ok());
    ASSERT_TRUE((*dev)->WaitExit(seconds(30)));
    EXPECT_EQ(WEXITSTATUS((*dev)->exit_status().value_or(0)), 2) << said;
    EXPECT_THAT(Read("log"), HasSubstr(said));
    EXPECT_FALSE(fs::exists(In("begun"))) << said;
  }
}

// So is a folder that is somebody's: a lab would write over what is there.
TEST_F(DevScriptTest, FoldersAndReportsAreJudgedBeforeTheBuild) {
  Write("stand-ins/dpkg-query", "#!/bin/sh\nexit 1\n");
  Write("stand-ins/apt-get", "#!/bin/sh\nexit 1\n");
  Write("caller/full/nsd.conf", "somebody's");
  Write("caller/lab/.iot-registry-lab", "");
  Write("caller/former/lab.json", "");
  fs::create_directories(In("caller/empty"));
  const std::string refused = "full is not empty and no lab's folder", taken = "installing";
  const std::pair<std::vector<std::string>, std::string> said[] = {
      {{"demo", "--dir", "full"}, refused},
      {{"up", "--dir=full"}, refused},
      {{"load", "--rate", "1", "--dir", "full"}, refused},
      {{"demo", "--dir", "full/nsd.conf"}, "is not empty and no lab's folder"},
      {{"demo", "--report", "none/x.html"}, "cannot write the report to none/x.html"},
      {{"demo", "--report", "full"}, "cannot write the report to full"},
      {{"demo", "--dir", "lab"}, taken},
      {{"demo", "--dir", "former"}, taken},
      {{"demo", "--dir", "empty"}, taken},
      {{"demo", "--dir", "new", "--report", "x.html"}, taken}};
  for (const auto& [arguments, sentence] : said) {
    fs::remove(In("log"));
    auto dev = Process::Start(Dev(arguments));
    ASSERT_TRUE(dev.ok());
    ASSERT_TRUE((*dev)->WaitExit(seconds(30)));
    EXPECT_EQ(WEXITSTATUS((*dev)->exit_status().value_or(0)), 1) << sentence;
    EXPECT_THAT(Read("log"), HasSubstr(sentence));
  }
}

// registry-lab is the judge; what it takes, the script takes.
TEST_F(DevScriptTest, EveryOptionOfTheLabIsKnown) {
  std::ifstream in(REGISTRY_SOURCE_DIR "/simulators/lab/main.cc");
  const std::string source((std::istreambuf_iterator<char>(in)), {});
  static const std::regex kAdded(R"re((\w+)(?:\.|->)add_(option|flag)\(\s*"(--[a-z-]+)")re");
  Write("stand-ins/dpkg-query", "#!/bin/sh\nexit 1\n");
  Write("stand-ins/apt-get", "#!/bin/sh\nexit 1\n");
  int options = 0;
  for (std::sregex_iterator at(source.begin(), source.end(), kAdded), end; at != end; ++at, ++options) {
    const std::string program = (*at)[1], command = program == "up" || program == "load" ? program : "demo";
    std::vector<std::string> arguments{command, (*at)[3]};
    const std::string name = (*at)[3];
    if ((*at)[2] == "option") {
      static const std::map<std::string, std::string> kChoices = {{"--secondary", "knot"},
                                                                  {"--publisher", "update"},
                                                                  {"--checks", "sample:0.5"},
                                                                  {"--telemetry", "on"},
                                                                  {"--ota", "sms"}};
      const auto choice = kChoices.find(name);
      arguments.push_back(choice != kChoices.end() ? choice->second : "1");
    }
    if (command == "load" && name != "--rate") {
      arguments.insert(arguments.end(), {"--devices", "1"});
    }
    fs::remove(In("log"));
    auto dev = Process::Start(Dev(arguments));
    ASSERT_TRUE(dev.ok());
    ASSERT_TRUE((*dev)->WaitExit(seconds(30)));
    EXPECT_THAT(Read("log"), HasSubstr("installing")) << "it got beyond " << (*at)[3];
  }
  EXPECT_GT(options, 8);
}

TEST_F(DevScriptTest, AUserWithoutRootsRightsInstallsNothing) {
  Write("stand-ins/id", "#!/bin/sh\necho 1000\n");
  Write("stand-ins/apt-get", "#!/bin/sh\n: >" + In("begun") + "\n");
  Write("stand-ins/cmake", "#!/bin/sh\n");
  Write("project/build/release/bin/registry-lab", "#!/bin/sh\necho \"lab $*\"\n");
  for (const bool missing : {false, true}) {
    Write("stand-ins/dpkg-query", missing ? "#!/bin/sh\nexit 1\n" : "#!/bin/sh\necho installed\n");
    fs::remove(In("log"));
    auto dev = Process::Start(Dev({"up", "--dir", "mine"}));
    ASSERT_TRUE(dev.ok());
    ASSERT_TRUE((*dev)->WaitExit(seconds(30)));
    EXPECT_EQ((*dev)->exit_status() == 0, !missing) << Read("log");
    EXPECT_THAT(Read("log"), HasSubstr(missing ? "as root: apt-get install g++" : "lab up --dir mine"));
    EXPECT_FALSE(fs::exists(In("begun")));
  }
}

// What root has built serves everybody.
TEST_F(DevScriptTest, AClonesProgramsAreUsedWhereItCannotBeWritten) {
  Write("stand-ins/dpkg-query", "#!/bin/sh\necho installed\n");
  Write("stand-ins/cmake", "#!/bin/sh\necho built\n");
  Write("project/build/release/bin/registry-lab", "#!/bin/sh\necho \"lab $*\"\n");
  for (const auto& entry : fs::recursive_directory_iterator(folder_))
    fs::permissions(entry.path(), fs::perms(0555));
  fs::permissions(folder_, fs::perms(0755));
  ProcessSpec spec = Dev({"up"});
  if (::geteuid() == 0)
    spec.command.insert(spec.command.begin(),
                        {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"});
  auto dev = Process::Start(spec);
  ASSERT_TRUE(dev.ok());
  ASSERT_TRUE((*dev)->WaitExit(seconds(30)));
  for (const auto& entry : fs::recursive_directory_iterator(folder_))
    fs::permissions(entry.path(), fs::perms(0755));
  EXPECT_EQ((*dev)->exit_status(), 0) << Read("log");
  EXPECT_EQ(Read("log"), "lab up\n");
}

TEST_F(DevScriptTest, CtrlCEndsWith130WhateverWasRunning) {
  Write("stand-ins/dpkg-query", "#!/bin/sh\nprintf installed\n");
  Write("stand-ins/cmake", "#!/bin/sh\n: >" + In("begun") + "\nread word <" + In("go") + "\n");
  ASSERT_EQ(::mkfifo(In("go").c_str(), 0600), 0);
  auto dev = Process::Start(Dev({"demo"}));
  ASSERT_TRUE(dev.ok());
  ASSERT_TRUE(WaitUntil([&] { return fs::exists(In("begun")); }, seconds(30)));
  (*dev)->Signal(SIGINT);
  std::ofstream(In("go")) << "on\n";
  ASSERT_TRUE((*dev)->WaitExit(seconds(30)));
  EXPECT_EQ(WEXITSTATUS((*dev)->exit_status().value_or(0)), 130) << Read("log");
}

TEST_F(DevScriptTest, TwoInOneCloneBuildOneAfterTheOther) {
  Write("stand-ins/dpkg-query", "#!/bin/sh\necho installed\n");
  Write("stand-ins/cmake", "#!/bin/sh\n: >" + In("begun") + "\n");
  fs::create_directories(In("project/build"));
  const int other = ::open(In("project/build/lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  ASSERT_EQ(::flock(other, LOCK_EX), 0);
  auto dev = Process::Start(Dev({"build"}));
  ASSERT_TRUE(dev.ok());
  const auto says = [&] { return Read("log").find("waiting for another ./dev") != std::string::npos; };
  EXPECT_TRUE(WaitUntil(says, seconds(30)));
  EXPECT_FALSE(fs::exists(In("begun")));
  ::close(other);
  ASSERT_TRUE((*dev)->WaitExit(seconds(30)));
  EXPECT_TRUE(fs::exists(In("begun")));
}

// apt-get goes on when the script is told to end, and would start services once the policy is gone.
TEST_F(DevScriptTest, AnInstallationThatIsInterruptedStillLeavesNoService) {
  Write("stand-ins/dpkg-query", "#!/bin/sh\nexit 1\n");
  const std::string wants = In("etc/systemd/system/multi-user.target.wants");
  Write("stand-ins/apt-get", "#!/bin/sh\n[ $2 = update ] && exit\n: >" + In("begun") + "\nread word <" +
                                 In("go") + "\ncat " + Policy() + " >" + In("policy-seen") + "\nmkdir -p " +
                                 wants + "\nln -s /nowhere " + wants + "/new.service\n");
  Write("sbin/policy-rc.d", "of this machine\n");
  ASSERT_EQ(::mkfifo(In("go").c_str(), 0600), 0);
  auto dev = Process::Start(Dev({"packages"}));
  ASSERT_TRUE(dev.ok());
  ASSERT_TRUE(WaitUntil([&] { return fs::exists(In("begun")); }, seconds(30)));
  (*dev)->Signal(SIGTERM);
  std::ofstream(In("go")) << "on\n";
  ASSERT_TRUE((*dev)->WaitExit(seconds(30)));
  EXPECT_EQ(WEXITSTATUS((*dev)->exit_status().value_or(0)), 130);
  EXPECT_THAT(Read("policy-seen"), HasSubstr("exit 101"));
  EXPECT_EQ(Read("sbin/policy-rc.d"), "of this machine\n");
  EXPECT_TRUE(fs::is_empty(wants)) << "the new service stays enabled";
}

TEST_F(DevScriptTest, APolicyLeftByAKilledInstallationIsNotKept) {
  Write("stand-ins/dpkg-query", "#!/bin/sh\nexit 1\n");
  Write("stand-ins/apt-get", "#!/bin/sh\ncp " + Policy() + " " + In("policy-seen") + "\n");
  for (int i = 0; i < 2; ++i) {
    auto dev = Process::Start(Dev({"packages"}));
    ASSERT_TRUE(dev.ok());
    ASSERT_TRUE((*dev)->WaitExit(seconds(30)));
    EXPECT_FALSE(fs::exists(Policy()));
    fs::rename(In("policy-seen"), Policy());
  }
}

}  // namespace
}  // namespace registry::lab
