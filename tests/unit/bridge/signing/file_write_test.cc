#include "bridge/signing/file_write.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "bridge/signing/blocked_keys.h"
#include "tests/support/openssl_tool.h"

namespace registry::signing {
namespace {

mode_t ModeOf(const std::string& file) {
  struct stat info {};
  EXPECT_EQ(stat(file.c_str(), &info), 0);
  return info.st_mode & 07777;
}

TEST(FileWrite, ReplacesWholeFiles) {
  const test::TemporaryFolder folder;
  const std::string file = folder.In("crl.pem");
  ASSERT_TRUE(ReplaceFile(file, "first", 0644).ok());
  ASSERT_TRUE(ReplaceFile(file, "second", 0600).ok());
  EXPECT_EQ(folder.Read("crl.pem"), "second");
  EXPECT_EQ(ModeOf(file), 0600u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.In("")), {}), 1)
      << "nothing temporary is left";
}

TEST(FileWrite, AReaderSeesOneVersionWhole) {
  const test::TemporaryFolder folder;
  const std::string file = folder.In("crl.pem");
  ASSERT_TRUE(ReplaceFile(file, std::string(100'000, 'a'), 0644).ok());
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int i = 0; i < 20; ++i)
      EXPECT_TRUE(ReplaceFile(file, std::string(100'000, i % 2 ? 'a' : 'b'), 0644).ok());
    done = true;
  });
  while (!done) {
    const std::string seen = folder.Read("crl.pem");
    ASSERT_EQ(seen.size(), 100'000u);
    ASSERT_EQ(seen, std::string(100'000, seen[0]));
  }
  writer.join();
}

TEST(FileWrite, AFailureLeavesTheOldFile) {
  const test::TemporaryFolder folder;
  const auto failed = ReplaceFile(folder.In("missing/crl.pem"), "text", 0644);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().symbol, "file_failed");
  EXPECT_THAT(failed.error().message, testing::HasSubstr("missing/crl.pem"));
}

TEST(FileWrite, CreatesOnlyWhatIsNotThere) {
  const test::TemporaryFolder folder;
  ASSERT_TRUE(CreateFile(folder.In("a"), "one", 0600).ok());
  const auto again = CreateFile(folder.In("a"), "two", 0600);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().symbol, "file_exists");
  EXPECT_EQ(folder.Read("a"), "one");
}

TEST(BlockedKeys, FindsWhatIsListed) {
  const test::TemporaryFolder folder;
  const std::string a(64, 'a'), b = std::string(64, 'B');
  const auto keys =
      BlockedKeys::Load(folder.Write("list", "# weak keys\n\n" + b + "  # leaked\r\n  " + a + "\n"));
  ASSERT_TRUE(keys.ok()) << keys.error().message;
  EXPECT_EQ(keys->size(), 2u);
  EXPECT_TRUE(keys->Contains(Bytes(32, 0xaa)));
  EXPECT_TRUE(keys->Contains(Bytes(32, 0xbb)));
  EXPECT_FALSE(keys->Contains(Bytes(32, 0xcc)));
  EXPECT_FALSE(keys->Contains({}));
}

TEST(BlockedKeys, RefusesALineItCannotRead) {
  const test::TemporaryFolder folder;
  for (const char* line : {"xyz", "aabb", "# fine\nzz"}) {
    const auto keys = BlockedKeys::Load(folder.Write("list", line));
    ASSERT_FALSE(keys.ok());
    EXPECT_EQ(keys.error().symbol, "blocked_keys_invalid");
    EXPECT_THAT(keys.error().message, testing::HasSubstr("list:"));
  }
  EXPECT_FALSE(BlockedKeys::Load(folder.In("missing")).ok());
  EXPECT_TRUE(BlockedKeys::Load(folder.Write("empty", "")).ok());
}

}  // namespace
}  // namespace registry::signing
