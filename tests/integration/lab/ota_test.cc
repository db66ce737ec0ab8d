// Payloads and wipes over the air, in a lab of real servers: by short message and by HTTP session, with something going
// wrong all the time, every device becomes active.
#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "simulators/lab/demo.h"
#include "simulators/lab/story.h"
#include "tests/support/built_lab.h"

namespace registry::lab {
namespace {

class OtaLabTest : public testing::TestWithParam<OtaSetup> {
 protected:
  static DemoOptions Options() {
    DemoOptions options;
    options.lab = test::BuiltLab();
    options.lab.devices = 4;
    options.lab.ota = GetParam();
    options.quiet = true;
    options.silence = std::chrono::seconds(90);
    return options;
  }
};

TEST_P(OtaLabTest, EveryDeviceBecomesActive) {
  DemoRun run = RunDemo(Options());
  EXPECT_TRUE(run.report.Good() && run.trouble.empty()) << run.trouble << ToJson(run.report).dump(1);
  EXPECT_EQ(run.report.active, 4u);
  const OtaFigures& figures = run.report.over_the_air;
  EXPECT_GE(figures.written, 4u) << "nothing went another way";
  if (GetParam().bearer == "http") {
    EXPECT_GE(figures.sessions, 4u);
  } else {
    EXPECT_GE(figures.packets, 4u * 4);
    EXPECT_GT(figures.repeated + figures.resyncs, 0u) << "nothing went wrong, so nothing was shown";
  }
  ASSERT_NE(run.lab, nullptr);
  const std::string folder = run.lab->layout().folder;
  run.lab.reset();
  if (!HasFailure()) std::filesystem::remove_all(folder);
}

INSTANTIATE_TEST_SUITE_P(Bearers, OtaLabTest,
                         testing::Values(OtaSetup{"sms", 0.12, 1}, OtaSetup{"sms", 0.12, 3},
                                         OtaSetup{"http", 0.2, 4}),
                         [](const auto& setup) {
                           return setup.param.bearer + std::to_string(setup.param.seed);
                         });

// With a new key, another MNO's card, and a wipe, all over the air.
TEST(OtaStoryTest, AWholeLifeOverTheAir) {
  StoryOptions options;
  options.lab = test::BuiltLab();
  options.lab.ota = {"sms", 0.05, 6};
  Story story = TellStory(options);
  EXPECT_EQ(story.trouble, "");
  for (const Chapter& chapter : story.chapters)
    EXPECT_TRUE(chapter.ok) << chapter.title << ": " << testing::PrintToString(chapter.proofs);
  EXPECT_TRUE(story.whole);
  EXPECT_GE(story.over_the_air.written, 8u) << "four activations, a renewal, two transfers, a wipe";
  ASSERT_TRUE(story.lab);
  const std::string folder = story.lab->layout().folder;
  story.lab->Stop();
  if (!HasFailure()) std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace registry::lab
