// Every header compiles alone, whoever includes it first (tests/headers/CMakeLists.txt says which, and has the build do
// it).
#include <gtest/gtest.h>

#include <string>

#include "tests/support/shell.h"

namespace registry {
namespace {

test::Ran Build(const std::string& target) {
  return test::Shell("cmake --build '" REGISTRY_BINARY_DIR "' --target " + target + " -- -k 0 -j 2 2>&1");
}

TEST(Headers, CompileAlone) {
  const test::Ran built = Build("headers_alone");
  EXPECT_TRUE(built.ok()) << "include what is used:\n" << built.output;
}

TEST(Headers, OneThatLeansOnAnotherIsFound) {
  const test::Ran built = Build("header_leaning");
  EXPECT_FALSE(built.ok());
  EXPECT_NE(built.output.find("leaning.txt"), std::string::npos) << built.output;
}

}  // namespace
}  // namespace registry
