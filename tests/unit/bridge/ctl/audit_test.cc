// The audit stream: what it says of a ledger's history, and that nothing can be changed in it unseen.
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

#include "bridge/ctl/audit_commands.h"
#include "bridge/ctl/audit_line.h"
#include "bridge/ctl/device_commands.h"
#include "bridge/ledger/rocksdb/open.h"
#include "tests/support/ran_command.h"
#include "tests/unit/bridge/ledger/samples.h"

namespace registry::ctl {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr int kEntries = 5;

class Audit : public testing::Test {
 protected:
  Audit()
      : made_(ledger::CreateRocksDbLedger(folder_.path())),
        ledger_(*ledger::OpenRocksDbLedger({folder_.path()})) {
    for (int number = 1; number <= kEntries; ++number) {
      auto changes = ledger::samples::Registration(number);
      changes.history = {ledger::samples::History(number)};
      changes.history[0].what = "registered " + std::to_string(number);
      EXPECT_TRUE(ledger_->Commit(changes).ok());
    }
  }

  test::RanCommand On(std::vector<std::string> words) { return Run(std::move(words), folder_.path()); }
  static test::RanCommand Run(std::vector<std::string> words, const std::string& ledger,
                              const std::string& in = "") {
    CLI::App app("registryctl");
    AddAuditCommands(app);
    AddDeviceCommands(app);
    if (!ledger.empty()) words.insert(words.end(), {"--ledger", ledger});
    return test::RanWith(app, std::move(words), in);
  }
  static std::string Joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const auto& line : lines) text += line + '\n';
    return text;
  }
  test::RanCommand Verified(const std::vector<std::string>& lines, const std::string& ledger = "") {
    return Run({"audit", "verify", "-", "--json"}, ledger, Joined(lines));
  }

  ledger::samples::Folder folder_;
  const Status made_;
  std::unique_ptr<ledger::Ledger> ledger_;
};

TEST_F(Audit, EveryEntryIsALineAndTheLinesAreAChain) {
  const test::RanCommand exported = On({"audit", "export"});
  ASSERT_EQ(exported.status, 0) << exported.err;
  const auto lines = exported.lines();
  ASSERT_THAT(lines, SizeIs(kEntries));
  const Json first = Json::parse(lines[0]);
  EXPECT_EQ(first.at("seq"), 1);
  EXPECT_EQ(first.at("what"), "registered 1");
  EXPECT_EQ(first.at("previous"), std::string(64, '0'));
  EXPECT_EQ(first.at("device"), ledger::samples::DeviceOf(1).text());
  EXPECT_EQ(Json::parse(lines[1]).at("previous"), first.at("hash"));
  EXPECT_THAT(exported.out, Not(HasSubstr(ledger::samples::EidOf(1).text())));

  const test::RanCommand verified = Verified(lines, folder_.path());
  EXPECT_EQ(verified.status, 0) << verified.err;
  const Json said = Json::parse(verified.out);
  EXPECT_EQ(said.at("lines"), kEntries);
  EXPECT_EQ(said.at("held_to_ledger"), true);
  EXPECT_EQ(said.at("hash"), Json::parse(lines.back()).at("hash"));
}

TEST_F(Audit, APartHasNoGapAndIsHeldToTheLedgerToo) {
  const auto part = On({"audit", "export", "--from", "2", "--until", "4"}).lines();
  ASSERT_THAT(part, SizeIs(3));
  EXPECT_EQ(Json::parse(part[0]).at("seq"), 2);
  EXPECT_EQ(Verified(part, folder_.path()).status, 0);
  EXPECT_THAT(On({"audit", "export", "--from", "6"}).lines(), IsEmpty());
  EXPECT_EQ(On({"audit", "export", "--from", "8"}).status, 1) << "behind the end is said";
  const test::RanCommand turned = On({"audit", "export", "--from", "4", "--until", "2"});
  EXPECT_EQ(turned.status, 2);
  EXPECT_EQ(turned.err, "registryctl: --from 4 is behind --until 2\n");
  const test::RanCommand beyond = On({"audit", "export", "--until", "9"});
  EXPECT_THAT(beyond.lines(), SizeIs(kEntries));
  EXPECT_EQ(beyond.err, "registryctl: the history ends with entry 5, before --until 9\n");
}

