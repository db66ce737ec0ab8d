// What a partner does: install the follower, and compile the example with pkg-config.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/shell.h"
#include "tests/support/temporary_folder.h"

namespace registry::test {
namespace {

TEST(FollowInstall, TheExampleIsCompiledAgainstWhatIsInstalled) {
  const TemporaryFolder folder;
  const Ran installed = Shell("cmake --install '" REGISTRY_BINARY_DIR "' --component follow --prefix '" +
                              folder.In("prefix") + "' 2>&1");
  ASSERT_TRUE(installed.ok()) << installed.output;
  const std::string here = "cd '" + folder.In("") + "' && ";
  const Ran built = Shell(
      here + "c++ -std=c++17 -Wall -Wextra -Werror " REGISTRY_SOURCE_DIR
             "/clients/follow/example.cpp $(PKG_CONFIG_PATH=prefix/lib/pkgconfig "
             "pkg-config --cflags --libs registry-follow) -Wl,-rpath,'$ORIGIN/prefix/lib' -o mine 2>&1");
  ASSERT_TRUE(built.ok()) << built.output;
  folder.Write("file", "x");
  EXPECT_EQ(Shell(here + "./mine 127.0.0.1 nowhere file file asp-a position 2>&1").output,
            "nowhere cannot be read, or is empty\n");
  EXPECT_EQ(Shell(here + "./mine 127.0.0.1 file file file asp-a nowhere/position 2>&1").output,
            "nowhere/position.new: No such file or directory\n");
  for (const char* name : {"registry_follow.py", "registry_follow.js", "active_devices.py"}) {
    EXPECT_TRUE(std::filesystem::exists(
        folder.In(std::string("prefix/share/doc/iot_registry_bridge/follow/") + name)));
  }
}

}  // namespace
}  // namespace registry::test
