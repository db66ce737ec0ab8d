#include "simulators/lab/confined.h"

#include <gtest/gtest.h>

#include "simulators/lab/process.h"
#include "tests/support/temporary_folder.h"

namespace registry::lab {
namespace {

using test::TemporaryFolder;

TEST(Confined, ByAProfileThatTheKernelApplies) {
  const TemporaryFolder root;
  const auto is = [&] { return IsConfined("/usr/sbin/named", root.In("sys"), root.In("etc")); };
  std::filesystem::create_directories(root.In("sys/module/apparmor/parameters"));
  std::filesystem::create_directories(root.In("etc/apparmor.d"));
  EXPECT_FALSE(is());
  root.Write("etc/apparmor.d/usr.sbin.named", "profile");
  EXPECT_FALSE(is());
  root.Write("sys/module/apparmor/parameters/enabled", "N\n");
  EXPECT_FALSE(is());
  root.Write("sys/module/apparmor/parameters/enabled", "Y\n");
  EXPECT_TRUE(is());
  EXPECT_FALSE(IsConfined("/usr/sbin/nsd", root.In("sys"), root.In("etc")));
}

// The copies run, also over those of an earlier lab.
TEST(Confined, ACopyRunsInItsPlace) {
  const TemporaryFolder folder;
  for (int times = 0; times < 2; ++times) {
    for (const auto& [name, version] : {std::pair("named", "-v"), std::pair("unbound", "-V")}) {
      EXPECT_EQ(*Unconfined(name, folder.In(""), false), name);
      const auto copy = Unconfined(name, folder.In(""), true);
      ASSERT_TRUE(copy) << copy.error().message;
      EXPECT_EQ(*copy, folder.In(name));
      const auto said = RunToEnd({*copy, version});
      ASSERT_TRUE(said) << said.error().message;
      EXPECT_FALSE(said->empty());
    }
  }
  EXPECT_FALSE(Unconfined("named", folder.In("nowhere"), true));
}

}  // namespace
}  // namespace registry::lab