// Whoever holds the lines alone notices it; no ledger is asked.
TEST_F(Audit, NothingIsChangedUnseen) {
  const auto lines = On({"audit", "export"}).lines();
  ASSERT_THAT(lines, SizeIs(kEntries));
  ASSERT_EQ(Verified(lines).status, 0);
  const auto expect_fault = [&](std::vector<std::string> changed, const std::string& says) {
    const test::RanCommand ran = Verified(changed);
    EXPECT_EQ(ran.status, 3) << says;
    EXPECT_THAT(ran.err, HasSubstr(says));
  };
  const auto with = [&](std::size_t at, const std::string& from, const std::string& to) {
    auto changed = lines;
    const auto place = changed[at].find(from);
    EXPECT_NE(place, std::string::npos) << from;
    changed[at].replace(place, from.size(), to);
    return changed;
  };
  const std::string other = "line 3: what it says is not what its record and hash say";
  expect_fault(with(2, "registered 3", "registered 9"), other);
  expect_fault(with(2, "\"actor\"", "\"actr\""), other);
  expect_fault(with(2, "\"seq\":3", "\"seq\":4"), "line 3: it is entry 4, and 3 is due");
  auto without = lines;
  without.erase(without.begin() + 2);
  expect_fault(without, "line 3: it is entry 4, and 3 is due");
  auto turned = lines;
  std::swap(turned[1], turned[2]);
  expect_fault(turned, "line 2: it is entry 3, and 2 is due");
  // A whole line of somebody else's making, sound by itself.
  Json forged = Json::parse(lines[2]);
  const auto record = ledger_->HistoryAfter(3, 1)->front();
  forged = AuditLine({3, record.entry, record.hash}, *FromHex(forged.at("previous").get<std::string>()));
  auto replaced = lines;
  replaced[2] = forged.dump();
  expect_fault(replaced, other);
  expect_fault({}, "has no line");
  expect_fault({"{}"}, "line 1: it is no line of the audit stream");
}

TEST_F(Audit, AnotherLedgersStreamIsNotThisOnes) {
  ledger::samples::Folder elsewhere;
  ASSERT_TRUE(ledger::CreateRocksDbLedger(elsewhere.path()).ok());
  auto opened = ledger::OpenRocksDbLedger({elsewhere.path()});
  ASSERT_TRUE(opened);
  auto changes = ledger::samples::Registration(1);
  changes.history = {ledger::samples::History(7)};
  ASSERT_TRUE((*opened)->Commit(changes).ok());
  const auto lines = Run({"audit", "export"}, elsewhere.path()).lines();
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_EQ(Verified(lines).status, 0);
  const test::RanCommand held = Verified(lines, folder_.path());
  EXPECT_EQ(held.status, 3);
  EXPECT_THAT(held.err, HasSubstr("not the history of this ledger"));
}

TEST_F(Audit, TheNewestAreTailedAndThoseOfOneDeviceOrActor) {
  EXPECT_THAT(On({"audit", "tail", "--lines", "2"}).lines(), SizeIs(2));
  EXPECT_THAT(On({"audit", "tail"}).lines(), SizeIs(kEntries));
  const auto of_one = On({"audit", "tail", "--device", ledger::samples::DeviceOf(2).text()}).lines();
  ASSERT_THAT(of_one, SizeIs(1));
  EXPECT_EQ(Json::parse(of_one[0]).at("what"), "registered 2");
  const test::RanCommand nobody = On({"audit", "tail", "--actor", "nobody"});
  EXPECT_EQ(nobody.status, 0);
  EXPECT_THAT(nobody.lines(), IsEmpty());
  EXPECT_EQ(nobody.err, "registryctl: the history has no entry that nobody caused\n");
  EXPECT_EQ(On({"audit", "tail", "--actor", "NOBODY"}).status, 2);
  const test::RanCommand unknown = On({"audit", "tail", "--device", ledger::samples::DeviceOf(99).text()});
  EXPECT_EQ(unknown.status, 1);
  EXPECT_THAT(unknown.err, HasSubstr("there is no history of device"));
}

