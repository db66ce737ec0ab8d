#include "tests/integration/transfers/transfers_lab.h"

#include <thread>

#include "simulators/lab/registry_setup.h"
#include "tests/support/device_session.h"
#include "tests/support/test_lab.h"

namespace registry::lab {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr int kDevices = 12;  // of each MNO and each ASP three
constexpr milliseconds kBetweenSessions{100};

}  // namespace

std::optional<json> TrySession(Lab& lab, Heard& heard, const std::string& device, bool former) {
  return test::SessionAgain(lab, heard, device, seconds(60), former);
}

std::string RefusalAsBefore(Lab& lab, Heard& heard, const std::string& device) {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < until) {
    const auto session = TrySession(lab, heard, device, true);
    if (!session) return "no answer";
    if (!session->value("ok", false)) return session->value("reason", "?");
  }
  return "still welcome";
}

Probe::Probe(Lab& lab, Heard& heard, std::string device)
    : lab_(lab), heard_(heard), device_(std::move(device)), thread_([this] { Run(); }) {}

void Probe::End() {
  {
    const MutexLock lock(mutex_);
    over_ = true;
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

std::vector<std::string> Probe::refusals() const {
  const MutexLock lock(mutex_);
  return refusals_;
}

int Probe::held() const {
  const MutexLock lock(mutex_);
  return held_;
}

bool Probe::WaitHeld(int more) {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  MutexLock lock(mutex_);
  const int wanted = held_ + more;
  while (held_ < wanted) {
    if (over_ || std::chrono::steady_clock::now() >= until) return false;
    changed_.WaitFor(lock, kBetweenSessions);
  }
  return true;
}

void Probe::Run() {
  MutexLock lock(mutex_);
  while (!over_) {
    lock.Unlock();
    const auto session = TrySession(lab_, heard_, device_);
    lock.Lock();
    if (session && session->value("ok", false)) {
      ++held_;
    } else {
      refusals_.push_back(session ? session->value("reason", "?") : "no answer");
    }
    changed_.NotifyAll();
    if (!over_) changed_.WaitFor(lock, kBetweenSessions);
  }
}

std::unique_ptr<Heard> TransfersLab::heard_;
std::unique_ptr<Lab> TransfersLab::lab_;
std::set<std::string> TransfersLab::taken_;

void TransfersLab::SetUpTestSuite() {
  heard_ = std::make_unique<Heard>();
  LabOptions options;
  options.devices = kDevices;
  options.retry_first_seconds = 2;
  options.on_event = [](const std::string& program, const json& event) { heard_->Hear(program, event); };
  auto lab = test::NewWholeLab(std::move(options));
  ASSERT_NE(lab, nullptr);
  std::size_t from = 0;
  for (int i = 0; i < kDevices; ++i) {
    const auto done = heard_->Wait(
        from, [](const std::string&, const json& event) { return event.value("event", "") == "done"; },
        kPatience);
    ASSERT_TRUE(done && done->value("ok", false)) << "device " << i;
  }
  lab_ = std::move(lab);
}

void TransfersLab::TearDownTestSuite() {
  if (!lab_) return;
  const json verified = Ctl({"ledger", "verify"});
  EXPECT_EQ(verified.value("faults", json::array()), json::array());
  lab_->Stop();
  lab_.reset();
  heard_.reset();
}

void TransfersLab::TearDown() {
  if (!lab_) return;
  const auto failure = lab_->TakeFailure();
  EXPECT_FALSE(failure) << *failure;
}

std::string TransfersLab::DeviceOf(const std::string& mno, const std::string& asp) {
  for (const json& device : Ctl({"device", "list"})) {
    if (device.at("sponsor") != mno || device.at("claimer") != asp) continue;
    if (taken_.insert(device.at("device")).second) return device.at("device");
  }
  ADD_FAILURE() << "no device of " << mno << " and " << asp;
  return "";
}

json TransfersLab::Ctl(std::vector<std::string> words) { return test::Registryctl(*lab_, std::move(words)); }

void TransfersLab::KillAndRestart(const std::string& program, const std::string& when) {
  SCOPED_TRACE(when);
  lab_->Kill(program);
  const auto restarted = lab_->Restart(program);
  ASSERT_TRUE(restarted) << restarted.error().message;
}

void TransfersLab::Configure(const std::string& key, const std::string& value, const std::string& party) {
  const auto set = party.empty() ? SetKeys(lab_->layout(), "transfer", {{key, value}})
                                 : SetOwnKeys(lab_->layout(), party, {{key, value}});
  ASSERT_TRUE(set) << set.error().message;
  KillAndRestart("registryd", key);
}

std::optional<json> TransfersLab::Replayed(const std::string& mno, const std::string& device) {
  std::size_t from = heard_->size();
  Tell(mno, {{"cmd", "replay"}, {"device", device}});
  return heard_->Wait(
      from,
      [&](const std::string&, const json& event) {
        return event.value("step", "") == "payload_open" && event.value("device", "") == device;
      },
      kPatience);
}

void TransfersLab::Tell(const std::string& program, json command) {
  ASSERT_TRUE(lab_->SendTo(program, command)) << command.dump();
}

void TransfersLab::Give(const std::string& from, const std::string& to, const std::string& device) {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  std::string last;
  while (std::chrono::steady_clock::now() < until) {
    std::size_t at = heard_->size();
    Tell(from, {{"cmd", "give"}, {"device", device}, {"to", to}});
    const auto requested = heard_->Wait(
        at,
        [&](const std::string& who, const json& event) {
          const bool it = event.value("event", "") == "transfer" && event.value("device", "") == device;
          return it && (who == to ? event.value("what", "") == "requested" : !event.value("ok", false));
        },
        kPatience);
    if (requested && requested->value("ok", false)) return;
    last = requested ? requested->dump() : "no answer";
  }
  ADD_FAILURE() << device << " cannot be given to " << to << ": " << last;
}

void TransfersLab::Await(std::size_t& from, const Heard::Wanted& wanted, const std::string& what) {
  EXPECT_TRUE(heard_->Wait(from, wanted, kPatience)) << what << " does not come";
}

std::string TransfersLab::Refusal(const std::string& party, json command, const std::string& event) {
  std::size_t from = heard_->size();
  const std::string device = command.at("device");
  Tell(party, std::move(command));
  const auto said = heard_->Wait(
      from,
      [&](const std::string& who, const json& heard) {
        return who == party && heard.value("event", "") == event && heard.value("device", "") == device &&
               heard.contains("ok");
      },
      kPatience);
  if (!said) return "no answer";
  return said->value("ok", false) ? "accepted" : said->value("reason", "?");
}

}  // namespace registry::lab
