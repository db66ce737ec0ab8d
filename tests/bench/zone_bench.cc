// tests/bench/zone_bench.cc: what a change of the zone costs this process, beside raw P-256 signing in the same run.
// bench_zone [--json FILE] [--names N]...: for zones of N names (10,000 and 100,000 when none is given) and batches of
// 1, 100 and 1000 added devices, CPU µs per device (all threads of the process) and devices per second. The floor is
// three raw signatures with a reused context: the RRset's, its NSEC3's and that of the NSEC3 before it. Ratio: 1 is the
// floor itself, less is slower (the goal of 1.4 times the floor reads 0.71 here).
#include <cstring>

#include "bridge/zone/apex.h"
#include "bridge/zone/store.h"
#include "tests/bench/arguments.h"
#include "tests/bench/report.h"
#include "tests/unit/bridge/zone/zone_files.h"

namespace registry::zone::testing {
namespace {

double CpuMicros() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

struct Cost {
  double cpu_micros = 0, wall_micros = 0;
};

template <class Work>
Cost Measure(Work work) {
  const double cpu = CpuMicros();
  const auto start = std::chrono::steady_clock::now();
  work();
  const std::chrono::duration<double, std::micro> wall = std::chrono::steady_clock::now() - start;
  return {CpuMicros() - cpu, wall.count()};
}

// CPU µs of one signature over a message of the usual size.
double RawSignature(const ZoneProfile& profile, int count) {
  KeySigner signer(profile.signing.zsk, profile.signing.patience);
  const Bytes message(200, 0x5a);
  return Measure([&] {
           for (int i = 0; i < count; ++i) signer.Sign(message);
         }).cpu_micros /
         count;
}

class ZoneBench {
 public:
  ZoneBench(std::uint64_t names, bench::Report& report)
      : names_(names), report_(report), profile_(*ProfileOf(files_.options())) {}

  void Run() {
    FirstSigning();
    for (std::uint64_t batch : {1u, 100u, 1000u}) AddDevices(batch);
  }

 private:
  std::vector<domain::ZoneChange> Next(std::uint64_t count) {
    std::vector<domain::ZoneChange> changes;
    changes.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) changes.push_back(Published(device_++));
    return changes;
  }

  void FirstSigning() {
    const double raw = RawSignature(profile_, 2000);
    store_ = std::make_unique<ZoneStore>(profile_, 64u << 20, 4096, clock_.Now());
    std::vector<std::vector<domain::ZoneChange>> pages;
    for (std::uint64_t left = names_; left > 0; left -= pages.back().size()) {
      pages.push_back(Next(std::min<std::uint64_t>(left, 4096)));
    }
    const Cost cost = Measure([&] {
      for (const auto& page : pages) store_->Load(page, clock_.Now());
      store_->FinishLoad(serial_, clock_.Now());
    });
    const double each = cost.cpu_micros / static_cast<double>(names_);
    report_.Add("zone.first_signing_cpu." + std::to_string(names_), each, "us/name", 2 * raw,
                "2 raw P-256 signatures", 2 * raw / each);
  }

  void AddDevices(std::uint64_t batch) {
    const std::uint64_t rounds = batch == 1 ? 1000 : batch == 100 ? 40 : 5;
    std::vector<std::vector<domain::ZoneChange>> batches;
    for (std::uint64_t i = 0; i < rounds; ++i) batches.push_back(Next(batch));
    const double raw_before = RawSignature(profile_, 2000);
    const Cost cost = Measure([&] {
      for (const auto& changes : batches) store_->Publish(changes, 0, ++serial_, clock_.Now());
    });
    const double raw = (raw_before + RawSignature(profile_, 2000)) / 2;
    const double devices = static_cast<double>(rounds * batch);
    const std::string suffix = std::to_string(names_) + ".batch" + std::to_string(batch);
    const double floor = 3 * raw, each = cost.cpu_micros / devices;
    report_.Add("zone.device_cpu." + suffix, each, "us/device", floor, "3 raw P-256 signatures",
                floor / each);
    const double rate = devices / cost.wall_micros * 1e6, floor_rate = 1e6 / floor;
    report_.Add("zone.devices_per_s." + suffix, rate, "devices/s", floor_rate,
                "3 raw signatures each, one thread", rate / floor_rate);
  }

  std::uint64_t names_;
  bench::Report& report_;
  ZoneFiles files_;
  SystemClock clock_;
  ZoneProfile profile_;
  std::unique_ptr<ZoneStore> store_;
  std::uint64_t device_ = 0;
  std::uint32_t serial_ = 1;
};

int Main(int argc, char** argv) {
  std::vector<std::uint64_t> sizes{10'000, 100'000};
  bench::Arguments arguments("bench_zone");
  arguments.app()
      .add_option("--names", sizes, "names in the zone; again for another size")
      ->check(CLI::PositiveNumber);
  if (const auto end = arguments.Parse(argc, argv)) return *end;
  bench::Report report;
  for (std::uint64_t names : sizes) ZoneBench(names, report).Run();
  return report.Write(arguments.json()) ? 0 : 1;
}

}  // namespace
}  // namespace registry::zone::testing

int main(int argc, char** argv) { return registry::zone::testing::Main(argc, argv); }
