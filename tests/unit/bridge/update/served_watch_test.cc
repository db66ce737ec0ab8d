// A secondary that does not answer: it is waited for, and then left behind, until it has caught up.
#include "bridge/update/served_watch.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "tests/unit/bridge/zone/fake_secondary.h"
#include "tests/unit/bridge/zone/zone_files.h"

namespace registry::update {
namespace {

TEST(ServedWatchTest, OneThatLagsIsLeftBehindAndItIsSaid) {
  const zone::testing::ZoneFiles files;
  zone::Options options = files.options();
  const auto key = zone::LoadTsigKey(zone::testing::kTsigName, files.path("tsig.secret"));
  ASSERT_TRUE(key.ok());
  zone::testing::FakeSecondary nobody(*key);
  nobody.BeSilent();
  options.secondaries = {nobody.address("nobody")};
  options.lag_limit = std::chrono::seconds(1);
  const auto keys = zone::LoadTsigKeys(options);
  ASSERT_TRUE(keys.ok());
  const SystemClock clock;
  std::mutex mutex;
  std::condition_variable more;
  std::string said, level;
  std::vector<bool> told;
  options.secondary_told = [&](const zone::SecondaryNews& news) {
    const std::lock_guard lock(mutex);
    EXPECT_EQ(news.secondary, "nobody");
    EXPECT_GE(news.lasted, std::chrono::seconds(1));
    told.push_back(news.left_behind);
    more.notify_all();
    return true;
  };
  ServedWatch watch(options, *keys, *zone::NameFromText(zone::testing::kZone), clock,
                    [&](int how, const std::string& line) {
                      const std::lock_guard lock(mutex);
                      said += line + "\n";
                      level = how == Level::kError ? "error" : "warning or less";
                      more.notify_all();
                    });
  watch.Want(7);
  EXPECT_FALSE(watch.AllServe(7)) << "it is waited for";
  watch.Start();
  {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(more.wait_for(lock, std::chrono::seconds(20), [&] {
      return said.find("secondary nobody is left behind: it has served nothing new for ") != said.npos;
    })) << said;
    EXPECT_EQ(level, "error");
    EXPECT_TRUE(more.wait_for(lock, std::chrono::seconds(20), [&] { return told == std::vector{true}; }));
  }
  EXPECT_FALSE(watch.AllServe(7)) << "nobody serves it";
  EXPECT_TRUE(watch.lags().front().left_behind);
  EXPECT_GE(watch.lags().front().behind, std::chrono::seconds(1));
  EXPECT_GE(watch.lags().front().left_for, std::chrono::seconds(1));
  nobody.Serve(7);
  {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(more.wait_for(lock, std::chrono::seconds(20), [&] {
      return said.find("secondary nobody has caught up after ") != said.npos;
    })) << said;
    EXPECT_EQ(level, "warning or less") << "it is good news";
    EXPECT_TRUE(more.wait_for(lock, std::chrono::seconds(20), [&] {
      return told == std::vector{true, false};
    }));
  }
  EXPECT_TRUE(watch.AllServe(7));
  EXPECT_EQ(watch.lags().front().left_for, std::chrono::milliseconds(0));
  watch.Stop();
}

}  // namespace
}  // namespace registry::update
