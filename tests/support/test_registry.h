// tests/support/test_registry.h: the whole registry but broker and DNS: real pipeline, intake on disk, memory ledger, a
// clock that a test moves. What would leave over MQTT is read from the outbox,
// and all of it is held against the contract (envelope, schema of its type, symbols): a test fails on what no schema allows.
#pragma once

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "bridge/ingest/pipeline.h"
#include "tests/support/software_signer.h"

namespace registry::test {

class ManualClock : public Clock {
 public:
  UtcTime Now() const override { return {micros_.load()}; }
  void Advance(std::chrono::microseconds by) { micros_ += by.count(); }

 private:
  std::atomic<std::int64_t> micros_{1'790'000'000'000'000};  // 2026-09-21
};

struct Said {
  std::string topic;
  std::string correlation_data;
  std::string payload;
  nlohmann::json envelope;
  const nlohmann::json& data() const { return envelope.at("data"); }
  bool accepted() const { return topic.ends_with("/accepted"); }
  std::string symbol() const { return data().value("symbol", ""); }
  int code() const { return data().value("code", 0); }
};

class TestRegistry : public ingest::Observer {
 public:
  struct Setup {
    std::size_t lanes = 4;
    std::size_t queue_max = 8192;
    std::chrono::milliseconds stop_deadline{10'000};
    std::uint64_t kept_per_hour = std::uint64_t{1} << 40;
    domain::RetryPlans retry = {};
    domain::TransferPolicy transfer = {};
    ingest::LimitRules limits = {};
    ingest::SpaceLow space_low = [] { return false; };
    bool own_work = true;
    // Puts something between the pipeline and the ledger.
    std::function<std::unique_ptr<ledger::Ledger>(std::unique_ptr<ledger::Ledger>)> wrap = nullptr;
  };
  explicit TestRegistry(std::size_t lanes = 4) : TestRegistry(Setup{lanes}) {}
  explicit TestRegistry(Setup setup);
  ~TestRegistry() override;

  // Sends a command and waits for its reply. An empty id makes a new one.
  Said Ask(const std::string& party, const std::string& command, const nlohmann::json& data,
           std::string id = "");
  // Sends octets as they are and waits for the next thing said to that party.
  Said AskRaw(const ingest::InboundMessage& message);
  void Send(const ingest::InboundMessage& message) { pipeline_->Receive(message); }
  // Until nothing waits to be read or decided.
  void WaitUntilRead() const;
  // Everything said on a topic that starts with `prefix` since the last call with the same prefix.
  std::vector<Said> Heard(const std::string& prefix);
  std::vector<Said> TakeAside();  // what went aside since the last call, and was no answer to Ask
  // Publishes whatever the zone wants, as if every secondary served it.
  void ServeZone();
  void RunDueJobs(std::chrono::seconds later);  // moves the clock and waits for the timer to act
  // Moves the clock, and lets everything be looked at that ends soon; then RunDueJobs.
  void Sweep(std::chrono::seconds later);
  void Restart();  // stop and start again over the same ledger and intake
  void Restart(domain::RetryPlans retry) {
    setup_.retry = std::move(retry);
    Restart();
  }

  domain::Device Device(const std::string& id) const;
  // Whether the outcome was counted this often, or soon will be: counting follows the reply.
  bool Counted(const std::string& outcome, std::uint64_t times) const;
  std::uint64_t Limited(const std::string& party_and_limit) const {  // "asp-a write"
    return CountIn(limited_, party_and_limit);
  }
  // So far; counting follows the commit.
  std::uint64_t Renewals(const std::string& outcome) const { return CountIn(renewals_, outcome); }
  ingest::RenewalsDue RenewalsDue() const { return pipeline_->renewals_due(); }
  bool Logged(const std::string& part) const;  // as an error
  ledger::Ledger& ledger() { return *ledger_; }
  ingest::Intake& intake() { return *intake_; }
  ingest::Pipeline& pipeline() { return *pipeline_; }
  ManualClock& clock() { return clock_; }

  // Short cuts: a registered device (id, code), one with an endpoint, one that is active.
  struct Registered {
    std::string device, code;
  };
  Registered Register(const std::string& mno = "mno-a");
  void PublishEndpoint(const std::string& asp = "asp-a", const std::string& name = "main");
  std::string Activate(const std::string& mno = "mno-a", const std::string& asp = "asp-a");

 private:
  void CommandDone(const std::string&, const std::string& outcome, const std::string&,
                   std::chrono::microseconds) override;
  void Limited(const std::string& party, const std::string& limit) override;
  void RenewalMoved(const std::string& outcome) override;
  void StepDone(const std::string&, std::chrono::microseconds) override {}
  void Log(int level, const std::string& line) override;
  void Open();
  using Counts = std::map<std::string, std::uint64_t>;
  std::uint64_t CountIn(const Counts& counts, const std::string& name) const;
  std::vector<Said> ReadAfter(ledger::Seq* after, std::chrono::milliseconds wait);

  std::filesystem::path folder_;
  Setup setup_;
  ManualClock clock_;
  SoftwareSigner signer_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<ingest::Intake> intake_;
  std::optional<csr_sign::Issuer> issuer_;
  std::unique_ptr<ingest::Pipeline> pipeline_;
  std::map<std::string, ledger::Seq> heard_;
  mutable std::mutex mutex_;
  mutable std::condition_variable counted_;
  Counts outcomes_, limited_, renewals_;
  std::vector<std::string> errors_;
  std::vector<domain::OutgoingMessage> aside_;
  std::uint64_t next_id_ = 1;
  std::uint64_t next_esim_ = 1;
};

std::string EidOf(std::uint64_t number);  // valid check digits
std::string IccidOf(std::uint64_t number);

}  // namespace registry::test
