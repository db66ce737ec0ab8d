// The registry and the broker die at random moments while devices live their lives: an order re-keys those of one ASP,
// others go to another ASP and another MNO, and every certificate ends soon enough to be renewed meanwhile. In the end all
// of it is done, nothing twice, and every device works.
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <set>

#include "bridge/ledger/rocksdb/open.h"
#include "simulators/lab/heard.h"
#include "simulators/lab/probe.h"
#include "tests/support/device_session.h"
#include "tests/support/raw_mqtt.h"
#include "tests/support/test_lab.h"
#include "workers/domain/invariants.h"
#include "workers/domain/standing.h"

namespace registry::test {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kDevices = 24;
constexpr int kValidity = 100;  // of certificates, in seconds: due from 66 to 76 on
constexpr int kRegistryKills = 15, kBrokerKills = 4;
constexpr int kKillsMax = 40;
constexpr int kRekeysPerSecond = 1;
constexpr seconds kPatience{200};

struct Move {
  std::string device, from, to;
  bool mno() const { return from.starts_with("mno"); }
};

// What is to come of the devices, told by the simulators.
class Lives {
 public:
  void Hear(const std::string& program, const json& event) {
    heard.Hear(program, event);
    const MutexLock lock(mutex_);
    ++events_;
    const std::string what = event.value("event", ""), device = event.value("device", "");
    if (what == "registered") mno_of_[device] = program;
    if (what == "step" && event.value("step", "") == "activated") asp_of_[device] = program;
    if (what == "notification") told_.insert({program, event.value("type", ""), device});
    changed_.NotifyAll();
  }
  std::vector<std::string> Of(const std::string& mno, const std::string& asp) {
    const MutexLock lock(mutex_);
    std::vector<std::string> devices;
    for (const auto& [device, whose] : asp_of_) {
      if (whose == asp && mno_of_[device] == mno) devices.push_back(device);
    }
    return devices;
  }
  std::size_t Activated() {
    const MutexLock lock(mutex_);
    return asp_of_.size();
  }
  // Until `count` more events came, or `within` is over.
  void WaitEvents(std::uint64_t count, milliseconds within) {
    MutexLock lock(mutex_);
    const std::uint64_t target = events_ + count;
    const auto until = std::chrono::steady_clock::now() + within;
    while (events_ < target && std::chrono::steady_clock::now() < until)
      changed_.WaitFor(lock, milliseconds(50));
  }
  // Empty once every move has come to its end, the order too, and every device has had its renewal.
  std::string Missing(const std::vector<Move>& moves) {
    const MutexLock lock(mutex_);
    std::string missing;
    for (const Move& move : moves) {
      if (!told_.contains({move.to, "transfer.completed", move.device}))
        missing += " " + move.device + " to " + move.to;
    }
    if (!told_.contains({"asp-a", "order.done", ""})) missing += " the order";
    for (const auto& [device, first] : asp_of_) {
      const bool renewed = told_.contains({"asp-a", "device.renewed", device}) ||
                           told_.contains({"asp-b", "device.renewed", device});
      if (!renewed) missing += " renewal of " + device;
    }
    return missing;
  }
  bool WaitNothingMissing(const std::vector<Move>& moves) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (!Missing(moves).empty()) {
      if (std::chrono::steady_clock::now() >= until) return false;
      WaitEvents(1, milliseconds(500));
    }
    return true;
  }

  lab::Heard heard;

 private:
  Mutex mutex_;
  CondVar changed_;
  std::uint64_t events_ GUARDED_BY(mutex_) = 0;
  std::map<std::string, std::string> mno_of_ GUARDED_BY(mutex_), asp_of_ GUARDED_BY(mutex_);
  std::set<std::array<std::string, 3>> told_ GUARDED_BY(mutex_);  // to whom, what, of which device
};

