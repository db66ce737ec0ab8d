// Benchmark of revocation, for each kind of secondary, in a zone of 10,000 names, one revocation a second. What comes sooner
// behind another one waits for the interval between versions (bridge/zone/version_interval.h), which bench_latency has:
//   revocation.KIND.served    commit -> the secondary answers without the record. Its floor is the secondary's own part of
//                             that, from the moment at which the version exists
//   revocation.KIND.believed  commit -> a validating resolver (Unbound) that was asked just before says that there is no
//                             such device. Its floor is the record's TTL, which is 5 s here (60 s by default)
// Both are asked from outside, over UDP. The demo has the times from an ASP's command on.
//   bench_revocation [--names N] [--revocations N] [--json FILE]
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "bridge/ledger/ledger.h"
#include "bridge/zone/version_interval.h"
#include "simulators/lab/demo_report.h"
#include "tests/bench/arguments.h"
#include "tests/bench/report.h"
#include "tests/integration/zone/resolver_process.h"
#include "tests/integration/zone/secondary_process.h"

namespace registry::zone::testing {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::uint32_t kTtl = 5;
constexpr double kServedP99Ms = 1000, kBelievedMs = (kTtl + 1) * 1000 + kServedP99Ms;
constexpr std::chrono::seconds kPatience{30};
constexpr auto kBetween = kRevocationPause + std::chrono::milliseconds(100);

struct Figures {
  std::uint64_t names = 10'000, revocations = 10;
};

double Since(Steady::time_point then) {
  return std::chrono::duration<double, std::milli>(Steady::now() - then).count();
}

double QuantileOf(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return lab::Quantile(values, share);
}

class RevocationBench {
 public:
  RevocationBench(Software software, std::string kind, const Figures& figures)
      : software_(software), kind_(std::move(kind)), figures_(figures) {}

  bool Run() {
    if (!Begin()) return false;
    for (std::uint64_t n = 0; n < figures_.revocations; ++n) {
      if (!Revoke(n)) return false;
    }
    return Eventually([this] { return LookAtResolver(); }, kPatience);
  }

  void Add(bench::Report& report) const {
    const std::string row = "revocation." + kind_ + ".";
    for (const auto& [name, share] : {std::pair("p50", 0.5), std::pair("p99", 0.99)}) {
      const double served = QuantileOf(served_, share), transfer = QuantileOf(transfer_, share);
      report.Add(row + "served." + name, served, "ms", transfer, "version to served", transfer / served,
                 share > 0.9 ? std::optional(kServedP99Ms) : std::nullopt);
    }
    const double believed = QuantileOf(believed_, 1);
    report.Add(row + "believed.max", believed, "ms", kTtl * 1000, "TTL of 5 s", kTtl * 1000 / believed,
               kBelievedMs);
  }

 private:
  bool Begin() {
    domain::Changeset names;
    for (std::uint64_t n = 0; n < figures_.names; ++n) names.zone.push_back(Published(n));
    if (!ledger_->Commit(std::move(names))) return false;
    const std::uint16_t port = FreePort();
    secondary_ = std::make_unique<SecondaryProcess>(software_, files_, "secondary", port);
    secondary_->Start();
    Options options = files_.options();
    options.tlsa_ttl = kTtl;
    options.secondaries = {secondary_->address()};
    options.listen_port = port;
    auto publisher = Publisher::Create(
        options, *ledger_, [](const auto&) { return true; }, [](int, const auto&) {});
    if (!publisher) return false;
    publisher_ = std::move(*publisher);
    return publisher_->Start().ok() &&
           Eventually([this] { return AskSecondary(0).records > 0; }, kPatience) &&
           resolver_.Start(secondary_->port());
  }
  static std::string NameOf(std::uint64_t n) { return DeviceName(DeviceOf(n), kZone); }
  Heard AskSecondary(std::uint64_t n) const { return AskPort(secondary_->port(), NameOf(n)); }

  bool Revoke(std::uint64_t n) {
    if (!Eventually([&] { return resolver_.Ask(NameOf(n)).believed(); }, kPatience)) return false;
    const std::uint32_t before = publisher_->snapshot().serial;
    const auto begun = Steady::now();
    if (!ledger_->Commit(Decided({Gone(n, 2)}, SystemClock().Now()))) return false;
    still_believed_[n] = begun;
    std::optional<double> version;
    const bool served = Eventually(
        [&] {
          if (!version && publisher_->snapshot().serial != before) version = Since(begun);
          const Heard heard = AskSecondary(n);
          return heard.answered && heard.records == 0;
        },
        kPatience);
    served_.push_back(Since(begun));
    transfer_.push_back(served_.back() - version.value_or(served_.back()));
    while (Steady::now() - begun < kBetween) {
      LookAtResolver();
      poll(nullptr, 0, 10);
    }
    return served;
  }
  // Whether nobody is believed any more.
  bool LookAtResolver() {
    std::erase_if(still_believed_, [this](const auto& one) {
      if (!resolver_.Ask(NameOf(one.first)).nxdomain()) return false;
      believed_.push_back(Since(one.second));
      return true;
    });
    return still_believed_.empty();
  }

  const Software software_;
  const std::string kind_;
  const Figures figures_;
  ZoneFiles files_;
  std::unique_ptr<ledger::Ledger> ledger_ = ledger::OpenMemoryLedger();
  std::unique_ptr<SecondaryProcess> secondary_;
  ResolverProcess resolver_{files_};
  std::unique_ptr<Publisher> publisher_;
  std::map<std::uint64_t, Steady::time_point> still_believed_;  // since when they are revoked
  std::vector<double> served_, transfer_, believed_;            // ms
};

}  // namespace
}  // namespace registry::zone::testing

int main(int argc, char** argv) {
  using namespace registry::zone::testing;
  Figures figures;
  registry::bench::Arguments arguments("bench_revocation");
  arguments.app()
      .add_option("--names", figures.names, "in the zone (10000)")
      ->check(CLI::Range(1u, 1'000'000u));
  arguments.app()
      .add_option("--revocations", figures.revocations, "of each kind of secondary (10)")
      ->check(CLI::Range(1u, 1000u));
  if (const auto end = arguments.Parse(argc, argv)) return *end;
  registry::bench::Report report;
  for (const auto& [software, kind] : {std::pair(Software::kBind, "bind"), std::pair(Software::kNsd, "nsd"),
                                       std::pair(Software::kKnot, "knot")}) {
    RevocationBench bench(software, kind, figures);
    if (!bench.Run()) {
      std::fprintf(stderr, "%s or the resolver behind it did not serve what it should\n", kind);
      return 1;
    }
    bench.Add(report);
  }
  return report.Write(arguments.json()) ? 0 : 1;
}
