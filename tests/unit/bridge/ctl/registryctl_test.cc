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
                            "key generate",
                            "key generate pkcs11:object=a",
                            "key show /etc/issuing.key",
                            "ca request --dir none",
                            "ca install new.pem --dir none --name Not_Plain",
                            "party add x --role boss --dir d",
                            "party add x --role 0 --dir d",
                            "outbox skip --sink mqtt --seq many --ledger none",
                            "outbox skip --sink mqtt --seq -1 --ledger none",
                            "outbox skip --sink mqtt --seq=-1 --ledger none",
                            "outbox skip --sink mqtt --seq 0 --ledger none",
                            "outbox skip --sink mqtt --seq 18446744073709551616 --ledger none",
                            "outbox skip --sink mqtt --seq 1",
                            "device list",
                            "device list --state happy --ledger none",
                            "device list --party NOBODY --ledger none",
                            "device list --expires-before soon --ledger none",
                            "device explain xx --ledger none",
                            "device suspend xx --reason x --config none",
                            "device suspend 00000000-0000-4000-8000-000000000000 --config none",
                            "device suspend 00000000-0000-4000-8000-000000000000 --reason '' --config none",
                            "device find --ledger none",
                            "device find --eid 12 --ledger none",
                            "order start explode --all --reason x --config none",
                            "order start delete --reason x --config none",
                            "order start delete --all --party asp-a --reason x --config none",
                            "order pause xx --config none",
                            "audit export --from 0 --ledger none",
                            "audit verify",
                            "ledger verify",
                            "ledger reindex",
                            "dead-letter list",
                            "job list",
                            "feed show x",
                            "device show 00000000-0000-4000-8000-000000000000",
                            "device show xx --ledger none",
                            "device history xx --ledger none",
                            "feed show NOBODY --ledger none",
                            "party add NOBODY --role mno --dir none",
                            "party add registry --role mno --dir none",
                            "party withdraw --dir none",
                            "party withdraw NOBODY --dir none",
                            "party withdraw x --serial 12 --dir none",
                            "party withdraw --serial 0x12 --dir none",
                            "transfer approve --config none",
                            "transfer approve 00000000-0000-4000-8000-000000000000",
                            "transfer reject xx --config none",
                            "transfer cancel 00000000-0000-4000-8000-000000000000 --config none",
                            "ledger export --ledger none",
                            "ledger import none",
                            "backup --to none",
                            "backup --config none --to none --keys",
                            "backup --config none --to none --keys --escrow none",
                            "restore none",
                            "restore none --check --to none",
                            "init --dir none --zone 'no zone'"}) {
    const Ran ran = Run(words);
    EXPECT_EQ(ran.status, 2) << words;
    EXPECT_FALSE(ran.err.empty()) << words;
    EXPECT_EQ(ran.out, "") << words;
  }
}

TEST_F(Registryctl, AWrongWordIsNamedWithTheChoices) {
  const std::pair<const char*, const char*> said[] = {
      {"devcie list", "registryctl: 'devcie' is no command of it; nearest: device; there are: init, party, "},
      {"device list --jsn --ledger x",
       "registryctl device list: '--jsn' is no option of it; nearest: --json\n"},
      {"device list --ldeger x",
       "registryctl device list: '--ldeger' is no option of it; nearest: --ledger\n"},
      {"--jsn", "registryctl: '--jsn' is no option of it; there are: init, party, "},
      {"device shwo x",
       "registryctl device: 'shwo' is no command of it; nearest: show; there are: show, list, find, "
       "explain, history, deactivate, reactivate, suspend, resume, disconnect, reconnect, rekey, delete, "
       "restore, wipe\n"},
      {"device dectivate x", "registryctl device: 'dectivate' is no command of it; nearest: deactivate; "},
      {"device suspend x --dryrun",
       "registryctl device suspend: '--dryrun' is no option of it; nearest: --dry-run\n"},
      {"order strat", "registryctl order: 'strat' is no command of it; nearest: start; "},
      {"audit exprot", "registryctl audit: 'exprot' is no command of it; nearest: export; there are: "},
      {"device --json lst",
       "registryctl device: 'lst' is no command of it; nearest: list; there are: show, list, find, "
       "explain, history, "},
      {"device", "registryctl device: a command is missing; there are: show, list, find, "},
      {"", "registryctl: a command is missing; there are: "},
  };
  for (const auto& [words, sentence] : said) {
    const Ran ran = Run(words);
    EXPECT_EQ(ran.status, 2) << words;
    EXPECT_TRUE(ran.err.starts_with(sentence)) << ran.err;
  }
  EXPECT_THAT(Run("device list --nonsense").err, HasSubstr("--nonsense"));
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

TEST_F(Registryctl, AStoppedRegistrysDevicesAreIndexedAnew) {
  ASSERT_EQ(Run("ledger create --ledger " + folder_.In("ledger")).status, 0);
  const Ran ran = Run("ledger reindex --ledger " + folder_.In("ledger"));
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.out, "the index of 0 devices in " + folder_.In("ledger") +
                         " was made anew, and the days of 0 event marks\n");
  EXPECT_EQ(Run("ledger reindex --ledger none").status, 1);
}

