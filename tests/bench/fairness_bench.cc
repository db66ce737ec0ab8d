// Benchmark (e): what one party's flood does to another's replies: real broker, real registry, a bystander that says one
// feed.ack after the other, with each flood and, just before it, without. The floor of a flooded figure is the quiet one.
// Then the same once more with an echo in the registry's place, which hears each party in a session of its own and answers
// at once: what broker and machine alone make of the flood ("fairness.broker…"). A registry cannot be better than that.
// The flooder runs at the lowest priority, since it stands for somebody else's machine.
// The last flood comes at ten times the flooder's limit (limits.h), and is refused but for a tenth.
//   bench_fairness [--rounds N] [--only large|tiny|valid|limited] [--json FILE]
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <thread>
#include <vector>

#include "simulators/lab/demo_report.h"
#include "simulators/lab/registry_setup.h"
#include "tests/bench/arguments.h"
#include "tests/bench/report.h"
#include "tests/support/built_lab.h"
#include "tests/support/raw_mqtt.h"

namespace {

using namespace registry;
using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using SteadyClock = std::chrono::steady_clock;

constexpr char kFlooder[] = "mno-a";
constexpr char kBystander[] = "asp-b";
constexpr int kLarge = 400;
constexpr std::size_t kLargeOctets = 260'000;
constexpr milliseconds kLargeEvery{7};  // 400 of them in about 3 s
constexpr int kTiny = 112'000;
constexpr int kValid = 3000;
constexpr int kLimit = 100;  // commands a second
constexpr int kLimited = 5000;
constexpr milliseconds kLimitedEvery{1};  // ten times as many
constexpr int kWindow = 1000;             // without a PUBACK, of what is said at full speed
constexpr seconds kQuiet{3};
constexpr seconds kPatience{120};
constexpr int kLowest = 19;
constexpr milliseconds kEchoLooks{100};

std::string IdOf() {
  static std::atomic<int> next{1};
  return "bench-" + std::to_string(next++);
}

std::string Command(const std::string& party, const std::string& command, const std::string& data) {
  return R"({"specversion":"1.0","id":")" + IdOf() + R"(","source":")" + party + R"(","type":"registry.v1.)" +
         command + R"(","data":)" + data + "}";
}

std::string From(const std::string& party, const std::string& command) {
  return "registry/v1/from/" + party + "/" + command;
}

// Says one command after the other until told to stop; the milliseconds of each.
class Bystander {
 public:
  explicit Bystander(const test::RawOptions& as) : client_(as) {}
  bool Ready() { return client_.Subscribe("registry/v1/to/" + std::string(kBystander) + "/#"); }
  std::vector<double> AskWhile(const std::function<bool()>& more) {
    std::vector<double> times;
    while (more()) {
      const auto begun = SteadyClock::now();
      client_.PublishLater(From(kBystander, "feed.ack"), Command(kBystander, "feed.ack", R"({"seq":0})"));
      if (!client_.Next(kPatience)) break;
      times.push_back(std::chrono::duration<double, std::milli>(SteadyClock::now() - begun).count());
    }
    return times;
  }

 private:
  test::RawMqtt client_;
};

struct Flood {
  std::string name;
  int messages;
  milliseconds every;
  bool answered;  // every message has a reply, and the flood lasts until they are there
  std::function<std::pair<std::string, std::string>(int)> message;  // command and payload
};

void Pour(const Flood& flood, int round, const test::RawOptions& as) {
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kLowest);  // of this thread and those it starts
  test::RawMqtt client(as);
  if (flood.answered) client.Subscribe("registry/v1/to/" + std::string(kFlooder) + "/#");
  for (int i = 0; i < flood.messages; ++i) {
    const auto [command, payload] = flood.message(round * flood.messages + i);
    client.PublishLater(From(kFlooder, command), payload);
    if (flood.every.count() > 0) client.Next(flood.every);  // nothing comes: a pause
    if (i % kWindow == kWindow - 1) client.WaitPublished(kPatience);
  }
  client.WaitPublished(kPatience);
  for (int i = 0; flood.answered && i < flood.messages && client.Next(kPatience); ++i) continue;
}

class Bench {
 public:
  explicit Bench(lab::Lab& lab) : lab_(lab), bystander_(As(kBystander)) {}

  bool Ready() { return bystander_.Ready(); }
  // Named "fairness.WHAT…".
  bool Run(const std::string& what, const Flood& flood, int rounds, bench::Report& report) {
    std::vector<double> quiet, flooded;
    for (int round = 0; round < rounds; ++round) {
      const auto until = SteadyClock::now() + kQuiet;
      Append(bystander_.AskWhile([&] { return SteadyClock::now() < until; }), quiet);
      std::atomic<bool> pouring{true};
      std::thread flooder([&] {
        Pour(flood, round, As(kFlooder));
        pouring = false;
      });
      Append(bystander_.AskWhile([&] { return pouring.load(); }), flooded);
      flooder.join();
      Append(bystander_.AskWhile(
                 [&, until = SteadyClock::now() + kQuiet] { return SteadyClock::now() < until; }),
             after_);
    }
    std::sort(quiet.begin(), quiet.end());
    std::sort(flooded.begin(), flooded.end());
    for (const auto& [name, which] : {std::pair{"p50", 0.5}, std::pair{"p99", 0.99}, std::pair{"max", 1.0}}) {
      const double floor = lab::Quantile(quiet, which), value = lab::Quantile(flooded, which);
      report.Add("fairness." + what + "." + name, value, "ms", floor, "the same without the flood",
                 value / floor);
    }
    report.AddAlone("fairness." + what + ".served", static_cast<double>(flooded.size()), "replies");
    return !flooded.empty();
  }

