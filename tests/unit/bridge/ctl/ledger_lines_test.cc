// A ledger as lines and back is the same ledger; what is cut short, altered or of another format makes none.
#include "bridge/ctl/ledger_lines.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "bridge/ledger/rocksdb/open.h"
#include "tests/unit/bridge/ledger/dump.h"
#include "tests/unit/bridge/ledger/samples.h"

namespace registry::ctl {
namespace {

namespace fs = std::filesystem;
namespace samples = ledger::samples;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t kDevices = 25;

class LedgerLinesTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(ledger::CreateRocksDbLedger(folder_.path()).ok());
    const auto ledger = Open(folder_.path());
    for (std::uint64_t i = 0; i < kDevices; ++i) ASSERT_TRUE(ledger->Commit(samples::Registration(i)).ok());
    domain::Changeset more;
    more.notifications = {samples::Notification(1), samples::Notification(2), samples::Notification(3)};
    more.dead_letters = {samples::DeadLetter(1)};
    more.revocations = {samples::Revocation(1)};
    ASSERT_TRUE(ledger->Commit(std::move(more)).ok());
    domain::Changeset acked;
    acked.feed_acks = {{samples::Party("asp-a"), 1}};
    ASSERT_TRUE(ledger->Commit(std::move(acked)).ok());
    ASSERT_TRUE(ledger->Advance(ledger::Sink::kZone, {0, "4711 1/2"}, true).ok());
    then_ = Dump(*ledger, {"asp-a", "mno-a"}, kDevices);
  }
  static std::unique_ptr<ledger::Ledger> Open(const std::string& folder) {
    auto opened = ledger::OpenRocksDbLedger({folder});
    EXPECT_TRUE(opened.ok()) << opened.error().message;
    return opened ? std::move(*opened) : nullptr;
  }
  std::string Export() {
    std::ostringstream lines;
    const auto made =
        ExportLines({{folder_.path(), {}}, folder_.path("scratch"), "test", samples::kNoon}, lines);
    EXPECT_TRUE(made.ok()) << made.error().message;
    return lines.str();
  }
  Result<LedgerCounts> Import(const std::string& text) {
    std::istringstream lines(text);
    return ImportLines(lines, {folder_.path("new"), {}}, folder_.path("beside"));
  }
  void ExpectRefused(const std::string& text, const std::string& words) {
    const auto imported = Import(text);
    ASSERT_FALSE(imported.ok());
    EXPECT_EQ(imported.error().symbol, "import_invalid");
    EXPECT_THAT(imported.error().message, HasSubstr(words));
    EXPECT_FALSE(fs::exists(folder_.path("new"))) << "nothing is left by half";
  }

  samples::Folder folder_;
  std::string then_;
};

TEST_F(LedgerLinesTest, ThereAndBackIsTheSameLedger) {
  const std::string text = Export();
  std::istringstream lines(text);
  std::uint64_t count = 0;
  for (std::string line; std::getline(lines, line); ++count)
    EXPECT_TRUE(nlohmann::json::accept(line)) << line;
  const auto imported = Import(text);
  ASSERT_TRUE(imported.ok()) << imported.error().message;
  EXPECT_EQ(count, imported->all() + 2);
  EXPECT_EQ(imported->records.at("devices"), kDevices);
  EXPECT_EQ(imported->point.history, kDevices);
  const auto ledger = Open(folder_.path("new"));
  ASSERT_NE(ledger, nullptr);
  EXPECT_EQ(Dump(*ledger, {"asp-a", "mno-a"}, kDevices), then_);
  EXPECT_EQ(ledger->LoadSink(ledger::Sink::kZone)->state, "4711 1/2") << "the zone goes on";
  ASSERT_TRUE(ledger->Commit(samples::Registration(kDevices)).ok()) << "and so does the ledger";
}

TEST_F(LedgerLinesTest, ARegistryThatRunsIsExported) {
  const auto ledger = Open(folder_.path());
  EXPECT_TRUE(Import(Export()).ok());
}

TEST_F(LedgerLinesTest, WhatIsCutShortOrAlteredMakesNoLedger) {
  const std::string text = Export();
  ExpectRefused(text.substr(0, text.rfind("{\"end\"")), "last line is missing");
  ExpectRefused(text.substr(0, text.size() / 2), "");
  std::string altered = text;
  const auto record = altered.find("\"record\":\"") + 30;
  altered[record] = altered[record] == 'A' ? 'B' : 'A';
  ExpectRefused(altered, "");
  const auto second = text.find('\n') + 1, third = text.find('\n', second) + 1;
  ExpectRefused(text.substr(0, second) + text.substr(third), "not what its last line says");
  ExpectRefused("{}\n", "no export");
  ExpectRefused("", "no export");
  ExpectRefused("\xff\xfe", "no JSON object");
  std::string later = text;
  ExpectRefused(later.replace(later.find("\"lines\":1"), 9, "\"lines\":2"), "format 2");
}

TEST_F(LedgerLinesTest, ARecordOfNoFamilyNamesItsLine) {
  std::string text = Export();
  const std::string line = R"({"family":"places","key":"00","record":"AA=="})"
                           "\n";
  text.insert(text.find('\n') + 1, line);
  ExpectRefused(text, "line 2 cannot be taken");
}

TEST_F(LedgerLinesTest, NothingIsImportedIntoALedgerThatIsThere) {
  const std::string text = Export();
  std::istringstream lines(text);
  const auto imported = ImportLines(lines, {folder_.path(), {}}, folder_.path("beside"));
  ASSERT_FALSE(imported.ok());
  EXPECT_EQ(imported.error().symbol, "folder_exists");
}

}  // namespace
}  // namespace registry::ctl
