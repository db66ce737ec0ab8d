#include "simulators/page/page.h"

#include <gmock/gmock.h>

#include <limits>
#include <regex>

#include "simulators/page/chart.h"
#include "simulators/page/text.h"

namespace registry::page {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kHostile = "<script>alert('x')</script>\"&\x01\xFF";
constexpr const char* kHarmless =
    "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;\xEF\xBF\xBD\xEF\xBF\xBD";

std::size_t CountOf(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

// Every element that was opened is closed in its turn: what a browser would otherwise mend in silence.
void ExpectBalanced(const std::string& html) {
  static const std::regex kTag(R"re(<(/?)([a-z0-9]+)((?:[^<>"]|"[^"]*")*)>)re");
  std::vector<std::string> open;
  for (std::sregex_iterator at(html.begin(), html.end(), kTag), end; at != end; ++at) {
    const std::string name = (*at)[2], rest = (*at)[3];
    if (name == "meta" || rest.ends_with('/')) continue;
    if ((*at)[1] == "") {
      open.push_back(name);
      continue;
    }
    ASSERT_FALSE(open.empty()) << name;
    ASSERT_EQ(open.back(), name);
    open.pop_back();
  }
  EXPECT_TRUE(open.empty());
}

LineChart Lines(std::vector<double> x, std::vector<double> y) {
  return {"Throughput", "about", "seconds", "each", std::move(x), {{"active", std::move(y)}}};
}

TEST(PageTextTest, WhatIsNoTextOfAPageIsReplaced) {
  EXPECT_EQ(Escaped(kHostile), kHarmless);
  EXPECT_EQ(Escaped("µs – ✓\n"), "µs – ✓\n");
  EXPECT_EQ(Escaped("\xC3"), "\xEF\xBF\xBD") << "a sequence that ends too early";
}

TEST(PageTextTest, NumbersHaveTheDigitsThatCount) {
  EXPECT_EQ(Number(0), "0");
  EXPECT_EQ(Number(0.0421), "0.042");
  EXPECT_EQ(Number(3.14159), "3.14");
  EXPECT_EQ(Number(999.6), "1\u202F000");
  EXPECT_EQ(Number(1234567), "1\u202F234\u202F567");
  EXPECT_EQ(Number(-1234), "-1\u202F234");
  EXPECT_EQ(Number(std::numeric_limits<double>::quiet_NaN()), "–");
  EXPECT_EQ(Number(std::numeric_limits<double>::infinity()), "–");
  EXPECT_EQ(Duration(0.25), "250\u00A0µs");
  EXPECT_EQ(Duration(12), "12\u00A0ms");
  EXPECT_EQ(Duration(3400), "3.40\u00A0s");
}

TEST(PageTest, EveryTextIsEscapedWhereverItStands) {
  Page page{
      kHostile, kHostile, true, {{kHostile, kHostile, kHostile}}, {{kHostile, kHostile, kHostile, true}}, {}};
  LineChart lines{kHostile, kHostile, kHostile, kHostile, {0, 1}, {{kHostile, {1, 2}}}};
  SpanChart spans{kHostile, kHostile, kHostile, kHostile, {kHostile}, {{kHostile, 1, 2, {kHostile}}}};
  BarChart bars{kHostile, kHostile, kHostile, {kHostile}, {{kHostile, 3, {kHostile}}}};
  page.sections = {lines, spans, bars, Table{kHostile, kHostile, {kHostile}, {{kHostile, kHostile}}}};
  const std::string html = ToHtml(page);
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("alert('x')")));
  EXPECT_GT(CountOf(html, kHarmless), 20u);
  ExpectBalanced(html);
}

TEST(PageTest, NothingComesFromElsewhereAndAllReadersAreServed) {
  Page page{"Load", "All went well.", true, {{"rate", "400", "each"}}, {}, {Lines({0, 1, 2}, {5, 10, 15})}};
  const std::string html = ToHtml(page);
  for (const char* word : {"http://", "https://", "url(", "@import", "<link", "<img", "src="})
    EXPECT_THAT(html, Not(HasSubstr(word)));
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  EXPECT_THAT(html, HasSubstr("prefers-color-scheme:dark"));
  EXPECT_THAT(html, HasSubstr("width=device-width"));
  EXPECT_THAT(html, HasSubstr("lang=\"en\""));
  EXPECT_THAT(html,
              HasSubstr("aria-label=\"Throughput, each over seconds. active: at most 15, at the end 15.\""));
  EXPECT_THAT(html, HasSubstr("The figures as a table"));
  ExpectBalanced(html);
}

