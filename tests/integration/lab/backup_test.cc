// A registry is backed up while commands come in, dies with its folder, and is restored into a new one: what was decided
// before the backup is there, its devices that were under way become active, and no number is used twice (BACKUP.md).
#include "bridge/ledger/rocksdb/backup.h"

#include <gmock/gmock.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>

#include "simulators/lab/probe.h"
#include "simulators/lab/process.h"
#include "tests/support/built_lab.h"
#include "tests/support/test_lab.h"

namespace registry::lab {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using std::chrono::seconds;
using testing::IsEmpty;
using testing::IsSubsetOf;

constexpr int kFirst = 6, kMeanwhile = 6, kAfterwards = 2;

class Heard {
 public:
  void Hear(const json& event) {
    const std::lock_guard lock(mutex_);
    if (event.value("event", "") == "notification" && event.value("type", "") == "device.activated")
      active_.insert(event.at("device"));
    changed_.notify_all();
  }
  bool Active(std::size_t count, seconds within) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, within, [&] { return active_.size() >= count; });
  }
  std::set<std::string> active() {
    const std::lock_guard lock(mutex_);
    return active_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> active_;
};

class BackupOfALab : public testing::Test {
 protected:
  void SetUp() override {
    LabOptions options;
    options.devices = kFirst + kMeanwhile + kAfterwards;
    options.register_first = kFirst;
    options.retry_first_seconds = 2;
    options.on_event = [this](const std::string&, const json& event) { heard_.Hear(event); };
    lab_ = test::NewWholeLab(std::move(options));
    ASSERT_NE(lab_, nullptr);
  }
  std::string In(const std::string& name) const { return lab_->layout().In(name); }
  // What a command says; a failure fails the test.
  std::string Ctl(std::vector<std::string> words) {
    words.insert(words.begin(), test::BuiltLab().program_folder + "/registryctl");
    const auto said = RunToEnd(words);
    EXPECT_TRUE(said) << words[1] << ": " << said.error().message;
    return said ? *said : "";
  }
  void Register(int count) {
    for (const char* mno : kMnos) EXPECT_TRUE(lab_->SendTo(mno, {{"cmd", "register"}, {"count", count / 2}}));
  }
  std::set<std::string> Devices(const std::string& state = "") {
    std::vector<std::string> words{"device", "list"};
    if (!state.empty()) words.insert(words.end(), {"--state", state});
    std::set<std::string> devices;
    for (const auto& row : test::Registryctl(*lab_, words)) devices.insert(row.at("device"));
    return devices;
  }
  std::uint64_t FeedOf(const std::string& party) {
    return test::Registryctl(*lab_, {"feed", "show", party}).value("last", std::uint64_t{0});
  }
  json Zone() { return test::Registryctl(*lab_, {"zone", "show"}).value("served", json::object()); }
  void LoseAndRestore() {
    lab_->Kill("registryd");
    fs::rename(In("registry"), In("lost"));
    Ctl({"restore", In("backup"), "--to", In("registry"), "--passphrase-file", In("passphrase"), "--crl",
         In("lost/pki/crl.pem")});
    const auto restarted = lab_->Restart("registryd");
    ASSERT_TRUE(restarted) << restarted.error().message;
  }

  Heard heard_;
  std::unique_ptr<Lab> lab_;
};

TEST_F(BackupOfALab, IsRestoredAndGoesOn) {
  ASSERT_TRUE(heard_.Active(kFirst, seconds(120)));
  std::ofstream(In("passphrase")) << "correct horse battery\n";
  fs::permissions(In("passphrase"), fs::perms::owner_read | fs::perms::owner_write);
  const std::set<std::string> before = Devices("active");
  ASSERT_GE(before.size(), static_cast<std::size_t>(kFirst));
  Register(kMeanwhile);
  const json made = json::parse(Ctl({"backup", "--config", lab_->layout().ConfigFile(), "--to", In("backup"),
                                     "--keys", "--passphrase-file", In("passphrase"), "--json"}));
  EXPECT_EQ(made.at("registryd"), "running");
  EXPECT_FALSE(fs::exists(In("registry/backup/point"))) << "what is backed up holds no space any more";
  ASSERT_TRUE(heard_.Active(kFirst + kMeanwhile, seconds(120)));
  const std::uint64_t feed = FeedOf("mno-a");
  const std::uint64_t serial = Zone().at("serial");

  const json judged =
      json::parse(Ctl({"restore", In("backup"), "--check", "--passphrase-file", In("passphrase"), "--json"}));
  EXPECT_THAT(judged.at("faults"), IsEmpty());
  EXPECT_GE(judged.at("devices"), kFirst);
  LoseAndRestore();

  EXPECT_THAT(before, IsSubsetOf(Devices("active"))) << "what was decided before the backup";
  EXPECT_TRUE(WaitUntil([&] { return Devices("active") == Devices(); }, seconds(90)))
      << "what was under way at the backup";
  EXPECT_TRUE(WaitUntil(
      [&] {
        const json zone = Zone();
        return zone.at("serial") > serial && !zone.at("secondaries").empty() &&
               zone.at("secondaries")[0].at("serial") > serial;
      },
      seconds(60)))
      << "the secondary takes the restored zone without any help";
  const std::size_t known = heard_.active().size();
  Register(kAfterwards);
  EXPECT_TRUE(heard_.Active(known + kAfterwards, seconds(120))) << "the restored registry does its work";
  EXPECT_GT(FeedOf("mno-a"), feed + ledger::kFeedStep / 2) << "no number twice";
  EXPECT_THAT(test::Registryctl(*lab_, {"ledger", "verify"}).at("faults"), IsEmpty());
  // Beside the running registry; an import verifies what it made.
  Ctl({"ledger", "export", "--config", lab_->layout().ConfigFile(), "--to", In("lines")});
  const json imported = json::parse(Ctl({"ledger", "import", In("lines"), "--to", In("imported"), "--json"}));
  EXPECT_EQ(imported.at("counts").at("devices"), Devices().size());
  const auto failure = lab_->TakeFailure();
  EXPECT_FALSE(failure) << *failure;
}

}  // namespace
}  // namespace registry::lab
