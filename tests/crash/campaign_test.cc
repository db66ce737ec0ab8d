// A campaign of random faults: three registryd, of which one is active and two decide beside it or stand by, PostgreSQL
// with a synchronous standby, two secondaries, and devices that are activated, transferred and given other keys all the
// while. In the end all work is done, what was accepted took effect once, no feed has a gap, and ledger and zone agree
// (README.md beside this).
#include <gmock/gmock.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <random>

#include "simulators/lab/probe.h"
#include "tests/crash/campaign_faults.h"
#include "tests/crash/campaign_lab.h"
#include "tests/crash/campaign_verdict.h"
#include "tests/crash/campaign_witness.h"
#include "tests/crash/campaign_work.h"
#include "tests/support/device_session.h"

namespace registry::test {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds kServesWithin{240};  // after a fault, on a slow host
constexpr seconds kDoneWithin{600};
constexpr int kRegisteredFirst = 4;
constexpr int kBriefMost = 10;                         // faults; with more, the campaign is a long one
constexpr std::uint64_t kMeanwhileOneOf = 4;           // faults that have another one beside them
constexpr std::uint64_t kNeverSoMany = 1'000'000'000;  // events

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets it meanwhile
  return text == nullptr || *text == '\0' ? otherwise : std::strtoull(text, nullptr, 10);
}

struct CampaignPlan {
  int faults = static_cast<int>(FromEnvironment("CAMPAIGN_FAULTS", 4));
  int devices = static_cast<int>(FromEnvironment("CAMPAIGN_DEVICES", 12));
  bool shared = FromEnvironment("CAMPAIGN_SHARED", 1) != 0;
  std::uint64_t seed = FromEnvironment("CAMPAIGN_SEED", std::random_device{}());
  std::string text() const {
    return "CAMPAIGN_SEED=" + std::to_string(seed) + " CAMPAIGN_FAULTS=" + std::to_string(faults) +
           " CAMPAIGN_DEVICES=" + std::to_string(devices) + " CAMPAIGN_SHARED=" + (shared ? "1" : "0");
  }
};

class CampaignRun {
 public:
  explicit CampaignRun(const CampaignPlan& plan)
      : plan_(plan), random_(plan.seed), random_of_work_(plan.seed + 1) {}

  void Run() {
    const auto begun = steady_clock::now();
    lab_ = CampaignLab::Start(
        plan_.devices, kRegisteredFirst, plan_.shared,
        [this](const std::string& program, const json& event) { work_.Hear(program, event); });
    ASSERT_NE(lab_, nullptr);
    Say("begins after " + Since(begun));
    witness_ = std::make_unique<CampaignWitness>(lab_->lab().layout());
    work_.SetPlan(plan_.devices, kRegisteredFirst, plan_.faults);
    StrikeAll();
    if (testing::Test::HasFatalFailure()) return;
    EXPECT_TRUE(work_.WaitFinished(lab_->lab(), kDoneWithin)) << work_.Unfinished();
    Say("the work is done after " + Since(begun));
    AwaitService("the end");
    ExpectAllServesEverybody();
    lab_->lab().Stop();
    const auto reader = lab_->servers().OpenReader();
    ASSERT_TRUE(reader) << reader.error().message;
    ExpectCampaignHolds(**reader, work_.devices(), witness_->said());
    for (const auto& [what, times] : work_.refusals())
      Say("refused " + std::to_string(times) + " times: " + what);
    Say("over after " + Since(begun) + ": " + work_.Summary());
  }

 private:
  static std::string Since(steady_clock::time_point begun) {
    return std::to_string(std::chrono::duration_cast<milliseconds>(steady_clock::now() - begun).count()) +
           " ms";
  }
  static void Say(const std::string& line) {
    std::printf("campaign: %s\n", line.c_str());
    std::fflush(stdout);
  }

