// What an operator does with the packages, and a partner with that of the lab: install them into a Debian that has nothing
// else, set a registry up, start it, rehearse, remove them. The judges are Debian's: lintian, apt, systemd-analyze, man.
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/shell.h"
#include "tests/support/temporary_folder.h"

namespace registry {
namespace {

using test::Ran;
using test::Shell;
using testing::HasSubstr;

class PackageTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    ASSERT_EQ(::geteuid(), 0u) << "only root makes a root of its own";
    folder_ = new test::TemporaryFolder();
    // lintian asks for a host that mail reaches; nothing is sent.
    const Ran built =
        Shell("DEB_BUILD_OPTIONS=noautodbgsym DEBEMAIL=packager@debian.org '" REGISTRY_SOURCE_DIR
              "/packaging/build' '" +
              std::string(REGISTRY_BINARY_DIR) + "' '" + In("packages") + "' 2>&1");
    ASSERT_TRUE(built.ok()) << built.output;
    const Ran root =
        Shell(". /etc/os-release; cd '" + In("packages") +
              "'; mmdebstrap --mode=root --variant=minbase --customize-hook='copy-in " + Package("bridge") +
              " " + Package("lab") +
              " /tmp' --customize-hook='chroot \"$1\" apt-get -qy install --no-install-recommends /tmp/" +
              Package("bridge") + " /tmp/" + Package("lab") + "' \"$VERSION_CODENAME\" '" + In("root") +
              "' $(ls /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources "
              "2>/dev/null) 2>&1");
    ASSERT_TRUE(root.ok()) << root.output;
    installed_ = true;
  }
  static void TearDownTestSuite() { delete folder_; }
  void SetUp() override { ASSERT_TRUE(installed_); }

  static std::string In(const std::string& name) { return folder_->In(name); }
  static std::string Package(const std::string& which) {
    for (const auto& entry : std::filesystem::directory_iterator(In("packages"))) {
      const std::string name = entry.path().filename();
      if (name.starts_with("iot-registry-" + which + "_") && name.ends_with(".deb")) return name;
    }
    return "none";
  }
  // A script of this folder, in the root.
  static std::string Script(const std::string& name) {
    std::filesystem::copy_file(REGISTRY_SOURCE_DIR "/tests/packaging/" + name, In("root/tmp/" + name));
    return "/tmp/" + name;
  }
  // In the root, with its own mounts and processes, which end with the command.
  static Ran There(const std::string& line) {
    return Shell(
        "unshare --mount --pid --fork sh -ec 'mount -t proc proc \"$0/proc\"; mount --rbind /dev "
        "\"$0/dev\"; exec chroot \"$0\" " +
        line + "' '" + In("root") + "' 2>&1");
  }

  static inline test::TemporaryFolder* folder_ = nullptr;
  static inline bool installed_ = false;
};

TEST_F(PackageTest, LintianFindsNothing) {
  const Ran found =
      Shell("lintian --allow-root --fail-on error,warning '" + In("packages") + "'/*.changes 2>&1");
  EXPECT_TRUE(found.ok()) << found.output;
}

TEST_F(PackageTest, TheServiceIsHardened) {
  const Ran known = There("systemd-analyze verify --man=no /usr/lib/systemd/system/registryd.service");
  EXPECT_TRUE(known.ok()) << known.output;
  EXPECT_EQ(known.output, "");
  const Ran exposed = There(
      "systemd-analyze security --offline=true --no-pager --threshold=25 "
      "/usr/lib/systemd/system/registryd.service");
  EXPECT_TRUE(exposed.ok()) << exposed.output;
  EXPECT_THAT(exposed.output, HasSubstr("Overall exposure level"));
}

TEST_F(PackageTest, ARegistryIsSetUpAndServes) {
  const Ran ran = There("bash -eu " + Script("set_up.sh"));
  EXPECT_TRUE(ran.ok()) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("without the resolver's certificate: 2"));
  EXPECT_THAT(ran.output, HasSubstr("configuration is good"));
  EXPECT_THAT(ran.output, HasSubstr("\"zone_port\""));
  EXPECT_THAT(ran.output, HasSubstr("ended: 0"));
  EXPECT_THAT(ran.output, HasSubstr("the broker lets the registry in"));
  EXPECT_EQ(ran.output.find("Error"), std::string::npos) << "of the broker: " << ran.output;
}

TEST_F(PackageTest, EveryProgramHasAPageAndIsCompleted) {
  const Ran pages = There("bash -eu " + Script("pages.sh"));
  EXPECT_TRUE(pages.ok()) << pages.output;
  EXPECT_EQ(pages.output.find("no page"), std::string::npos) << pages.output;
  EXPECT_THAT(pages.output, HasSubstr("registryctl part: party\n"));
  EXPECT_THAT(pages.output, HasSubstr("registryctl party lis: list\n"));
  EXPECT_THAT(pages.output, HasSubstr("registryctl party list --js: --json\n"));
}

TEST_F(PackageTest, APartnerRehearsesWithoutCompiling) {
  const Ran ran = There("registry-lab demo --devices 3 --dir /tmp/lab");
  EXPECT_TRUE(ran.ok()) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("3 of 3 devices are active")) << ran.output;
}

// The last one.
TEST_F(PackageTest, WhatIsPurgedLeavesTheLedgerAndNothingElse) {
  const Ran ran = There("bash -eu " + Script("purge.sh"));
  EXPECT_TRUE(ran.ok()) << ran.output;
  EXPECT_EQ(ran.output, "/var/lib/iot-registry\n/var/log/iot-registry\n") << ran.output;
}

}  // namespace
}  // namespace registry
