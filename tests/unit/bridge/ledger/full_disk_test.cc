// A disk without space, a real one: a small tmpfs of this test's own. Wherever it gets full, nothing ends in RocksDB's
// assertions; every write and every start answers with an error, and with space again everything acknowledged is there.
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "tests/unit/bridge/ledger/backends.h"

namespace registry::ledger {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void Die(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::_Exit(1);
}

void TakeAllBut(const std::string& file, std::size_t free) {
  std::ofstream ballast(file, std::ios::binary);
  const std::string block(4096, 'x');
  while (ballast.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) continue;
  ballast.close();
  const auto size = fs::file_size(file);
  fs::resize_file(file, size > free ? size - free : 0);
}

domain::Changeset Large(std::uint64_t number) {
  domain::Changeset changes = samples::Registration(number);
  changes.messages.push_back({"t", std::string(2000, 'm'), ""});
  return changes;
}

// Commits until the disk refuses: how many were acknowledged.
std::uint64_t CommitUntilFull(std::uint64_t from, const std::string& folder) {
  const auto ledger = OpenRocksDbLedger({folder});
  if (!ledger) return ledger.error().symbol == kLedgerFailed ? from : (Die(ledger.error().message), from);
  for (std::uint64_t i = from; i < from + 100'000; ++i) {
    const auto committed = (*ledger)->Commit(Large(i));
    if (committed) continue;
    if (committed.error().symbol != kLedgerFailed && committed.error().symbol != kStale) {
      Die("a commit says " + committed.error().message);
    }
    if (committed.error().symbol == kStale)
      continue;  // was written by the run before, which was told that it failed
    if ((*ledger)->Commit(Large(i + 1)).ok()) Die("it writes again without being opened again");
    return i;
  }
  Die("the disk does not get full");
}

// In a process and mount namespace of its own.
void FillTheDisk(const std::string& mountpoint, std::size_t free) {
  if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("tmpfs", mountpoint.c_str(), "tmpfs", 0, "size=16m,mode=0700") != 0) {
    Die("no file system of our own");
  }
  const std::string folder = mountpoint + "/ledger", ballast = mountpoint + "/ballast";
  if (const auto made = CreateRocksDbLedger(folder); !made) Die(made.error().message);
  TakeAllBut(ballast, free);
  std::uint64_t acknowledged = 0;
  for (int start = 0; start < 4; ++start) acknowledged = CommitUntilFull(acknowledged, folder);
  fs::remove(ballast);
  const auto ledger = OpenRocksDbLedger({folder});
  if (!ledger) Die("with space again: " + ledger.error().message);
  for (std::uint64_t i = 0; i < acknowledged; ++i) {
    if (!(*ledger)->LoadDevice(samples::DeviceOf(i))->has_value())
      Die("device " + std::to_string(i) + " is lost");
  }
  if (!Verify(**ledger)->faults.empty()) Die(Verify(**ledger)->faults[0]);
  std::_Exit(0);
}

class FullDiskTest : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Free, FullDiskTest,
                         testing::Values(0, 4096, 12288, 40960, 131072, 524288, 2000000, 6000000));

TEST_P(FullDiskTest, EndsInAnErrorAndNeverInAnAssertion) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root mounts a file system";
  const samples::Folder folder;
  fs::create_directory(folder.path("disk"));
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) FillTheDisk(folder.path("disk"), GetParam());
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_FALSE(WIFSIGNALED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace registry::ledger
