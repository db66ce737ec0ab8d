// What reading commands say to a selection that nobody has and to a configuration that cannot be read, and how wide.
#include "tests/unit/bridge/ctl/reading_commands.h"

namespace registry::ctl {
namespace {

TEST_F(ReadingCommands, AListOfAPartyThatNobodyIsIsNoEmptyList) {
  EXPECT_EQ(On({"device", "list", "--party", "nobody"}).out,
            "there is no such device; with --config FILE it is known who is registered\n");
  const std::string config = folder_.path("registry.toml");
  std::ofstream(config) << "[ledger]\nfolder = \"ledger\"\n[[party]]\nname = \"quiet\"\nrole = \"asp\"\n";
  for (const char* const listed : {"device", "transfer"}) {
    for (const bool json : {false, true}) {
      std::vector<std::string> words{listed, "list", "--party", "nobody", "--config", config};
      if (json) words.emplace_back("--json");
      const Ran nobody = Ctl(words);
      EXPECT_EQ(nobody.status, 2) << listed;
      EXPECT_EQ(nobody.out, "");
      EXPECT_THAT(nobody.err, HasSubstr("'nobody' is not registered: no [[party]] of " + config));
    }
    const Ran quiet = Ctl({listed, "list", "--party", "quiet", "--config", config});
    EXPECT_EQ(quiet.status, 0);
    EXPECT_EQ(quiet.out, std::string("there is no such ") + listed + "\n");
  }
  // Is registered no more, and still has devices.
  EXPECT_EQ(Ctl({"device", "list", "--party", "mno-a", "--config", config}).status, 0);
  const Ran deleted = On({"device", "list", "--party", "mno-a", "--state", "deleted"});
  EXPECT_EQ(deleted.status, 2);
  EXPECT_THAT(deleted.err, HasSubstr("goes without --party"));
}

// As a terminal of 80 columns has it; a file gets one line per device.
TEST_F(ReadingCommands, ATableFitsTheTerminal) {
  const std::string whole = On({"device", "list"}).out;
  setenv("COLUMNS", "80", 1);
  const std::string broken = On({"device", "list"}).out;
  const std::string narrow = Wrapped("fault    broker  it is not there. Do: start the broker", 30, 11);
  unsetenv("COLUMNS");
  EXPECT_EQ(std::count(whole.begin(), whole.end(), '\n'), 2);
  EXPECT_GT(whole.find('\n'), 80u);
  std::istringstream lines(broken);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
  const auto words = [](const std::string& text) {
    std::istringstream all(text);
    return std::vector<std::string>(std::istream_iterator<std::string>(all), {});
  };
  EXPECT_EQ(words(broken), words(whole)) << "nothing is left out";
  EXPECT_EQ(narrow, "fault    broker  it is not\n           there. Do: start\n           the broker");
  EXPECT_EQ(Wrapped("a b", std::nullopt, 2), "a b");
}

TEST_F(ReadingCommands, AConfigurationThatCannotBeReadSaysWhyAndWhatToDo) {
  const std::string folder = folder_.path("");
  for (const std::string verb : {"device", "order"}) {
    const Ran ran = Ctl({verb, "list", "--config", folder});
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.err, HasSubstr("is a folder; the configuration is a file in it: "));
    EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1) << ran.err;
  }
  const std::string config = folder_.path("registry.toml");
  std::ofstream(config) << test::kSmallestConfig;
  std::filesystem::permissions(config, std::filesystem::perms::none);
  const test::Unprivileged nobody;
  const Ran ran = Ctl({"device", "list", "--config", config});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.err, HasSubstr("Permission denied; run it as user id "));
  EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1) << ran.err;
}

}  // namespace
}  // namespace registry::ctl