// As asp-a, beside its simulator, which hears of the order too.
void StartOrder(const lab::Layout& layout) {
  RawMqtt asp({layout.mqtt, layout.BrokerCa(), layout.PartyCertificate("asp-a"), layout.PartyKey("asp-a"),
               "asp-a-order"});
  ASSERT_TRUE(asp.Subscribe("registry/v1/to/asp-a/order.start/+"));
  const json order = {{"kind", "rekey"}, {"selection", {{"endpoint", "main"}}}, {"rate", kRekeysPerSecond}};
  const json envelope = {{"specversion", "1.0"},
                         {"id", "order-1"},
                         {"source", "asp-a"},
                         {"type", "registry.v1.order.start"},
                         {"data", order}};
  ASSERT_EQ(asp.Publish("registry/v1/from/asp-a/order.start", envelope.dump()), 0);
  const auto reply = asp.Next(seconds(60));
  ASSERT_TRUE(reply) << "no reply to order.start";
  ASSERT_TRUE(reply->topic.ends_with("/accepted")) << reply->payload;
}

void Give(lab::Lab& lab, const Move& move) {
  ASSERT_TRUE(lab.SendTo(move.from, {{"cmd", "give"}, {"device", move.device}, {"to", move.to}}));
}

void ExpectWorks(lab::Lab& lab, lab::Heard& heard, const std::string& device) {
  const auto session = test::SessionAgain(lab, heard, device, seconds(60));
  EXPECT_TRUE(session && session->value("ok", false))
      << device << (session ? session->dump() : ": no answer");
}

int CountOf(const std::vector<ledger::HistoryRecord>& history, const std::string& beginning) {
  return static_cast<int>(std::count_if(history.begin(), history.end(), [&](const auto& record) {
    return record.entry.what.starts_with(beginning);
  }));
}

// The moved ones are whose they were given to, and no other device changed hands.
void CheckDevice(const ledger::LedgerReader& reader, const domain::Device& device,
                 const std::vector<Move>& moves) {
  const std::string name = device.id.text();
  EXPECT_EQ(device.state, domain::State::kActive) << name;
  EXPECT_TRUE(domain::Live(device)) << name;
  EXPECT_FALSE(device.statuses.contains(domain::DeviceStatus::kExpired)) << name;
  EXPECT_THAT(domain::FaultsOf(device), testing::IsEmpty()) << name;
  const auto history = reader.HistoryOf(device.id);
  ASSERT_TRUE(history);
  EXPECT_EQ(CountOf(*history, "registered"), 1) << name;
  EXPECT_EQ(CountOf(*history, "claimed"), 1) << name;
  EXPECT_EQ(CountOf(*history, "active"), 1) << name;
  const auto move =
      std::find_if(moves.begin(), moves.end(), [&](const Move& one) { return one.device == name; });
  int completed = 0;
  for (const auto& record : *history) {
    const std::string& what = record.entry.what;
    if (what.starts_with("transfer ") && what.find(" completed") != std::string::npos) ++completed;
  }
  EXPECT_EQ(completed, move != moves.end() ? 1 : 0) << name;
  if (move == moves.end()) return;
  EXPECT_EQ(move->mno() ? domain::Sponsor(device).text() : domain::Claimer(device)->text(), move->to) << name;
}