  void StrikeAll() {
    FaultDeck deck(random_, lab_->has_disks());
    FaultMaker maker(*lab_, random_, plan_.faults <= kBriefMost,
                     [this](milliseconds time) { work_.WaitEvents(kNeverSoMany, time); });
    for (int i = 1; i <= plan_.faults && !testing::Test::HasFatalFailure(); ++i) {
      const Fault fault = deck.Next();
      const auto meanwhile = random_() % kMeanwhileOneOf == 0 ? std::optional(deck.Next()) : std::nullopt;
      work_.GoOn(lab_->lab(), random_of_work_);
      // Any point between two steps of the work.
      work_.WaitEvents(1 + random_() % 10, milliseconds(random_() % 1500));
      witness_->Say();
      const std::string struck = maker.Strike(fault, meanwhile);
      const auto mended = steady_clock::now();
      AwaitService(struck);
      Say("fault " + std::to_string(i) + ": " + struck + "; serves " + Since(mended) + " later; " +
          work_.Summary());
    }
    for (const auto& [status, times] : lab_->ends())
      Say("nodes ended with status " + std::to_string(status) + " " + std::to_string(times) + " times");
    std::string counted;
    for (const auto& [name, count] : maker.counts()) counted += name + " " + std::to_string(count) + ", ";
    Say(counted + (lab_->has_disks()
                       ? "none skipped"
                       : "skipped for want of root: " + std::to_string(deck.skipped()) + " of disks"));
  }

  // The registry is there as before, and decides what it is told.
  void AwaitService(const std::string& struck) {
    const auto serves = [this] {
      lab_->Supervise();
      return lab_->Serves();
    };
    ASSERT_TRUE(lab::WaitUntil(serves, kServesWithin)) << struck;
    ASSERT_TRUE(witness_->Await(kServesWithin)) << struck;
    ASSERT_TRUE(witness_->RepeatLast(kServesWithin)) << struck;
    ASSERT_EQ(witness_->faults(), "") << struck;
  }

  void ExpectAllServesEverybody() {
    const auto holds = [this](bool (*what)(const ledger::LedgerReader&)) {
      return lab::WaitUntil(
          [&] {
            const auto now = lab_->servers().OpenReader();
            return now && what(**now);
          },
          kServesWithin);
    };
    EXPECT_TRUE(holds(&EveryFeedWasSeen)) << "a feed has a gap";
    EXPECT_TRUE(holds(&EveryDeviceHasOneCertificate));
    for (const auto& [device, work] : work_.devices()) {
      const auto session = SessionAgain(lab_->lab(), work_.heard, device, kServesWithin);
      EXPECT_TRUE(session && session->value("ok", false))
          << device << (session ? session->dump() : ": no answer");
    }
    const json zone = lab_->Registryctl({"zone", "check", "--patience", "60"});
    EXPECT_EQ(zone["differences"], json::array());
    EXPECT_EQ(zone["places"].size(), 3u) << zone.dump(1);
    const json verified = lab_->Registryctl({"ledger", "verify"});
    EXPECT_EQ(verified["devices"], plan_.devices);
    EXPECT_EQ(verified["faults"], json::array());
    if (plan_.shared) ExpectSeveralDecided();
  }

  // Each transaction names the membership that made it; 0 is the active one.
  void ExpectSeveralDecided() {
    const auto writers =
        lab_->servers().primary()->Ask("SELECT count(DISTINCT member) FROM registry.changes");
    ASSERT_TRUE(writers) << writers.error().message;
    Say("memberships that have written: " + *writers);
    EXPECT_GT(std::atoi(writers->c_str()), 1);
  }

  const CampaignPlan plan_;
  std::mt19937_64 random_;
  std::mt19937_64 random_of_work_;  // asked as often as the work wants: the faults of a seed stay the same
  CampaignWork work_;               // hears of the lab until that ends
  std::unique_ptr<CampaignLab> lab_;
  std::unique_ptr<CampaignWitness> witness_;
};

TEST(Campaign, WhateverFaultsStrikeWhatWasAcceptedTookEffectOnce) {
  const CampaignPlan plan;
  std::printf("campaign: %s\n", plan.text().c_str());
  RecordProperty("campaign", plan.text());
  SCOPED_TRACE(plan.text());
  CampaignRun(plan).Run();
}

}  // namespace
}  // namespace registry::test
