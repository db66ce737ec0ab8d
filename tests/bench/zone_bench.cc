// tests/bench/zone_bench.cc: what a change of the zone costs this process, beside raw P-256 signing in the same run.
// bench_zone [--json FILE] [--names N]...: for zones of N names (10,000 and 100,000 when none is given) and batches of
// 1, 100 and 1000 added devices, CPU µs per device (all threads of the process) and devices per second. The floor is
// three raw signatures with a reused context: the RRset's, its NSEC3's and that of the NSEC3 before it. Ratio: 1 is the
// floor itself, less is slower (the goal of 1.4 times the floor reads 0.71 here). Besides: octets of memory per name beside
// those of a whole transfer, when the zone was signed and when it was read from its file; and a start from the ledger and
// the file that keeps the signed zone, beside a read of that file alone. What the opening of the ledger takes, whose log
// holds all of it here, is a row of its own. At last the walk that gives every RRset the signature of a second algorithm
// (ED25519), as an algorithm roll-over does, and the memory that this takes, with the walk's journal. Before that another
// node follows the zone over TCP, and takes over: what it costs both to copy the whole zone, and how long a secondary waits
// that has the last version and asks for what is new, from the moment when the other node may begin (the opening of the
// ledger is left out).
#include <malloc.h>

#include <algorithm>
#include <cstring>
#include <thread>

#include "bridge/ledger/rocksdb/open.h"
#include "bridge/zone/apex.h"
#include "bridge/zone/conversation.h"
#include "bridge/zone/copied_answer.h"
#include "bridge/zone/follower.h"
#include "bridge/zone/key_set_file.h"
#include "bridge/zone/server.h"
#include "bridge/zone/store.h"
#include "bridge/zone/verifying_key.h"
#include "simulators/lab/probe.h"
#include "tests/bench/arguments.h"
#include "tests/bench/report.h"
#include "tests/unit/bridge/zone/zone_files.h"

// jemalloc's, where the program takes its memory from that.
extern "C" [[gnu::weak]] int mallctl(const char* name, void* old, std::size_t* old_size, void* fresh,
                                     std::size_t size);

namespace registry::zone::testing {
namespace {

constexpr std::chrono::minutes kCopiedWithin{30};

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
  KeySigner signer(profile.signing.zsks[0], profile.signing.patience);
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
    StartFromFile();
    TakeOver();
    SecondAlgorithm();
  }

