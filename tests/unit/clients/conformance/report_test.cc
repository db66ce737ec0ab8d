#include "clients/conformance/report.h"

#include <gmock/gmock.h>

#include "clients/conformance/clauses.h"

namespace registry::conformance {
namespace {

using testing::HasSubstr;
using testing::Not;

ConformanceRun FailedRun(const std::string& payload) {
  ConformanceRun run;
  run.role = "asp";
  run.party = "asp-a";
  CaseRun failed;
  failed.name = "gap";
  failed.clauses = {"F1"};
  failed.checks = {{"F1", Finding::kFailed, "no <replay> came"}};
  failed.said = {{UtcTime{0}, true, "some/topic", payload, payload.size()}};
  CaseRun passed;
  passed.name = "notification";
  passed.clauses = {"F3"};
  passed.checks = {{"F3", Finding::kPassed, "feed.ack came"}};
  passed.said = failed.said;
  run.cases = {failed, passed};
  return run;
}

TEST(Report, JsonNamesEachClauseAndKeepsTheMessagesOfWhatFailed) {
  const auto report = ToJson(FailedRun("{}"));
  EXPECT_EQ(report.at("good"), false);
  const auto& cases = report.at("cases");
  EXPECT_EQ(cases.at(0).at("messages").at(0).at("topic"), "some/topic");
  EXPECT_EQ(cases.at(0).at("messages").at(0).at("at"), "1970-01-01T00:00:00.000000Z");
  EXPECT_FALSE(cases.at(1).contains("messages"));
  std::size_t of_asp = 0;
  for (const Clause& clause : Clauses()) of_asp += clause.asp;
  ASSERT_EQ(report.at("clauses").size(), of_asp);
  const auto of = [&](const std::string& number) {
    for (const auto& clause : report.at("clauses")) {
      if (clause.at("number") == number) return clause;
    }
    return nlohmann::json::object();
  };
  EXPECT_EQ(of("F1").at("finding"), "failed");
  EXPECT_EQ(of("F3").at("cases"), nlohmann::json::array({"notification"}));
  EXPECT_EQ(of("F2").at("finding"), "not covered");
}

// A party says what it wants.
TEST(Report, ThePageShowsWhatWasSaidAndRunsNoneOfIt) {
  const std::string page = ToHtml(FailedRun("<script>alert(1)</script>\xff\x01\"&"));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;\xef\xbf\xbd\xef\xbf\xbd&quot;&amp;"));
  EXPECT_THAT(page, HasSubstr("no &lt;replay&gt; came"));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
}

TEST(Report, ASentenceSaysTheOutcome) {
  ConformanceRun run = FailedRun("");
  EXPECT_THAT(OutcomeOf(run), HasSubstr("1 passed, 1 failed"));
  run.trouble = "interrupted";
  EXPECT_THAT(OutcomeOf(run), HasSubstr("ended early: interrupted"));
  EXPECT_FALSE(WriteReport("/nowhere/report.json", run).ok());
}

}  // namespace
}  // namespace registry::conformance