// However many entries of others came behind them.
TEST_F(Audit, TheNewestOfADeviceOrActorAreFoundBehindThoseOfOthers) {
  constexpr int kOthers = 1500;  // more than a page
  auto changes = domain::Changeset();
  for (int number = 0; number < kOthers; ++number) {
    changes.history.push_back(ledger::samples::History(1));
    changes.history.back().actor = *PartyId::Parse("registry");
  }
  ASSERT_TRUE(ledger_->Commit(changes).ok());
  const auto of_two = On({"audit", "tail", "--device", ledger::samples::DeviceOf(2).text()}).lines();
  ASSERT_THAT(of_two, SizeIs(1));
  EXPECT_EQ(Json::parse(of_two[0]).at("what"), "registered 2");
  EXPECT_THAT(Verified(of_two, folder_.path()).out, HasSubstr("\"held_to_ledger\": true"));

  const std::string actor = ledger::samples::History(1).actor.text();
  const auto of_actor = On({"audit", "tail", "--actor", actor, "--lines", "2"}).lines();
  ASSERT_THAT(of_actor, SizeIs(2));
  EXPECT_EQ(Json::parse(of_actor[0]).at("what"), "registered 4");
  EXPECT_EQ(Json::parse(of_actor[1]).at("what"), "registered 5");
  EXPECT_THAT(Verified(of_actor, folder_.path()).out, HasSubstr("\"lines\": 2"));
  EXPECT_THAT(On({"audit", "tail", "--actor", "registry", "--lines", "1200"}).lines(), SizeIs(1200));
}

TEST_F(Audit, AnExportIsNeverWrittenOver) {
  const std::string file = folder_.path() + "-export.jsonl";
  EXPECT_EQ(On({"audit", "export", "--to", file}).status, 0);
  EXPECT_EQ(Run({"audit", "verify", file}, folder_.path()).status, 0);
  const test::RanCommand again = On({"audit", "export", "--to", file});
  EXPECT_EQ(again.status, 1);
  EXPECT_THAT(again.err, HasSubstr("is there already"));
  std::remove(file.c_str());
}

// As bridge/ctl/OPERATOR.md says it: no program of the registry's is needed to check a stream.
TEST_F(Audit, TheChainIsCheckedWithPlainTools) {
  const std::string file = folder_.path() + "-plain.jsonl";
  ASSERT_EQ(On({"audit", "export", "--to", file}).status, 0);
  const std::string check = R"(jq -r '[.previous, .record, .hash] | @tsv' )" + file +
                            R"sh( | while read -r previous record hash; do
  test "$( (echo "$previous" | tr a-f A-F | basenc --base16 -di; echo "$record" | base64 -d) |
    sha256sum | cut -d' ' -f1)" = "$hash" || exit 1; done)sh";
  EXPECT_EQ(WEXITSTATUS(std::system(check.c_str())), 0);
  std::remove(file.c_str());
}

TEST_F(Audit, ADeviceIsFoundByItsEsimThatNobodyIsTold) {
  const std::string eid = ledger::samples::EidOf(2).text();
  const test::RanCommand found = On({"device", "find", "--eid", eid, "--json"});
  ASSERT_EQ(found.status, 0) << found.err;
  EXPECT_EQ(Json::parse(found.out).at("device"), ledger::samples::DeviceOf(2).text());
  EXPECT_THAT(found.out + found.err, Not(HasSubstr(eid)));
  const test::RanCommand typed =
      Run({"device", "find", "--eid", "-", "--json"}, folder_.path(), eid + "\r\n");
  EXPECT_EQ(typed.out, found.out);

  const std::string wrong = "1" + eid.substr(1);
  const test::RanCommand refused = On({"device", "find", "--eid", wrong});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, Not(HasSubstr(wrong)));
  const test::RanCommand nobody = On({"device", "find", "--eid", ledger::samples::EidOf(77).text()});
  EXPECT_EQ(nobody.status, 1);
  EXPECT_EQ(nobody.err, "registryctl: no device has this eSIM\n");
  EXPECT_EQ(On({"device", "find"}).status, 2);
  EXPECT_EQ(On({"device", "find", "--eid", eid, "--iccid", eid}).status, 2);
}

}  // namespace
}  // namespace registry::ctl