// Each reads the configuration and writes it anew.
TEST_F(Registryctl, EightAtOnceAllTakeEffect) {
  const std::string registry = folder_.In("r");
  ASSERT_EQ(Run("init --dir " + registry + " --zone iotregistry.test").status, 0);
  const auto eight = [&](const std::string& words) {
    std::string script;
    for (int i = 1; i <= 8; ++i) {
      const std::string each = std::regex_replace(words, std::regex("@"), std::to_string(i));
      script += REGISTRY_BINARY_DIR "/bin/registryctl " + each + " --dir " + registry +
                " >/dev/null & pids=\"$pids $!\"; ";
    }
    script += "for pid in $pids; do wait $pid || exit 1; done";
    folder_.Write("eight.sh", script);
    return WEXITSTATUS(std::system(("sh " + folder_.In("eight.sh")).c_str()));
  };
  EXPECT_EQ(eight("party add mno-@ --role mno"), 0);
  const std::string config = folder_.Read("r/registry.toml");
  const std::string issued = folder_.Read("r/interface/issued.txt");
  for (int i = 1; i <= 8; ++i) {
    const std::string name = "mno-" + std::to_string(i);
    EXPECT_THAT(config, HasSubstr("[[party]]\nname = \"" + name + "\"\n"));
    EXPECT_THAT(issued, HasSubstr(" " + name + " "));
  }
  EXPECT_EQ(eight("party withdraw mno-@"), 0);
  const auto crl = test::OpenSsl(folder_, "crl -in r/interface/crl.pem -noout -text").output;
  std::istringstream lines(issued);
  for (std::string serial, name, end; lines >> serial >> name >> end;) {
    EXPECT_EQ(crl.find("Serial Number: " + serial) != std::string::npos, name.starts_with("mno-"))
        << name << crl;
  }
}

TEST_F(Registryctl, EveryCertificateThatWasMadeIsRecordedAndAnOwnOneIsWithdrawnWithAWarning) {
  const std::string registry = folder_.In("r"), interface = "r/interface/";
  const auto serial_of = [&](const std::string& name) {
    const std::string text = test::OpenSsl(folder_, "x509 -noout -serial -in " + interface + name).output;
    return text.substr(7, text.find('\n') - 7);
  };
  const Ran made = Run("init --dir " + registry + " --zone iotregistry.test");
  ASSERT_EQ(made.status, 0) << made.err;
  EXPECT_THAT(made.out, HasSubstr("interface/resolver.pem"));
  EXPECT_THAT(made.out, HasSubstr("interface/broker.{pem,key}"));
  EXPECT_THAT(made.out, HasSubstr("the broker's certificate is for localhost only"));
  const std::string first = serial_of("broker.pem"), own = serial_of("registryd.pem");
  ASSERT_EQ(Run("broker certificate --broker-host broker.test --dir " + registry).status, 0);
  const std::string issued = folder_.Read(interface + "issued.txt");
  for (const std::string& line :
       {first + " broker ", serial_of("broker.pem") + " broker ", own + " registryd "})
    EXPECT_THAT(issued, HasSubstr(line));
  EXPECT_THAT(Run("party add mno-a --role mno --dir " + registry).out,
              HasSubstr("registryd is not running; its next start takes its parties"));
  for (const auto& [serial, warning] :
       {std::pair<std::string, const char*>("12345678",
                                            "no certificate with the serial 12345678 is recorded"),
        {own, "this is registryd's own certificate"},
        {first, "this is the broker's own certificate"}}) {
    const Ran ran = Run("party withdraw --serial " + serial + " --dir " + registry);
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(std::string("registryctl: warning: ") + warning));
  }
  EXPECT_EQ(Run("party withdraw mno-a --dir " + registry).err, "");
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