 private:
  std::vector<domain::ZoneChange> Next(std::uint64_t count) {
    std::vector<domain::ZoneChange> changes;
    changes.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) changes.push_back(Published(device_++));
    return changes;
  }

  // In the order of the devices.
  static void AsTheLedgerGives(std::vector<std::vector<domain::ZoneChange>>& pages) {
    std::vector<domain::ZoneChange*> order;
    for (auto& page : pages) {
      for (domain::ZoneChange& change : page) order.push_back(&change);
    }
    std::ranges::sort(order, {}, [](const domain::ZoneChange* change) { return change->device; });
    std::vector<std::vector<domain::ZoneChange>> sorted;
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (i % 4096 == 0) sorted.emplace_back();
      sorted.back().push_back(std::move(*order[i]));
    }
    pages = std::move(sorted);
  }

  void FirstSigning() {
    const double raw = RawSignature(profile_, 2000);
    std::vector<std::vector<domain::ZoneChange>> pages;
    for (std::uint64_t left = names_; left > 0; left -= pages.back().size()) {
      pages.push_back(Next(std::min<std::uint64_t>(left, 4096)));
    }
    AsTheLedgerGives(pages);
    const std::uint64_t before = Resident();
    store_ = std::make_unique<ZoneStore>(profile_, 64u << 20, 4096, clock_.Now());
    const Cost cost = Measure([&] {
      for (const auto& page : pages) store_->Load(page, clock_.Now());
      store_->FinishLoad(serial_, clock_.Now());
    });
    const double each = cost.cpu_micros / static_cast<double>(names_);
    report_.Add("zone.first_signing_cpu." + std::to_string(names_), each, "us/name", 2 * raw,
                "2 raw P-256 signatures", 2 * raw / each);
    ReportMemory("zone.memory", before, names_);
  }

  // Resident memory that the zone takes, by what the kernel says before and after it was made. What is free is given back
  // first, as jemalloc itself does some seconds later.
  static std::uint64_t Resident() {
    if (mallctl != nullptr) {
      (void)mallctl("arena.4096.purge", nullptr, nullptr, nullptr, 0);  // 4096: of all of them
    } else {
      malloc_trim(0);
    }
    std::uint64_t size = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> size >> resident;
    return resident * 4096;
  }

  void ReportMemory(const std::string& what, std::uint64_t before, std::uint64_t names) {
    std::uint64_t wire = 0;
    for (const Piece& piece : store_->Full().pieces) wire += piece.size();
    const double each = static_cast<double>(Resident() - before) / static_cast<double>(names),
                 floor = static_cast<double>(wire) / static_cast<double>(names);
    report_.Add(what + "." + std::to_string(names_), each, "octets/name", floor, "octets of a whole transfer",
                floor / each);
  }

  static double ReadAlone(const std::string& path) {
    return Measure([&] {
             std::ifstream file(path, std::ios::binary);
             std::vector<char> part(1u << 20);
             while (file.read(part.data(), static_cast<std::streamsize>(part.size()))) continue;
           }).wall_micros /
           1e6;
  }

  void FillLedger(std::uint64_t devices) {
    const std::string folder = files_.path("ledger");
    REG_CHECK(ledger::CreateRocksDbLedger(folder).ok());
    const auto ledger = ledger::OpenRocksDbLedger({folder});
    REG_CHECK(ledger.ok());
    for (std::uint64_t left = devices; left > 0; left -= std::min<std::uint64_t>(left, 4096))
      Commit(**ledger, Next(std::min<std::uint64_t>(left, 4096)));
  }

  static void Commit(ledger::Ledger& ledger, std::vector<domain::ZoneChange> zone) {
    domain::Changeset changes;
    changes.zone = std::move(zone);
    REG_CHECK(ledger.Commit(std::move(changes)).ok());
  }

  // As registryd starts: what the file keeps, then page by page what the ledger says. Whether there is a new version.
  bool Start(ZoneFile& file, const ledger::Ledger& ledger, std::uint32_t next) {
    store_ = std::make_unique<ZoneStore>(profile_, 64u << 20, 4096, clock_.Now());
    store_->KeepIn(file);
    auto kept = *file.Read(64u << 20, 4096);
    kept.torn = kept.torn || kept.copied;
    store_->Adopt(std::move(kept), clock_.Now());
    std::optional<DeviceId> after;
    for (auto page = ledger.ZoneAfter(after, 4096); !page->empty(); page = ledger.ZoneAfter(after, 4096)) {
      after = page->back().device;
      store_->Load(*page, clock_.Now());
    }
    return store_->FinishLoad(next, clock_.Now());
  }

  // Nothing has changed, so every signature is taken over.
  void StartFromFile() {
    const std::string path = files_.path("signed-zone");
    {
      ZoneFile file(path, profile_.signing.zone, {});
      store_->KeepIn(file);
      store_->Renumber(++serial_, clock_.Now());  // the next version has the whole zone written
      while (!std::filesystem::exists(path)) std::this_thread::yield();
      store_.reset();
    }
    const std::uint64_t devices = std::exchange(device_, 0);
    FillLedger(devices);
    ZoneFile file(path, profile_.signing.zone, {});
    const std::string suffix = std::to_string(names_);
    const Cost opening = Measure([&] { ledger_ = *ledger::OpenRocksDbLedger({files_.path("ledger")}); });
    const std::uint64_t before = Resident();
    const Cost cost = Measure([&] { REG_CHECK(!Start(file, *ledger_, serial_ + 256)); });
    const double seconds = start_seconds_ = cost.wall_micros / 1e6, floor = ReadAlone(path);
    report_.Add("zone.start_from_file." + suffix, seconds, "s", floor, "a read of the file", floor / seconds);
    const double raw = RawSignature(profile_, 2000), each = cost.cpu_micros / static_cast<double>(devices);
    report_.Add("zone.start_from_file_cpu." + suffix, each, "us/name", 2 * raw, "2 raw P-256 signatures",
                2 * raw / each);
    const double replayed = opening.cpu_micros / static_cast<double>(devices);
    report_.Add("zone.ledger_opening_cpu." + suffix, replayed, "us/name", 2 * raw, "2 raw P-256 signatures",
                2 * raw / replayed);
    ReportMemory("zone.memory_after_start", before, devices);
    store_->KeepIn(no_file_);
  }

  // Of `store_`, to whoever has the key.
  struct Serving {
    explicit Serving(const ZoneBench& bench)
        : responder(*bench.store_, *LoadTsigKeys(bench.files_.options()), bench.clock_),
          server(responder, {}) {
      REG_CHECK(server.Start("127.0.0.1", 0).ok());
    }
    Responder responder;
    TransferServer server;
  };

  void TakeOver() {
    Options options = files_.options();
    options.zone_file = files_.path("copy");
    std::optional<Serving> active(*this);
    std::unique_ptr<ZoneFollower> follower;
    const Cost whole = Measure([&] {
      follower = *ZoneFollower::Start(options, {{"127.0.0.1", active->server.port()}}, {});
      REG_CHECK(lab::WaitUntil(
          [&] {
            return follower->sample().serial == store_->serial() &&
                   std::filesystem::exists(options.zone_file);
          },
          kCopiedWithin));
    });
    const std::string suffix = "." + std::to_string(names_);
    const double seconds = whole.cpu_micros / 1e6,
                 checks = 2 * RawVerification() * static_cast<double>(store_->devices()) / 1e6;
    report_.Add("zone.copy_of_all_cpu" + suffix, seconds, "s", checks, "two signatures a name verified",
                checks / seconds);
    auto changes = Next(100);
    const Cost version = Measure([&] {
      store_->Publish(changes, 0, ++serial_, clock_.Now());
      REG_CHECK(lab::WaitUntil([&] { return follower->sample().serial == serial_; }, kCopiedWithin));
    });
    const double millis = version.wall_micros / 1e3, ask = static_cast<double>(kCopyAgain.count());
    report_.Add("zone.copy_of_version" + suffix, millis, "ms", ask, "the time between two questions",
                ask / millis);
    Commit(*ledger_, std::move(changes));
    Commit(*ledger_, Next(100));  // what is decided when nobody is active
    active.reset();
    const Cost over = Measure([&] {
      follower.reset();
      ZoneFile file(options.zone_file, profile_.signing.zone, {});
      REG_CHECK(Start(file, *ledger_, serial_ + 256));
      const Serving next(*this);
      REG_CHECK(AskDifference(next.server.port()) == serial_ + 256);
      file.Stop();
      store_->KeepIn(no_file_);
    });
    const double waited = over.wall_micros / 1e6;
    report_.Add("zone.take_over" + suffix, waited, "s", start_seconds_, "a start that changes nothing",
                start_seconds_ / waited);
    serial_ += 256;
  }

  // CPU µs.
  double RawVerification() {
    const ZoneKey& zsk = profile_.signing.zsks[0];
    const Bytes message(200, 0x5a), signature = KeySigner(zsk, profile_.signing.patience).Sign(message);
    const VerifyingKey key(zsk.dnskey);
    constexpr int kCount = 2000;
    return Measure([&] {
             for (int i = 0; i < kCount; ++i) REG_CHECK(key.Verifies(message, signature));
           }).cpu_micros /
           kCount;
  }

  // As a secondary that has serial_; the new version's, and dies when it gets the whole zone.
  std::uint32_t AskDifference(std::uint16_t port) {
    const TsigKey key = *LoadTsigKey(kTsigName, files_.path("tsig.secret"));
    const Name zone = *NameFromText(kZone);
    Conversation with(
        *ConnectTcp("127.0.0.1", port), Conversation::Clock::now() + std::chrono::seconds(60),
        [] { return false; },
        [](const std::string& why) { return Error::Make(Code::kFailed, "bench_failed", why); });
    Bytes question = StartMessage(7, 0, zone, kTypeIxfr), framed;
    SetU16(question, 8, 1);
    Bytes soa = profile_.soa_head;
    PutU32(soa, serial_);
    Put(soa, profile_.soa_tail);
    Put(question, Render({}, kTypeSoa, 0, {soa}).wire);
    CopyReader reader(zone, key, clock_, 7, SignRequest(question, key, clock_.Now()), serial_);
    PutFramed(framed, question);
    REG_CHECK(with.Send(framed).ok());
    while (reader.wants_more()) REG_CHECK(reader.Take(*with.ReceiveMessage()));
    REG_CHECK(reader.Finish() && reader.answer().kind == CopiedAnswer::Kind::kDifferences);
    return reader.answer().serial;
  }

  void SecondAlgorithm() {
    const std::uint64_t devices = store_->devices(), before = Resident();
    SigningProfile signing = profile_.signing;
    const auto made = MakeKey(files_.path(""), KeyRole::kZsk, kEd25519, [](std::uint16_t) { return false; });
    signing.zsks.push_back(*LoadZoneKey(files_.path(made->file), kZskFlags));
    store_->Rekey(signing, profile_.key_sets, serial_ += 512, clock_.Now());
    const Cost cost = Measure([&] {
      while (store_->Rekeying()) store_->Publish({}, 0, ++serial_, clock_.Now(), 500);
    });
    const double raw = RawSignature(profile_, 2000), each = cost.cpu_micros / static_cast<double>(devices);
    report_.Add("zone.second_algorithm_cpu." + std::to_string(names_), each, "us/name", 4 * raw,
                "4 raw P-256 signatures", 4 * raw / each);
    const double grown = static_cast<double>(Resident() - before) / static_cast<double>(devices);
    report_.Add("zone.second_algorithm_memory." + std::to_string(names_), grown, "octets/name", 128,
                "two signatures of 64 octets", 128 / grown);
    store_.reset();
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
  ZoneFile no_file_{"", profile_.signing.zone, {}};
  std::unique_ptr<ZoneStore> store_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::uint64_t device_ = 0;
  std::uint32_t serial_ = 1;
  double start_seconds_ = 0;
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
