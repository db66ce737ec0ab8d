// A registry that is killed in the middle of an order, again and again, decides every device exactly once in the end.
#include <gmock/gmock.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <random>
#include <set>
#include <thread>

#include "bridge/ledger/rocksdb/open.h"
#include "tests/support/test_registry.h"

namespace registry::test {
namespace {

namespace fs = std::filesystem;

constexpr int kDevices = 300;
constexpr int kKills = 15;
constexpr std::chrono::seconds kDeadline{60};

std::unique_ptr<ledger::Ledger> OpenOrMake(const std::string& folder) {
  if (!fs::exists(folder)) REG_CHECK(ledger::CreateRocksDbLedger(folder).ok());
  ledger::RocksDbOptions options;
  options.folder = folder;
  auto ledger = ledger::OpenRocksDbLedger(options);
  REG_CHECK(ledger.ok());
  return std::move(*ledger);
}

TestRegistry::Setup Over(const std::string& folder) {
  TestRegistry::Setup setup;
  setup.wrap = [folder](std::unique_ptr<ledger::Ledger>) { return OpenOrMake(folder); };
  return setup;
}

// Runs `work` in a process of its own, which writes an octet to `ready` once it is to be disturbed. This process has no
// threads and no ledger open as long as it forks.
template <class Work>
pid_t InAProcess(int ready, const Work& work) {
  const pid_t child = fork();
  if (child != 0) return child;
  work([ready] { REG_CHECK(write(ready, "x", 1) == 1); });
  _exit(0);
}

class OrderCrash : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "order-crash-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    setenv("TMPDIR", pattern.c_str(), 1);  // what a killed process leaves goes with the rest
    ASSERT_EQ(pipe(ready_), 0);
  }
  void TearDown() override {
    fs::remove_all(folder_);
    for (const int end : ready_) close(end);
  }
  std::string ledger() const { return folder_ / "ledger"; }
  void WaitUntilReady() const {
    char octet = 0;
    ASSERT_EQ(read(ready_[0], &octet, 1), 1);
  }
  static int StatusOf(pid_t child) {
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return status;
  }

  fs::path folder_;
  int ready_[2] = {-1, -1};
};

void Prepare(const std::string& folder) {
  TestRegistry registry(Over(folder));
  registry.PublishEndpoint();
  for (int i = 0; i < kDevices; ++i) {
    const auto device = registry.Register();
    REG_CHECK(registry
                  .Ask("asp-a", "device.claim",
                       {{"device", device.device}, {"authorisationCode", device.code}, {"endpoint", "main"}})
                  .accepted());
  }
  const nlohmann::json order = {
      {"kind", "deactivate"}, {"selection", nlohmann::json::object()}, {"rate", 100}};
  REG_CHECK(registry.Ask("asp-a", "order.start", order).accepted());
}

TEST_F(OrderCrash, DecidesEveryDeviceOnceThoughItIsKilledAgainAndAgain) {
  const pid_t first = InAProcess(ready_[1], [&](const auto&) { Prepare(ledger()); });
  ASSERT_EQ(StatusOf(first), 0);
  std::mt19937 random(20260928);
  for (int i = 0; i < kKills; ++i) {
    const pid_t child = InAProcess(ready_[1], [&](const auto& is_ready) {
      TestRegistry registry(Over(ledger()));
      is_ready();
      pause();
    });
    WaitUntilReady();
    pollfd never{ready_[0], POLLIN, 0};  // it says nothing more; the kill comes at a random moment
    ASSERT_EQ(poll(&never, 1, std::uniform_int_distribution<int>(5, 120)(random)), 0);
    ASSERT_EQ(kill(child, SIGKILL), 0);
    ASSERT_TRUE(WIFSIGNALED(StatusOf(child)));
  }

  TestRegistry registry(Over(ledger()));
  const auto until = std::chrono::steady_clock::now() + kDeadline;
  auto orders = registry.ledger().OrdersOf(std::nullopt);
  while (orders->at(0).open() && std::chrono::steady_clock::now() < until) {
    std::this_thread::yield();
    orders = registry.ledger().OrdersOf(std::nullopt);
  }
  const domain::Order& order = orders->at(0);
  EXPECT_EQ(order.state, domain::OrderState::kDone);
  EXPECT_EQ(order.counts.done, std::uint64_t{kDevices});
  EXPECT_EQ(order.counts.all(), std::uint64_t{kDevices});

  std::map<DeviceId, int> reported, deactivated, told;
  const auto items = registry.ledger().OrderItemsAfter(order.id, 0, 10 * kDevices);
  for (const auto& item : *items) ++reported[item.device];
  const auto history = registry.ledger().HistoryAfter(0, 100 * kDevices);
  for (const auto& record : *history) {
    if (record.entry.what == "deactivated") ++deactivated[record.entry.device];
  }
  for (const Said& said : registry.Heard("registry/v1/to/asp-a/event/device.deactivated"))
    ++told[*DeviceId::Parse(said.data().at("device").get<std::string>())];
  for (const auto* each : {&reported, &deactivated, &told}) {
    EXPECT_EQ(each->size(), std::size_t{kDevices});
    for (const auto& [device, times] : *each) EXPECT_EQ(times, 1) << device.text();
  }
  EXPECT_EQ(registry.Heard("registry/v1/to/asp-a/event/order.done").size(), 1u);
  EXPECT_THAT(ledger::Verify(registry.ledger())->faults, testing::IsEmpty());
}

}  // namespace
}  // namespace registry::test