 private:
  static void Append(const std::vector<double>& more, std::vector<double>& all) {
    all.insert(all.end(), more.begin(), more.end());
  }
  test::RawOptions As(const std::string& party) {
    const auto& layout = lab_.layout();
    return {layout.mqtt, layout.BrokerCa(), layout.PartyCertificate(party), layout.PartyKey(party),
            party + "-bench"};
  }

  lab::Lab& lab_;
  Bystander bystander_;
  std::vector<double> after_;  // the queue a flood left is emptied before the next quiet part
};

std::vector<Flood> Floods(const lab::Lab& lab) {
  std::string values = R"({"v":[0)";
  while (values.size() < kLargeOctets) values += ",0";
  values += "]}";
  return {
      {"large", kLarge, kLargeEvery, false,
       [values](int) {
         return std::pair{"feed.ack", Command(kFlooder, "feed.ack", values)};
       }},
      {"tiny", kTiny, milliseconds(0), false,
       [](int) {
         return std::pair{"feed.ack", Command(kFlooder, "feed.ack", R"({"seq":0})")};
       }},
      {"valid", kValid, milliseconds(0), true,
       [&lab](int i) {
         const auto& esim = lab.inventory().at(static_cast<std::size_t>(i));
         return std::pair{"esim.register",
                          Command(kFlooder, "esim.register",
                                  json{{"eid", esim.eid.text()}, {"iccid", esim.iccid.text()}}.dump())};
       }},
  };
}

Flood LimitedFlood() {
  return {"limited", kLimited, kLimitedEvery, false, [](int) {
            return std::pair{"feed.ack", Command(kFlooder, "feed.ack", R"({"seq":0})")};
          }};
}

bool SetLimit(const lab::Lab& lab) {
  const std::string limit = std::to_string(kLimit);
  const auto set = lab::SetOwnKeys(lab.layout(), kFlooder,
                                   {{"limit_write_per_second", limit}, {"limit_write_burst", limit}});
  if (!set) std::cerr << set.error().message << std::endl;
  return set.ok();
}

// In the registry's place: its certificate, its client identifiers, its sessions per party.
class Echo {
 public:
  Echo(const lab::Layout& layout, const std::string& party, bool answers)
      : client_({layout.mqtt, layout.BrokerCa(), layout.Registry("interface/registryd.pem"),
                 layout.Registry("interface/registryd.key"), ClientId(layout) + "/" + party}),
        good_(client_.Subscribe(From(party, "#"))) {
    thread_ = std::thread([this, party, answers] {
      while (!done_) {
        const auto heard = client_.Next(kEchoLooks);
        if (heard && answers) client_.PublishLater("registry/v1/to/" + party + "/echo", heard->payload);
      }
    });
  }
  ~Echo() {
    done_ = true;
    thread_.join();
  }
  bool good() const { return good_; }

 private:
  static std::string ClientId(const lab::Layout& layout) {
    std::ifstream config(layout.ConfigFile());
    const std::string key = "client_id = ";
    for (std::string line; std::getline(config, line);) {
      if (line.starts_with(key)) return line.substr(key.size() + 1, line.size() - key.size() - 2);
    }
    return "echo";
  }

  test::RawMqtt client_;
  const bool good_;
  std::atomic<bool> done_{false};
  std::thread thread_;
};

}  // namespace

int main(int argc, char** argv) {
  int rounds = 1;
  std::string only;
  bench::Arguments arguments("bench_fairness");
  arguments.app().add_option("--rounds", rounds, "(1)")->check(CLI::PositiveNumber);
  arguments.app()
      .add_option("--only", only, "this case alone")
      ->check(CLI::IsMember({"large", "tiny", "valid", "limited"}));
  if (const auto end = arguments.Parse(argc, argv)) return *end;
  lab::LabOptions options = test::BuiltLab();
  options.devices = kValid * rounds;
  auto created = lab::Lab::Create(options);
  if (!created) {
    std::fprintf(stderr, "%s\n", created.error().message.c_str());
    return 1;
  }
  auto lab = *std::move(created);
  const std::string folder = lab->layout().folder;
  if (const auto started = lab->StartServers(); !started) {
    std::fprintf(stderr, "%s\nlogs are in %s/logs\n", started.error().message.c_str(), folder.c_str());
    return 1;
  }
  bench::Report report;
  Bench bench(*lab);
  bool good = bench.Ready();
  const auto floods = Floods(*lab);
  const auto asked = [&](const Flood& flood) { return only.empty() || only == flood.name; };
  for (const Flood& flood : floods) {
    if (asked(flood)) good = good && bench.Run(flood.name, flood, rounds, report);
  }
  good = good && !lab->TakeFailure();
  lab->Kill("registryd");
  const Flood limited = LimitedFlood();
  if (asked(limited)) {
    good = good && SetLimit(*lab) && lab->Restart("registryd") &&
           bench.Run(limited.name, limited, rounds, report);
    report.AddAlone("fairness.limited.refused", lab->RegistryCounters()["registry_limited_total"],
                    "commands");
    good = good && !lab->TakeFailure();
    lab->Kill("registryd");
  }
  for (const Flood& flood : floods) {
    if (!asked(flood)) continue;
    const Echo bystander(lab->layout(), kBystander, true), flooder(lab->layout(), kFlooder, flood.answered);
    good = good && bystander.good() && flooder.good() &&
           bench.Run("broker." + flood.name, flood, rounds, report);
  }
  lab.reset();
  if (!good) {
    std::fprintf(stderr, "the bystander was not served, or a server ended; logs are in %s/logs\n",
                 folder.c_str());
    return 1;
  }
  std::filesystem::remove_all(folder);
  return report.Write(arguments.json()) ? 0 : 1;
}
