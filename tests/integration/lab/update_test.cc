// A whole lab whose registry does not hold the zone: it sends its changes to a signing server of the operator's own (Knot).
// Devices, ASPs and the resolver see no difference.
#include <gtest/gtest.h>

#include "simulators/lab/demo.h"
#include "simulators/lab/probe.h"
#include "tests/support/built_lab.h"

namespace registry::lab {
namespace {

TEST(UpdateLabTest, DevicesBecomeActiveAndAreRevokedThroughTheOperatorsSigningServer) {
  DemoOptions options;
  options.lab = test::BuiltLab();
  options.lab.devices = 6;
  options.lab.publisher = LabOptions::Publisher::kUpdate;
  options.quiet = true;
  DemoRun run = RunDemo(options);
  ASSERT_NE(run.lab, nullptr);
  EXPECT_TRUE(run.report.Good()) << run.trouble << OutcomeSentence(run.report);
  EXPECT_EQ(run.report.active, 6u);
  ASSERT_EQ(run.report.revocations.size(), run.report.refusals_wanted);
  EXPECT_GE(run.report.revocations.size(), 1u);
  for (const char* server : {"signing-server", NameOf(Authority::kBind)}) {
    const std::string line = "registry_zone_revocation_served_seconds_count{secondary=\"" +
                             std::string(server) + "\"} " + std::to_string(run.report.revocations.size());
    EXPECT_TRUE(WaitUntil(
        [&] {
          const auto metrics = HttpBody(kAddress, run.lab->layout().http, "/metrics");
          return metrics && metrics->find(line) != metrics->npos;
        },
        std::chrono::seconds(20)))
        << line;
  }
  EXPECT_EQ(run.lab->TakeFailure(), std::nullopt);
}

}  // namespace
}  // namespace registry::lab