TEST(PageTest, WhatIsEmptyHasASentenceInPlaceOfAChart) {
  const std::string none = "The run was too short for this.";
  EXPECT_THAT(ToHtml(Lines({}, {})), HasSubstr(none));
  EXPECT_THAT(ToHtml(Lines({1}, {1})), HasSubstr(none)) << "one point is no line";
  EXPECT_THAT(ToHtml(SpanChart{"t", "a", "f", "t", {}, {}}), HasSubstr(none));
  EXPECT_THAT(ToHtml(BarChart{"t", "a", "v", {}, {}}), HasSubstr(none));
  const std::string html = ToHtml(Page{"t", "a", false, {}, {}, {}});
  EXPECT_THAT(html, Not(HasSubstr("class=\"tiles\"")));
  EXPECT_THAT(html, Not(HasSubstr("Beside the budgets")));
  ExpectBalanced(html);
}

TEST(PageTest, AFlatLineAndABarOfNothingDivideByNothing) {
  for (const std::string& html : {ToHtml(Lines({0, 1}, {0, 0})), ToHtml(Lines({5, 5}, {1, 1})),
                                  ToHtml(BarChart{"t", "a", "v", {}, {{"n", 0, {}}}}),
                                  ToHtml(SpanChart{"t", "a", "f", "t", {}, {{"n", 0, 0, {}}}})}) {
    EXPECT_THAT(html, Not(HasSubstr("nan")));
    EXPECT_THAT(html, Not(HasSubstr("inf")));
    ExpectBalanced(html);
  }
}

TEST(PageTest, WhatIsNoNumberIsLeftOutOfTheLine) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::string html = ToHtml(Lines({0, 1, 2}, {1, nan, 1}));
  EXPECT_THAT(html, HasSubstr("points=\"0.00,0.00 1000.00,0.00 \""));
  EXPECT_THAT(html, HasSubstr("<td>–</td>"));
}

TEST(PageTest, ALineWithFewerValuesThanTheAxisEndsEarlier) {
  const std::string html = ToHtml(Lines({0, 1, 2, 3}, {4, 4}));
  EXPECT_THAT(html, HasSubstr("points=\"0.00,0.00 333.33,0.00 \""));
}

TEST(PageTest, ALongRunIsThinnedAndKeepsItsEnds) {
  std::vector<double> x, y;
  for (int i = 0; i < 100000; ++i) {
    x.push_back(i);
    y.push_back(i % 7);
  }
  EXPECT_LT(ToHtml(Lines(x, y)).size(), 60000u);
}

TEST(PageTest, VerdictsSayKeptBrokenOrNothing) {
  Page page{
      "t", "a", true, {}, {{"one", "1", "2", true}, {"two", "3", "2", false}, {"three", "4", "none", {}}},
      {}};
  const std::string html = ToHtml(page);
  EXPECT_EQ(CountOf(html, "<td class=\"kept\">✓<"), 1u);
  EXPECT_EQ(CountOf(html, "<td class=\"broken\">✗<"), 1u);
  EXPECT_EQ(CountOf(html, "<td>–</td>"), 1u);
}

TEST(ChartTest, AnAxisHasRoundStepsAndHoldsAll) {
  EXPECT_EQ(StepFor(0), 1);
  EXPECT_EQ(StepFor(10), 2);
  EXPECT_EQ(StepFor(11), 5);
  EXPECT_DOUBLE_EQ(StepFor(0.9), 0.2);
  EXPECT_EQ(StepFor(4800), 1000);
  for (double most = 0.001; most < 1e9; most *= 1.7) {
    EXPECT_GE(StepFor(most) * 6, most) << most;
    EXPECT_LE(StepFor(most) * 2, most * 1.0001) << most;
  }
}

}  // namespace
}  // namespace registry::page
