// The program itself: command line, exit codes, help.
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <regex>

#include "tests/support/openssl_tool.h"

namespace registry::ctl {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Ran {
  int status = -1;
  std::string out, err;
};

class Registryctl : public testing::Test {
 protected:
  Ran Run(const std::string& words, const std::string& environment = "") const {
    const std::string command = environment + " " REGISTRY_BINARY_DIR "/bin/registryctl " + words + " >" +
                                folder_.In("out") + " 2>" + folder_.In("err");
    const int status = std::system(command.c_str());
    return {WEXITSTATUS(status), folder_.Read("out"), folder_.Read("err")};
  }
  test::TemporaryFolder folder_;
};

TEST_F(Registryctl, SaysItsVersion) {
  const Ran ran = Run("--version");
  EXPECT_EQ(ran.status, 0);
  EXPECT_TRUE(std::regex_match(ran.out, std::regex("registryctl \\d+\\.\\d+\\.\\d+\n"))) << ran.out;
}

TEST_F(Registryctl, AWrongCommandLineEndsWithTwoAndSaysWhy) {
  for (const char* words : {"",
                            "nonsense",
                            "device",
                            "device show",
                            "device list --nonsense",
                            "zone show",
                            "party add x --role boss --dir d",
                            "party add x --role 0 --dir d",
                            "outbox skip --sink mqtt --seq many --ledger none",
                            "outbox skip --sink mqtt --seq -1 --ledger none",
                            "outbox skip --sink mqtt --seq=-1 --ledger none",
                            "outbox skip --sink mqtt --seq 0 --ledger none",
                            "outbox skip --sink mqtt --seq 18446744073709551616 --ledger none",
                            "outbox skip --sink mqtt --seq 1",
                            "device list",
                            "ledger verify",
                            "dead-letter list",
                            "job list",
                            "feed show x",
                            "device show 00000000-0000-4000-8000-000000000000",
                            "device show xx --ledger none",
                            "device history xx --ledger none",
                            "feed show NOBODY --ledger none",
                            "party add NOBODY --role mno --dir none",
                            "party add registry --role mno --dir none",
                            "init --dir none --zone 'no zone'"}) {
    const Ran ran = Run(words);
    EXPECT_EQ(ran.status, 2) << words;
    EXPECT_FALSE(ran.err.empty()) << words;
    EXPECT_EQ(ran.out, "") << words;
  }
}

TEST_F(Registryctl, ACommandThatFailsEndsWithOne) {
  for (const std::string words : {"device list --ledger none", "zone show --config none.toml"}) {
    const Ran ran = Run(words);
    EXPECT_EQ(ran.status, 1) << words;
    EXPECT_TRUE(ran.err.starts_with("registryctl: ")) << ran.err;
    EXPECT_EQ(ran.out, "") << words;
  }
  EXPECT_EQ(Run("device list --ledger none", "TMPDIR=/dev/null").status, 1);  // nowhere for temporary files
}

TEST_F(Registryctl, HelpShowsTheWordsOfAChoiceOnly) {
  const Ran party = Run("party add --help"), outbox = Run("outbox skip --help");
  EXPECT_EQ(party.status, 0);
  EXPECT_THAT(party.out, HasSubstr("{asp,mno,operator}"));
  EXPECT_THAT(outbox.out, HasSubstr("{crl,mqtt,zone}"));
  for (const Ran& ran : {party, outbox}) {
    EXPECT_THAT(ran.out, Not(HasSubstr("->")));
    EXPECT_THAT(ran.out, Not(HasSubstr("ENUM")));
  }
}

}  // namespace
}  // namespace registry::ctl
