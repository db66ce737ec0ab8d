// The file of what was done to parties: what may stand in its place, and what a disk that is full leaves of it.
#include "bridge/ctl/party_history.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "bridge/clock.h"
#include "tests/support/temporary_folder.h"

namespace registry::ctl {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

class PartyHistoryTest : public testing::Test {
 protected:
  Status Record(const std::string& party) {
    return RecordEvent(folder_.path(), {SystemClock().Now(), "added", party, {"AB:01"}, "role asp"});
  }
  std::string WhyRefused() {
    const auto recorded = Record("asp-a");
    if (recorded) return "";
    EXPECT_EQ(recorded.error().symbol, "file_failed");
    return recorded.error().message;
  }
  // Files of this process end there meanwhile, as on a disk without more room.
  Status RecordWithRoomFor(std::size_t octets, const std::string& party) {
    rlimit before{};
    EXPECT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    rlimit small = before;
    small.rlim_cur = octets;
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    auto recorded = Record(party);
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    return recorded;
  }
  std::string Text() const { return folder_.Read("parties.jsonl"); }

  test::TemporaryFolder folder_;
  const std::string file_ = folder_.In("parties.jsonl");
};

TEST_F(PartyHistoryTest, NoLinkIsFollowedAndNothingButAFileIsWritten) {
  const std::string theirs = folder_.Write("theirs", "theirs\n");
  fs::create_symlink(theirs, file_);
  EXPECT_THAT(WhyRefused(), HasSubstr("is a symbolic link"));
  fs::remove(file_);
  fs::create_symlink(folder_.In("none"), file_);
  EXPECT_THAT(WhyRefused(), HasSubstr("is a symbolic link"));
  EXPECT_FALSE(fs::exists(folder_.In("none")));
  fs::remove(file_);
  fs::create_hard_link(theirs, file_);
  EXPECT_THAT(WhyRefused(), HasSubstr("is no regular file with one name"));
  fs::remove(file_);
  EXPECT_EQ(folder_.Read("theirs"), "theirs\n");
  ASSERT_EQ(mkfifo(file_.c_str(), 0644), 0);
  EXPECT_THAT(WhyRefused(), HasSubstr("is no regular file with one name"));
  fs::remove(file_);
  EXPECT_TRUE(Record("asp-a"));
}

TEST_F(PartyHistoryTest, RootGivesAwayWhatItHasMadeAndNothingElse) {
  if (geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  constexpr uid_t kService = 65534, kOther = 65533;
  ASSERT_EQ(chown(folder_.path().c_str(), kService, kService), 0);
  const auto owner = [this] {
    struct stat is {};
    EXPECT_EQ(stat(file_.c_str(), &is), 0);
    return is.st_uid;
  };
  ASSERT_TRUE(Record("asp-a"));
  EXPECT_EQ(owner(), kService);
  ASSERT_EQ(chown(file_.c_str(), kOther, kOther), 0);
  ASSERT_TRUE(Record("asp-a"));
  EXPECT_EQ(owner(), kOther);
  EXPECT_THAT(*EventsOf(folder_.path(), "asp-a"), SizeIs(2));
}

TEST_F(PartyHistoryTest, ALineThatFindsNoRoomLeavesNothing) {
  ASSERT_TRUE(Record("asp-a"));
  const std::string before = Text();
  const auto failed = RecordWithRoomFor(before.size() + 20, "asp-b");
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("No space left"));
  EXPECT_EQ(Text(), before);
  ASSERT_TRUE(Record("asp-c"));
  EXPECT_THAT(*EventsOf(folder_.path(), "asp-c"), SizeIs(1));
}

TEST_F(PartyHistoryTest, HalfALineThatIsThereIsEndedAndTheNextIsWhole) {
  folder_.Write("parties.jsonl", "{\"event\":\"add");
  EXPECT_FALSE(RecordWithRoomFor(Text().size() + 20, "asp-b"));
  EXPECT_EQ(Text(), "{\"event\":\"add\n") << "registryd may have taken it as a line";
  folder_.Write("parties.jsonl", "{\"event\":\"add");
  ASSERT_TRUE(Record("asp-a"));
  EXPECT_THAT(Text(), StartsWith("{\"event\":\"add\n{\"time\""));
  EXPECT_THAT(*EventsOf(folder_.path(), "asp-a"), SizeIs(1));
}

}  // namespace
}  // namespace registry::ctl
