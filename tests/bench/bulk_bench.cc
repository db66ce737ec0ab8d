// Benchmark (i): many devices by batches, and an order over all of them: real broker, real registry, no simulators. An MNO
// registers, an ASP claims, each with batches of 500 commands, some under way at once; then an order deactivates what was
// claimed while another ASP says one feed.ack after the other, as it did just before without an order (the floor); then the
// order is cancelled, and the ASP deactivates the rest by batches.
//   bench_bulk [--devices N] [--seconds N] [--json FILE]
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <set>
#include <vector>

#include "simulators/lab/registry_setup.h"
#include "tests/bench/arguments.h"
#include "tests/bench/report.h"
#include "tests/support/built_lab.h"
#include "tests/support/raw_mqtt.h"

namespace {

using namespace registry;
using nlohmann::json;
using std::chrono::seconds;
using Steady = std::chrono::steady_clock;

constexpr std::size_t kBatch = 500, kBatchesAtOnce = 4;
constexpr seconds kPatience{60};
constexpr double kMiB = 1 << 20;
constexpr int kOrderRate = 500;

double SecondsSince(Steady::time_point begun) {
  return std::chrono::duration<double>(Steady::now() - begun).count();
}

class Party {
 public:
  Party(const lab::Layout& layout, std::string name)
      : name_(std::move(name)),
        client_({layout.mqtt, layout.BrokerCa(), layout.PartyCertificate(name_), layout.PartyKey(name_),
                 name_ + "-bulk"}) {
    if (!client_.Subscribe("registry/v1/to/" + name_ + "/#")) std::exit(1);
  }

  // The data of the replies to all of these, in the order in which they came; ends the program when one is refused for good.
  std::vector<json> SayAll(const std::string& command, const std::vector<json>& all) {
    std::vector<json> replies;
    for (std::size_t next = 0; replies.size() < all.size();) {
      while (next < all.size() && next < replies.size() + kBatch * kBatchesAtOnce)
        next = SayBatch(command, all, next);
      const auto message = client_.Next(kPatience);
      if (!message) Fail(command + ": no reply");
      if (message->topic.find("/" + command + "/") == std::string::npos) continue;
      const json envelope = json::parse(message->payload);
      if (message->topic.ends_with("/rejected")) Fail(command + " refused: " + envelope.at("data").dump());
      replies.push_back(envelope.at("data"));
    }
    return replies;
  }

  json Ask(const std::string& command, const json& data) {
    // Not PublishLater: as long as that is not settled, the broker's answer to a batch is counted as one to it.
    if (client_.Publish("registry/v1/from/" + name_ + "/" + command, Envelope(command, data).dump()) != 0)
      Fail(command + " was not taken");
    for (;;) {
      const auto message = client_.Next(kPatience);
      if (!message) Fail(command + ": no reply");
      if (message->topic.find("/" + command + "/") == std::string::npos) continue;
      if (message->topic.ends_with("/rejected")) Fail(command + " refused: " + message->payload);
      return json::parse(message->payload).at("data");
    }
  }

  // Milliseconds of each of the commands it says one after the other for this long.
  std::vector<double> AckFor(seconds duration) {
    std::vector<double> times;
    const auto begun = Steady::now();
    while (Steady::now() - begun < duration) {
      const auto said = Steady::now();
      Ask("feed.ack", {{"seq", 0}});
      times.push_back(SecondsSince(said) * 1000);
    }
    return times;
  }

 private:
  [[noreturn]] static void Fail(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    std::exit(1);
  }
  json Envelope(const std::string& command, const json& data) {
    return {{"specversion", "1.0"},
            {"id", "bulk-" + std::to_string(++last_)},
            {"source", name_},
            {"type", "registry.v1." + command},
            {"data", data}};
  }
  std::size_t SayBatch(const std::string& command, const std::vector<json>& all, std::size_t first) {
    const std::size_t end = std::min(first + kBatch, all.size());
    json batch = json::array();
    for (std::size_t i = first; i < end; ++i) batch.push_back(Envelope(command, all[i]));
    if (client_.PublishWith("registry/v1/from/" + name_ + "/batch", batch.dump(),
                            "application/cloudevents-batch+json", {}) != 0)
      Fail("a batch was not taken");
    return end;
  }

