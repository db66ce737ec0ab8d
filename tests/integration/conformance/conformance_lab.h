// tests/integration/conformance/conformance_lab.h: the folder of one lab for every run of a test program, and how a run is
// held against what is expected of it.
// Owns: the lab's folder, from the first test to the last. Threads: runs may be under way on several at once.
#pragma once

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "clients/conformance/report.h"
#include "clients/conformance/run.h"
#include "simulators/lab/layout.h"
#include "simulators/mqtt/client.h"

namespace registry::test {

const lab::Layout& ConformanceLab();  // null fields never: the program ends when the lab cannot be made

// What a simulator is asked with: short times, since it answers at once.
conformance::RunOptions QuickRun(const std::string& role, const std::string& party);
// The party's connection to a run's broker, repeating fast.
sim::ClientOptions QuickClient(const std::string& party, std::uint16_t port, sim::ProtocolFaults faults);

// Numbers of the clauses with this finding, and names of the cases.
std::set<std::string> ClausesThat(const conformance::ConformanceRun& run, conformance::Finding finding);
std::set<std::string> CasesThat(const conformance::ConformanceRun& run, conformance::Finding finding);
// Every check that failed, for people.
std::string FailuresOf(const conformance::ConformanceRun& run);

// A fault of a simulator, and what must find it: these clauses fail and no other, and this case is among those that fail.
struct SeededFault {
  sim::ProtocolFault fault;
  std::string found_by;
  std::set<std::string> clauses;
};
// Those of MNOs and ASPs alike.
std::vector<SeededFault> FaultsOfEither();
// Runs them `at_once` at a time.
using RunWith = std::function<conformance::ConformanceRun(sim::ProtocolFaults)>;
void ExpectEachFound(const std::vector<SeededFault>& faults, std::size_t at_once, const RunWith& run);

}  // namespace registry::test
