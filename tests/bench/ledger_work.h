// tests/bench/ledger_work.h: what benchmarks of the ledger commit: a device is registered, then certified, two commits each,
// 17 keys and 5 KB on average. The changesets are made before the clock starts: the making is the workers' time, not the
// ledger's. CPU is the whole process's. Threads: the main one.
#pragma once

#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "bridge/ledger/ledger.h"
#include "schemas/base/check.h"
#include "tests/unit/bridge/ledger/samples.h"
#include "workers/domain/standing.h"

namespace registry::bench {

namespace samples = ledger::samples;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kReplyOctets = 1100;  // an accepted reply with a certificate or a bootstrap part

inline double ProcessSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

inline double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

inline domain::Changeset Certification(std::uint64_t number) {
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

inline std::vector<domain::Changeset> ChangesetsOf(std::uint64_t from, std::uint64_t devices) {
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

inline void CommitAll(ledger::Ledger& ledger, std::vector<domain::Changeset> changesets) {
  for (auto& changeset : changesets) REG_CHECK(ledger.Commit(std::move(changeset)).ok());
}

struct Measured {
  double commits_per_second;
  double cpu_micros_per_commit;
};

inline Measured Commits(ledger::Ledger& ledger, std::uint64_t threads, std::uint64_t devices,
                        std::uint64_t from) {
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

// One thread hands all over; the ledger bounds what waits.
inline Measured CommitsLater(ledger::Ledger& ledger, std::uint64_t devices, std::uint64_t from) {
  auto changesets = ChangesetsOf(from, devices);
  std::atomic<std::size_t> committed{0};
  const std::size_t all = changesets.size();
  const auto start = Clock::now();
  const double cpu = ProcessSeconds();
  for (auto& changeset : changesets) {
    ledger.CommitLater(std::move(changeset), [&](const Status& status) {
      REG_CHECK(status.ok());
      if (++committed == all) committed.notify_one();
    });
  }
  for (auto count = committed.load(); count != all; count = committed.load()) committed.wait(count);
  const auto commits = static_cast<double>(all);
  return {commits / SecondsSince(start), (ProcessSeconds() - cpu) * 1e6 / commits};
}

}  // namespace registry::bench