  const std::string name_;
  test::RawMqtt client_;
  std::uint64_t last_ = 0;
};

double P99(std::vector<double> times) {
  if (times.empty()) return 0;
  const auto at = times.begin() + static_cast<std::ptrdiff_t>(times.size() * 99 / 100);
  std::nth_element(times.begin(), at, times.end());
  return *at;
}

// What one party may make the registry keep in an hour is less than a hundred thousand devices need.
bool LiftShare(const lab::Lab& lab) {
  return lab::SetKeys(lab.layout(), "limits", {{"ledger_octets_per_hour", "1099511627776"}}).ok();
}

}  // namespace

int main(int argc, char** argv) {
  lab::LabOptions options = test::BuiltLab();
  options.devices = 100'000;
  int watched_seconds = 60;
  bench::Arguments arguments("bench_bulk");
  arguments.app().add_option("--devices", options.devices, "(100000)")->check(CLI::PositiveNumber);
  arguments.app()
      .add_option("--seconds", watched_seconds, "for which an order is watched (60)")
      ->check(CLI::PositiveNumber);
  if (const auto end = arguments.Parse(argc, argv)) return *end;
  const seconds watched{watched_seconds};
  auto created = lab::Lab::Create(options);
  if (!created || !LiftShare(**created) || !(*created)->StartServers()) {
    std::fprintf(stderr, "the lab does not start\n");
    return 1;
  }
  lab::Lab& lab = **created;
  Party mno(lab.layout(), "mno-a"), asp(lab.layout(), "asp-a"), other(lab.layout(), "asp-b");
  bench::Report report;
  const auto timed = [&](const std::string& what, const std::function<std::size_t()>& work) {
    const auto begun = Steady::now();
    const std::size_t count = work();
    const double took = SecondsSince(begun);
    report.AddAlone("bulk." + what, static_cast<double>(count) / took, "devices/s");
    report.AddAlone("bulk." + what + ".time", took, "s");
    const auto usage = lab.UsageByProcess();
    report.AddAlone("bulk." + what + ".memory", static_cast<double>(usage.at("registryd").peak_octets) / kMiB,
                    "MiB at most");
  };

  std::vector<json> esims, claims, devices;
  for (const auto& esim : lab.inventory())
    esims.push_back({{"eid", esim.eid.text()}, {"iccid", esim.iccid.text()}});
  const std::string host = lab::Layout::AspHost("asp-a");
  asp.Ask("endpoint.publish", {{"endpoint",
                                {{"name", "main"},
                                 {"fqdn", host},
                                 {"url", "mqtts://" + host},
                                 {"port", 8883},
                                 {"protocol", "mqtts"},
                                 {"trust", {{"kind", "tlsa"}, {"tlsaOwner", "_8883._tcp." + host}}}}}});
  timed("register", [&] {
    for (const json& told : mno.SayAll("esim.register", esims)) {
      devices.push_back({{"device", told.at("device")}});
      claims.push_back({{"device", told.at("device")},
                        {"authorisationCode", told.at("authorisationCode")},
                        {"endpoint", "main"}});
    }
    return devices.size();
  });
  timed("claim", [&] { return asp.SayAll("device.claim", claims).size(); });

  const double quiet = P99(other.AckFor(watched));
  const std::string order =
      asp.Ask("order.start",
              {{"kind", "deactivate"}, {"selection", {{"endpoint", "main"}}}, {"rate", kOrderRate}})
          .at("order");
  const double busy = P99(other.AckFor(watched));
  const json state = asp.Ask("order.get", {{"order", order}});
  if (state.at("state") == "running") {
    asp.Ask("order.cancel", {{"order", order}});
    report.AddAlone("bulk.order", state.at("done").get<double>() / static_cast<double>(watched.count()),
                    "devices/s");
  } else {
    std::fprintf(stderr, "the order ended too early: more --devices or fewer --seconds\n");
  }
  report.Add("bulk.single_command_p99", busy, "ms beside an order", quiet, "without an order", busy / quiet);

  std::set<std::string> left;
  std::string after;
  do {
    json page{{"state", "registered"}, {"limit", 500}};
    if (!after.empty()) page["after"] = after;
    const json told = asp.Ask("device.list", page);
    for (const json& device : told.at("devices")) left.insert(device.at("device").get<std::string>());
    after = told.value("next", "");
  } while (!after.empty());
  std::vector<json> rest;
  for (const std::string& device : left) rest.push_back({{"device", device}});
  timed("deactivate", [&] { return asp.SayAll("device.deactivate", rest).size(); });
  lab.Stop();
  return report.Write(arguments.json()) ? 0 : 1;
}
