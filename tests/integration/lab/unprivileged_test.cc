// registry-lab for a user without root's rights, in a folder of his own: whoever has the packages has a sandbox.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/shell.h"
#include "tests/support/temporary_folder.h"

namespace registry::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr uid_t kNobody = 65534;

class UnprivilegedLab : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const fs::path home = folder_.path() / "home";
    fs::create_directory(home);
    if (!IsRoot()) return;
    fs::permissions(folder_.path(), fs::perms(0755));
    ASSERT_EQ(::chown(home.c_str(), kNobody, kNobody), 0);
    // Not everybody may look into every clone.
    for (const char* copied : {"programs", "source"}) fs::create_directory(folder_.path() / copied);
    if (!AsNobody("test -r '" + programs_ + "/registryd' && test -r '" + source_ + "/dev'").ok()) CopyAll();
  }
  void TearDown() override { (void)AsNobody(Program("down") + " --dir lab"); }

  static bool IsRoot() { return ::geteuid() == 0; }
  static uid_t User() { return IsRoot() ? kNobody : ::geteuid(); }
  Ran AsNobody(const std::string& line) const {
    const std::string home = folder_.In("home");
    std::ofstream(folder_.In("line.sh")) << "exec 2>&1\ncd " + home + "\n" + line + "\n";
    const std::string rights = IsRoot() ? "setpriv --reuid=65534 --regid=65534 --clear-groups " : "";
    return Shell("cd / && " + rights + "env -i PATH=/usr/bin:/bin HOME=" + home + " bash " +
                 folder_.In("line.sh"));
  }
  std::string Program(const std::string& command) const { return programs_ + "/registry-lab " + command; }
  std::string Options() const {
    // The plug-in of the ASPs' brokers finds its library where it was built, which this user cannot read then.
    const std::string without = copied_ ? " --telemetry off" : "";
    return " --programs " + programs_ + " --broker-config " + source_ + "/broker-config" + without;
  }
  json LabJson() const {
    std::ifstream file(folder_.In("home/lab/lab.json"));
    return json::parse(file, nullptr, false);
  }

  const TemporaryFolder folder_;
  std::string programs_ = REGISTRY_BINARY_DIR "/bin", source_ = REGISTRY_SOURCE_DIR;
  bool copied_ = false;

 private:
  void CopyAll() {
    for (const char* name : {"registry-lab", "registryd", "registryctl", "mno-sim", "asp-sim", "device-sim",
                             "registry-subscribe-guard.so"}) {
      fs::copy_file(programs_ + "/" + name, folder_.In(std::string("programs/") + name));
    }
    for (const char* name : {"broker-config", "simulators/lab"}) {
      fs::create_directories(folder_.path() / "source" / fs::path(name).parent_path());
      fs::copy(source_ + "/" + name, folder_.In(std::string("source/") + name), fs::copy_options::recursive);
    }
    programs_ = folder_.In("programs");
    source_ = folder_.In("source");
    copied_ = true;
  }
};

TEST_P(UnprivilegedLab, ComesUpAndServesAndGoesDown) {
  const Ran up = AsNobody(Program("up") + " --servers-only --dir lab --secondary " + GetParam() + Options());
  ASSERT_TRUE(up.ok()) << up.output;
  const json described = LabJson();
  ASSERT_TRUE(described.is_object());
  ASSERT_GE(described.at("processes").size(), 4u);
  for (const json& process : described.at("processes")) {
    struct stat status {};
    ASSERT_EQ(::stat(("/proc/" + std::to_string(process.at("pid").get<pid_t>())).c_str(), &status), 0)
        << process;
    EXPECT_EQ(status.st_uid, User()) << process;
  }
  if (GetParam() == "bind") {  // the usual one
    const Ran session = AsNobody("bash " + source_ + "/simulators/lab/by_hand.sh lab");
    EXPECT_TRUE(session.ok()) << session.output;
    EXPECT_NE(session.output.find("; fully validated"), std::string::npos) << session.output;
  }
  const Ran down = AsNobody(Program("down") + " --dir lab");
  EXPECT_TRUE(down.ok()) << down.output;
}

INSTANTIATE_TEST_SUITE_P(With, UnprivilegedLab, testing::Values("bind", "nsd", "knot"),
                         [](const testing::TestParamInfo<std::string>& secondary) {
                           return secondary.param;
                         });

using UnprivilegedDemo = UnprivilegedLab;

TEST_P(UnprivilegedDemo, LeadsADeviceToItsAsp) {
  const Ran demo = AsNobody(Program("demo") + " --devices 1 --dir lab --secondary " + GetParam() + Options());
  EXPECT_TRUE(demo.ok()) << demo.output;
  EXPECT_NE(demo.output.find("1 of 1 devices are active"), std::string::npos) << demo.output;
}

INSTANTIATE_TEST_SUITE_P(With, UnprivilegedDemo, testing::Values("bind"));

}  // namespace
}  // namespace registry::test
