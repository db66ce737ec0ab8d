// Bench (b): synced commits of realistic changesets from 1, 8 and 32 threads, beside a loop that appends as many octets
// to a file and calls fdatasync, in the same run. A device is registered, then certified: two commits each, five to
// twelve keys. CPU is the whole process's.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <thread>
#include <vector>

#include "bridge/ledger/rocksdb/open.h"
#include "schemas/base/check.h"
#include "tests/bench/report.h"
#include "tests/unit/bridge/ledger/samples.h"
#include "workers/domain/standing.h"

namespace {

using namespace registry;
namespace samples = ledger::samples;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kRecordOctets = 3000;  // about what one commit leaves in the log
constexpr int kAppends = 1000;
constexpr std::size_t kReplyOctets = 1100;  // an accepted reply with a certificate or a bootstrap part

double ProcessSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double RawSyncsPerSecond(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  REG_CHECK(fd >= 0);
  const std::string record(kRecordOctets, 'r');
  const auto start = Clock::now();
  for (int i = 0; i < kAppends; ++i) {
    REG_CHECK(::write(fd, record.data(), record.size()) == static_cast<ssize_t>(record.size()));
    REG_CHECK(::fdatasync(fd) == 0);
  }
  const double rate = kAppends / SecondsSince(start);
  ::close(fd);
  return rate;
}

domain::Changeset Certification(std::uint64_t number) {
  domain::Changeset changes;
  changes.mark = samples::Mark(number);
  changes.mark->id = samples::Event("csr-" + std::to_string(number));
  changes.mark->reply.payload.assign(kReplyOctets, 'c');
  changes.devices = {{samples::FullDevice(number), 1}};
  const auto& certificate = *domain::LiveCertificate(changes.devices[0].device);
  changes.claims = {{{domain::UniqueKind::kSerial, certificate.serial}, samples::DeviceOf(number)},
                    {{domain::UniqueKind::kPublicKey, certificate.spki_sha256}, samples::DeviceOf(number)}};
  changes.jobs_put = {samples::Job(number)};
  changes.history = {samples::History(number)};
  changes.messages = {changes.mark->reply};
  changes.notifications = {samples::Notification(number)};
  changes.notifications[0].data.assign(kReplyOctets, 'n');
  changes.zone = {samples::Zone(number)};
  return changes;
}

// Made before the clock starts: the making is the workers' time, not the ledger's.
std::vector<domain::Changeset> ChangesetsOf(std::uint64_t from, std::uint64_t devices) {
  std::vector<domain::Changeset> changesets;
  for (std::uint64_t number = from; number < from + devices; ++number) {
    auto registration = samples::Registration(number);
    registration.mark->reply.payload.assign(kReplyOctets, 'r');
    registration.messages = {registration.mark->reply};
    changesets.push_back(std::move(registration));
    changesets.push_back(Certification(number));
  }
  return changesets;
}

void CommitAll(ledger::Ledger& ledger, std::vector<domain::Changeset> changesets) {
  for (auto& changeset : changesets) REG_CHECK(ledger.Commit(std::move(changeset)).ok());
}

struct Measured {
  double commits_per_second;
  double cpu_micros_per_commit;
};

Measured Commits(ledger::Ledger& ledger, std::uint64_t threads, std::uint64_t devices, std::uint64_t from) {
  std::vector<std::vector<domain::Changeset>> work;
  for (std::uint64_t i = 0; i < threads; ++i) work.push_back(ChangesetsOf(from + i * devices, devices));
  std::vector<std::thread> committing;
  const auto start = Clock::now();
  const double cpu = ProcessSeconds();
  for (auto& changesets : work) {
    committing.emplace_back([&] { CommitAll(ledger, std::move(changesets)); });
  }
  for (auto& thread : committing) thread.join();
  const double commits = static_cast<double>(threads * devices * 2);
  return {commits / SecondsSince(start), (ProcessSeconds() - cpu) * 1e6 / commits};
}

}  // namespace

int main(int argc, char** argv) {
  const samples::Folder folder;
  REG_CHECK(ledger::CreateRocksDbLedger(folder.path()).ok());
  auto opened = ledger::OpenRocksDbLedger({folder.path()});
  REG_CHECK(opened.ok());
  bench::Report report;
  std::uint64_t from = 0;
  for (const std::uint64_t threads : {1u, 8u, 32u}) {
    const double raw = RawSyncsPerSecond(folder.path("raw"));
    const std::uint64_t devices = threads == 1 ? 1000 : 8000 / threads;
    const auto measured = Commits(**opened, threads, devices, from);
    from += threads * devices;
    const std::string name = "ledger_commit_" + std::to_string(threads) + "_threads";
    report.Add(name, measured.commits_per_second, "commits/s", raw, "append + fdatasync, 1 thread",
               measured.commits_per_second / raw);
    report.AddAlone(name + "_cpu", measured.cpu_micros_per_commit, "us/commit");
  }
  return report.Write(argc, argv) ? 0 : 1;
}
