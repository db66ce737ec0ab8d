#include "tests/integration/conformance/conformance_lab.h"

#include <future>
#include <memory>

#include "tests/support/test_lab.h"

namespace registry::test {

using conformance::ConformanceRun;
using conformance::Finding;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

std::unique_ptr<lab::Lab> lab_of_files;

// Its servers write the files that a run reads, and are then in nobody's way.
class ConformanceFiles : public ::testing::Environment {
 public:
  void SetUp() override {
    lab_of_files = NewLabOfServers({.devices = 4});
    ASSERT_NE(lab_of_files, nullptr);
    ASSERT_TRUE(lab_of_files->WriteDescription(nullptr));
    lab_of_files->Stop();
  }
  void TearDown() override { lab_of_files.reset(); }
};
[[maybe_unused]] const auto* const kFiles = ::testing::AddGlobalTestEnvironment(new ConformanceFiles);

}  // namespace

const lab::Layout& ConformanceLab() {
  REG_CHECK(lab_of_files != nullptr);
  return lab_of_files->layout();
}

conformance::RunOptions QuickRun(const std::string& role, const std::string& party) {
  conformance::RunOptions options;
  options.lab_file = ConformanceLab().In("lab.json");
  options.role = role;
  options.party = party;
  options.wait = seconds(30);
  options.cases.timeout = seconds(6);
  options.cases.quiet = milliseconds(600);
  options.cases.batches = true;
  return options;
}

sim::ClientOptions QuickClient(const std::string& party, std::uint16_t port, sim::ProtocolFaults faults) {
  sim::ClientOptions client;
  client.port = port;
  client.ca_file = ConformanceLab().BrokerCa();
  client.certificate_file = ConformanceLab().PartyCertificate(party);
  client.key_file = ConformanceLab().PartyKey(party);
  client.party = party;
  client.repeat_after = milliseconds(400);
  client.faults = std::move(faults);
  return client;
}

std::set<std::string> ClausesThat(const ConformanceRun& run, Finding finding) {
  std::set<std::string> numbers;
  for (const auto& [number, found] : run.ByClause()) {
    if (found == finding) numbers.insert(number);
  }
  return numbers;
}

std::set<std::string> CasesThat(const ConformanceRun& run, Finding finding) {
  std::set<std::string> names;
  for (const auto& one : run.cases) {
    if (one.outcome() == finding) names.insert(one.name);
  }
  return names;
}

std::string FailuresOf(const ConformanceRun& run) {
  std::string text = conformance::OutcomeOf(run) + "\n";
  for (const auto& one : run.cases) {
    for (const auto& check : one.checks) {
      if (check.finding == Finding::kFailed) text += one.name + " " + check.clause + ": " + check.what + "\n";
    }
  }
  return text;
}

std::vector<SeededFault> FaultsOfEither() {
  using Fault = sim::ProtocolFault;
  return {
      {Fault::kNoRepeat, "lost-reply", {"P7"}},
      {Fault::kNewId, "lost-reply", {"P7"}},
      {Fault::kOtherTime, "lost-reply", {"P6"}},
      {Fault::kCleanSession, "away", {"P2"}},
      {Fault::kQos0, "notification", {"P4"}},
      {Fault::kBatchStops, "batch-bad-item", {"P15"}},
      {Fault::kUnknownMemberRefused, "unknown-member", {"P11"}},
      {Fault::kCauseIgnored, "other-cause", {"P8"}},
      {Fault::kFinalRepeated, "rejected", {"P9"}},
      {Fault::kRetryAtOnce, "put-off", {"P10"}},
      {Fault::kSkewRefused, "clock", {"P17"}},
      {Fault::kAckBeyond, "gap", {"F2"}},
      {Fault::kGapIgnored, "gap", {"F1"}},
      {Fault::kSeqAsText, "digits", {"F6"}},
      {Fault::kDuplicatesDealtWith, "transfer", {"A4"}},
  };
}

void ExpectEachFound(const std::vector<SeededFault>& faults, std::size_t at_once, const RunWith& run) {
  for (std::size_t first = 0; first < faults.size(); first += at_once) {
    std::vector<std::future<ConformanceRun>> under_way;
    const std::size_t end = std::min(first + at_once, faults.size());
    for (std::size_t i = first; i < end; ++i)
      under_way.push_back(std::async(std::launch::async, run, sim::ProtocolFaults{faults[i].fault}));
    for (std::size_t i = first; i < end; ++i) {
      const ConformanceRun found = under_way[i - first].get();
      const auto row = static_cast<std::size_t>(faults[i].fault);
      SCOPED_TRACE(std::string(sim::ProtocolFaultRows().at(row).name));
      EXPECT_FALSE(found.Good());
      EXPECT_TRUE(CasesThat(found, Finding::kFailed).contains(faults[i].found_by)) << FailuresOf(found);
      EXPECT_EQ(ClausesThat(found, Finding::kFailed), faults[i].clauses) << FailuresOf(found);
    }
  }
}

}  // namespace registry::test
