// simulators/lab/make_vectors.sh makes vectors out of a lab today as it made those of schemas/vectors, and OpenSSL finds
// that they hold.
#include <gtest/gtest.h>

#include <set>

#include "tests/support/shell.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_lab.h"

namespace registry::test {
namespace {

namespace fs = std::filesystem;

const std::string kSource = REGISTRY_SOURCE_DIR;

std::set<std::string> FilesIn(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_directory()) names.insert(fs::relative(entry.path(), folder).string());
  }
  return names;
}

TEST(VectorsLab, OthersAreMadeAndHold) {
  const auto lab = NewLabOfServers({});
  ASSERT_NE(lab, nullptr);
  ASSERT_TRUE(lab->WriteDescription(nullptr));
  const TemporaryFolder folder;
  const Ran made = Shell("bash " + kSource + "/simulators/lab/make_vectors.sh " + lab->layout().folder + " " +
                         REGISTRY_BINARY_DIR "/bin/device-sim " + folder.In("") + " 2>&1");
  ASSERT_TRUE(made.ok()) << made.output;
  const Ran ran = Shell("bash " + kSource + "/schemas/vectors/check.sh " + folder.In("") + " 2>&1");
  EXPECT_TRUE(ran.ok()) << ran.output;
  std::set<std::string> kept = FilesIn(kSource + "/schemas/vectors");
  kept.erase("README.md");
  kept.erase("check.sh");
  EXPECT_EQ(FilesIn(folder.path()), kept);
}

}  // namespace
}  // namespace registry::test