TEST(LifeCrash, TransfersRenewalsAndAnOrderSurviveDeathsOfTheRegistryAndTheBroker) {
  const std::uint64_t seed = std::random_device{}();
  RecordProperty("seed", std::to_string(seed));
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  Lives lives;
  lab::LabOptions options;
  options.devices = kDevices;
  options.retry_first_seconds = 2;
  options.validity_seconds = kValidity;
  options.on_event = [&lives](const std::string& program, const json& event) { lives.Hear(program, event); };
  const auto whole = NewWholeLab(std::move(options));
  ASSERT_NE(whole, nullptr);
  lab::Lab& lab = *whole;
  std::size_t from = 0;
  std::set<std::string> devices;
  for (int i = 0; i < kDevices; ++i) {
    const auto done = lives.heard.Wait(
        from, [](const std::string&, const json& event) { return event.value("event", "") == "done"; },
        kPatience);
    ASSERT_TRUE(done && done->value("ok", false));
    devices.insert(done->at("device"));
  }
  // An ASP's word of an activation comes by another way than the device's.
  ASSERT_TRUE(lab::WaitUntil([&] { return lives.Activated() == std::size_t{kDevices}; }, kPatience));

  std::vector<Move> moves;
  for (const std::string& device : lives.Of("mno-a", "asp-b")) moves.push_back({device, "asp-b", "asp-a"});
  for (const std::string& device : lives.Of("mno-b", "asp-b")) moves.push_back({device, "mno-b", "mno-a"});
  ASSERT_EQ(moves.size(), std::size_t{kDevices / 2});
  std::shuffle(moves.begin(), moves.end(), random);
  StartOrder(lab.layout());
  std::size_t given = 0;
  int registry_kills = 0, broker_kills = 0;
  const auto missing = [&] { return given < moves.size() || !lives.Missing(moves).empty(); };
  // On a slow host the work may be over before all of them have been killed: the rest strikes devices at rest.
  const auto to_kill = [&] { return registry_kills < kRegistryKills || broker_kills < kBrokerKills; };
  for (int i = 0; i < kKillsMax && (missing() || to_kill()); ++i) {
    for (int more = 0; more < 2 && given < moves.size(); ++more) Give(lab, moves[given++]);
    lives.WaitEvents(5 + random() % 20, seconds(4));
    const bool broker = broker_kills < kBrokerKills && i % 4 == 3;
    const std::string victim = broker ? "mosquitto" : "registryd";
    lab.Kill(victim);
    ++(broker ? broker_kills : registry_kills);
    const auto restarted = lab.Restart(victim);
    ASSERT_TRUE(restarted) << victim << ": " << restarted.error().message;
  }
  EXPECT_TRUE(lives.WaitNothingMissing(moves)) << lives.Missing(moves);
  EXPECT_GE(registry_kills, kRegistryKills);
  EXPECT_GE(broker_kills, kBrokerKills);
  for (const std::string& device : devices) ExpectWorks(lab, lives.heard, device);
  const auto failure = lab.TakeFailure();
  EXPECT_FALSE(failure) << *failure;
  const std::string ledger_folder = lab.layout().Registry("ledger");
  lab.Stop();

  const auto reader = ledger::OpenRocksDbReader(ledger_folder, lab.layout().In("verify"));
  ASSERT_TRUE(reader) << reader.error().message;
  const auto report = ledger::Verify(**reader);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_THAT(report->faults, testing::IsEmpty());
  const auto all = (*reader)->DevicesAfter(std::nullopt, kDevices * 2);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->size(), std::size_t{kDevices});
  int due = 0;
  for (const auto& device : *all) {
    CheckDevice(**reader, device, moves);
    const auto history = (*reader)->HistoryOf(device.id);
    if (history && CountOf(*history, "renewal due") > 0) ++due;
  }
  // How many certificates were renewed because their end was near is up to how fast the host is.
  RecordProperty("renewals_due", due);
  RecordProperty("registry_kills", registry_kills);
  const auto orders = (*reader)->OrdersOf(std::nullopt);
  ASSERT_TRUE(orders);
  ASSERT_EQ(orders->size(), 1u);
  EXPECT_EQ(orders->at(0).state, domain::OrderState::kDone);
  const auto items = (*reader)->OrderItemsAfter(orders->at(0).id, 0, kDevices * 10);
  ASSERT_TRUE(items);
  std::map<std::string, int> taken;
  for (const auto& item : *items) ++taken[item.device.text()];
  for (const auto& [device, times] : taken) EXPECT_EQ(times, 1) << device << " was taken twice by the order";
  EXPECT_EQ(orders->at(0).counts.all(), taken.size());
  EXPECT_GE(taken.size(), std::size_t{kDevices / 2});
}

}  // namespace
}  // namespace registry::test
