// The key of the authorisation codes: a file of its own that the owner alone may touch, and keys that are derived from it.
#include "bridge/signing/code_key.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "bridge/signing/file_write.h"
#include "tests/support/temporary_folder.h"

namespace registry::signing {
namespace {

namespace fs = std::filesystem;

class CodeKeyTest : public testing::Test {
 protected:
  std::string Symbol() const {
    const auto key = LoadCodeKey(file_);
    return key ? "" : key.error().symbol;
  }
  void Write(const std::string& content, fs::perms permissions = fs::perms::owner_read) const {
    std::ofstream(file_) << content;
    fs::permissions(file_, permissions);
  }

  test::TemporaryFolder folder_;
  const std::string file_ = folder_.In("authorisation.key");
};

TEST_F(CodeKeyTest, WhatIsMadeIsLoaded) {
  ASSERT_TRUE(CreateSecretFile(file_).ok());
  const auto key = LoadCodeKey(file_);
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(key->size(), 32u);
  EXPECT_EQ(DerivedKey(*key, "one"), DerivedKey(*key, "one"));
  EXPECT_NE(DerivedKey(*key, "one"), DerivedKey(*key, "other"));
}

TEST_F(CodeKeyTest, AMissingOneIsToldWithTheCommandThatMakesIt) {
  EXPECT_EQ(Symbol(), "code_key_unreadable");
  EXPECT_NE(LoadCodeKey(file_).error().message.find("registryctl authorisation key"), std::string::npos);
}

TEST_F(CodeKeyTest, OneThatOthersCanReadIsRefused) {
  Write(std::string(43, 'A') + "=\n", fs::perms::owner_read | fs::perms::group_read);
  EXPECT_EQ(Symbol(), "code_key_exposed");
}

TEST_F(CodeKeyTest, OneOfAnotherLengthIsRefused) {
  Write("AAAA\n");
  EXPECT_EQ(Symbol(), "code_key_invalid");
}

}  // namespace
}  // namespace registry::signing
