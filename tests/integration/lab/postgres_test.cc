// A registry that serves devices on RocksDB moves to PostgreSQL, as OPERATIONS.md says it, and goes on: the same zone, the
// same feeds, nothing done a second time, and further devices activated from end to end on the new ledger. When the server
// has lost something, registryd does not start before an operator has said so. Then it is killed with acknowledged work
// left, and its machine is lost: a registryd that has the ledger and what an operator puts on every machine, and nothing
// else, goes on.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>

#include "simulators/lab/heard.h"
#include "simulators/lab/postgres_server.h"
#include "simulators/lab/probe.h"
#include "tests/support/built_lab.h"
#include "tests/support/device_session.h"
#include "tests/support/test_lab.h"

namespace registry::lab {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr int kDevices = 6, kBefore = 2, kMoved = 4;
constexpr seconds kPatience{120};

class PostgresLab : public testing::Test {
 protected:
  void SetUp() override {
    auto server = PostgresServer::Start({.durable = true, .settings = {}});
    ASSERT_TRUE(server.ok()) << server.error().message;
    server_ = std::move(*server);
    lab_ = test::NewWholeLab(
        {.devices = kDevices,
         .register_first = kBefore,
         .on_event = [this](const std::string& program, const json& event) { heard_.Hear(program, event); }});
    ASSERT_NE(lab_, nullptr);
  }
  void TearDown() override {
    if (!lab_) return;
    const auto failure = lab_->TakeFailure();
    EXPECT_FALSE(failure) << *failure;
    lab_->Stop();
  }
  // Until so many devices have had their session.
  void AwaitDone(int count) {
    const auto more = static_cast<std::size_t>(count - done_);
    ASSERT_EQ(test::DevicesDone(heard_, heard_up_to_, more, kPatience).size(), more);
    done_ = count;
  }
  std::string Ctl(std::vector<std::string> words) {
    words.insert(words.begin(), test::BuiltLab().program_folder + "/registryctl");
    const auto said = RunToEnd(words);
    EXPECT_TRUE(said.ok()) << said.error().message;
    return said ? *said : std::string();
  }
  // In the place of the section's folder.
  void PointTo(const std::string& name, const std::string& keys) {
    std::ostringstream text;
    text << std::ifstream(lab_->layout().ConfigFile()).rdbuf();
    std::string config = text.str();
    const auto section = config.find("[" + name + "]");
    const auto from = config.find("folder", section), to = config.find('\n', from);
    ASSERT_LT(from, to);
    config.replace(from, to - from, keys);
    std::ofstream(lab_->layout().ConfigFile()) << config;
  }

  void Register(int count) {
    for (const char* const mno : kMnos)
      EXPECT_TRUE(lab_->SendTo(mno, {{"cmd", "register"}, {"count", count / 2}}));
  }
  void StartAgain() {
    const auto restarted = lab_->Restart("registryd");
    ASSERT_TRUE(restarted.ok()) << restarted.error().message;
  }
  std::string Asked(const std::string& sql) {
    const auto said = server_->Ask(sql);
    EXPECT_TRUE(said.ok()) << sql << ": " << said.error().message;
    return said ? said->substr(0, said->find('\n')) : "";
  }
  int Waiting() { return std::stoi("0" + Asked("SELECT count(*) FROM registry.intake")); }
  // registryd is killed while what two MNOs have said is acknowledged and cannot be decided: whoever commits waits for a
  // lock.
  void KillWithWorkLeft() {
    auto locked = std::async(std::launch::async, [this] {
      return server_->Ask("BEGIN; LOCK TABLE registry.writer IN EXCLUSIVE MODE; SELECT pg_sleep(300)");
    });
    EXPECT_TRUE(WaitUntil(
        [this] {
          return Asked(
                     "SELECT count(*) FROM pg_locks WHERE relation = 'registry.writer'::regclass AND "
                     "mode = 'ExclusiveLock' AND granted") == "1";
        },
        kPatience));
    Register(kDevices - kMoved);
    EXPECT_TRUE(WaitUntil([this] { return Waiting() >= kDevices - kMoved; }, kPatience));
    lab_->Kill("registryd");
    Asked("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK%'");
    EXPECT_FALSE(locked.get().ok());
    EXPECT_GE(Waiting(), kDevices - kMoved);
  }
  // What registryd itself has written there.
  void LoseTheMachine() {
    const auto zone = std::filesystem::path(lab_->layout().ConfigFile()).parent_path() / "zone";
    for (const char* const name : {"signed-zone", "key-set.json", "key-set.json.kept"})
      EXPECT_TRUE(std::filesystem::remove(zone / name)) << name;
    PointTo("intake", "folder = 'intake-of-another-machine'");
  }

  std::unique_ptr<PostgresServer> server_;
  Heard heard_;
  std::size_t heard_up_to_ = 0;
  int done_ = 0;
  std::unique_ptr<Lab> lab_;
};

TEST_F(PostgresLab, ARegistryMovesThereAndGoesOn) {
  AwaitDone(kBefore);
  const auto zone_before = test::Registryctl(*lab_, {"zone", "show"});
  const std::string lines = lab_->layout().In("ledger.jsonl"), config = lab_->layout().ConfigFile();
  lab_->Kill("registryd");
  Ctl({"ledger", "export", "--config", config, "--to", lines});
  PointTo("ledger", "backend = 'postgres'\nconnection = '" + server_->connection() + "'\npassword_file = '" +
                        server_->password_file() + "'");
  Ctl({"ledger", "import", lines, "--config", config});
  StartAgain();
  Register(kMoved - kBefore);
  AwaitDone(kMoved);
  const auto zone_after = test::Registryctl(*lab_, {"zone", "show"});
  EXPECT_GE(zone_after["served"]["serial"], zone_before["served"]["serial"]) << zone_after.dump(1);

  KillWithWorkLeft();
  LoseTheMachine();
  StartAgain();
  AwaitDone(kDevices);
  EXPECT_TRUE(WaitUntil([this] { return Waiting() == 0; }, kPatience)) << "what was left is decided";
  const auto zone_there = test::Registryctl(*lab_, {"zone", "show"});
  EXPECT_GT(zone_there["served"]["serial"], zone_after["served"]["serial"]) << zone_there.dump(1);
  const auto verified = test::Registryctl(*lab_, {"ledger", "verify"});
  EXPECT_EQ(verified["devices"], kDevices) << "none was registered a second time";
  EXPECT_EQ(verified["faults"], json::array());
  EXPECT_EQ(verified["intake_waiting"], 0);

  // The server forgets its last transactions, as one that was restored does.
  lab_->Kill("registryd");
  ASSERT_TRUE(server_->Ask("UPDATE registry.writer SET number = number / 2").ok());
  const auto refused = lab_->Restart("registryd");
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, testing::HasSubstr("has lost what it acknowledged"));
  lab_->Kill("registryd");  // so that its end has been heard of
  (void)lab_->TakeFailure();
  Ctl({"ledger", "step", "--config", config});
  const auto goes_on = lab_->Restart("registryd");
  EXPECT_TRUE(goes_on.ok()) << goes_on.error().message;
}

}  // namespace
}  // namespace registry::lab
