// One device and its whole life, in a lab of real servers: what `./dev demo --story` shows.
#include "simulators/lab/story.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "tests/support/built_lab.h"

namespace registry::lab {
namespace {

TEST(StoryTest, EveryChapterIsTrue) {
  StoryOptions options;
  options.lab = test::BuiltLab();
  options.lab.telemetry = true;
  Story story = TellStory(options);
  EXPECT_EQ(story.trouble, "");
  std::vector<std::string> titles;
  for (const Chapter& chapter : story.chapters) {
    EXPECT_TRUE(chapter.ok) << chapter.title << ": " << testing::PrintToString(chapter.proofs);
    titles.push_back(chapter.title);
  }
  EXPECT_TRUE(story.whole);
  ASSERT_EQ(titles.size(), 9u);
  EXPECT_EQ(titles.back(), "deleted");
  ASSERT_TRUE(story.lab);
  const std::string folder = story.lab->layout().folder;
  story.lab->Stop();
  if (!HasFailure()) std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace registry::lab
