// The console of a registryd that runs, with devices that became active before it: as a browser shows it (Chromium and
// axe-core), what a page of somebody else's gets, and who is let in over TLS. The pictures lie in console-shots/ of the
// build folder. Chromium and Node.js are Debian's; puppeteer-core and axe-core come from npm (tests/tools/package.json,
// ./dev).
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "simulators/lab/ports.h"
#include "simulators/lab/probe.h"
#include "simulators/lab/process.h"
#include "simulators/lab/registry_setup.h"
#include "tests/support/shell.h"
#include "tests/support/test_lab.h"
#include "tests/unit/bridge/app/http_get.h"

namespace registry::lab {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kHere = REGISTRY_SOURCE_DIR "/tests/integration/console/";
const std::string kNode = REGISTRY_SOURCE_DIR "/build/node";
constexpr int kDevices = 3;

json Asked(const Lab& lab, const std::string& what) {
  const auto body = HttpBody(kAddress, lab.layout().console, "/api/" + what);
  return body ? json::parse(*body, nullptr, false) : json();
}

class ConsoleLab : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    lab_ = test::NewWholeLab({.devices = kDevices, .console = true});
    ASSERT_NE(lab_, nullptr);
    const bool active = WaitUntil(
        [] { return Get("devices?state=active").value("devices", json()).size() == kDevices; }, seconds(120));
    ASSERT_TRUE(active) << Get("devices").dump(2);
    // The census begins a round every few seconds.
    ASSERT_TRUE(WaitUntil([] { return Get("overview")["census"]["states"].value("active", 0) == kDevices; },
                          seconds(60)));
  }
  static void TearDownTestSuite() {
    if (lab_) lab_->Stop();
    lab_.reset();
  }
  void SetUp() override { ASSERT_NE(lab_, nullptr); }

  static json Get(const std::string& what) { return Asked(*lab_, what); }

  // The id of an order that has come to its end and has changed nothing.
  static std::string RehearsedOrder() {
    const test::Ran started = test::Shell(
        "'" REGISTRY_BINARY_DIR
        "/bin/registryctl' ask order.start '{\"kind\":\"suspend\",\"selection\":{\"party\":\"asp-a\"},"
        "\"dryRun\":true}' --config '" +
        lab_->layout().ConfigFile() + "' 2>&1");
    EXPECT_TRUE(started.ok()) << started.output;
    const auto first = [] {
      const json orders = Get("orders").value("orders", json::array());
      return orders.empty() ? json::object() : orders[0];
    };
    EXPECT_TRUE(WaitUntil([&] { return first().value("state", "") == "done"; }, seconds(60)));
    return first().value("order", "");
  }

  static inline std::unique_ptr<Lab> lab_;
};

std::vector<json> LinesOf(const std::string& output) {
  std::vector<json> lines;
  std::istringstream text(output);
  for (std::string line; std::getline(text, line);) lines.push_back(json::parse(line, nullptr, false));
  return lines;
}

// The pictures come into `shots`.
std::vector<json> Looks(const Lab& lab, const std::string& shots, const std::string& routes) {
  std::filesystem::create_directories(shots);
  const test::Ran ran = test::Shell("node '" + kHere + "look.mjs' '" + kNode +
                                    "' 'http://localhost:" + std::to_string(lab.layout().console) + "/' '" +
                                    shots + "' " + routes + " 2>&1");
  EXPECT_TRUE(ran.ok()) << ran.output;
  return ran.ok() ? LinesOf(ran.output) : std::vector<json>();
}

void ExpectGood(const json& look) {
  const std::string where = look.value("route", "?") + " " + std::to_string(look.value("width", 0));
  EXPECT_THAT(look.at("complaints"), IsEmpty()) << where;
  EXPECT_THAT(look.at("serious"), IsEmpty()) << where;
  EXPECT_THAT(look.at("other"), IsEmpty()) << where;
  // What the overview shows as an alarm is true of this machine: a full disk, a secondary that lags.
  if (look.at("route") != "") {
    EXPECT_EQ(look.at("alerts"), 0) << where << look.at("text");
  }
  EXPECT_EQ(look.at("unreachable"), 0) << where;
  EXPECT_LE(look.at("wider"), 0) << where << " is wider than its screen";
  EXPECT_EQ(look.at("drawn"), look.at("route") == "" ? 2 : 0) << "charts with something on them";
}

TEST_F(ConsoleLab, PagesAreGoodInABrowserAtAPhonesAndADesksWidth) {
  const std::string device = Get("devices")["devices"][0]["device"];
  const auto looks =
      Looks(*lab_, REGISTRY_BINARY_DIR "/console-shots",
            "'' devices 'device/" + device + "' orders 'order/" + RehearsedOrder() + "' transfers parties");
  ASSERT_EQ(looks.size(), 7u * 2 + 1);
  for (const json& look : looks) {
    if (look.value("route", "") == "live") continue;
    ExpectGood(look);
    if (look.at("route") == "") {
      EXPECT_THAT(look.at("text").get<std::string>(), testing::Not(HasSubstr("Nodes")))
          << "the ledger is in a folder";
    }
    if (look.at("route") == "orders") {
      EXPECT_EQ(look.at("rows"), 1);
    }
    if (look.at("route") == "devices") {
      EXPECT_EQ(look.at("rows"), kDevices);
    }
  }
  EXPECT_EQ(looks.back().value("moved", false), true) << "the stream moves the charts";
  EXPECT_EQ(looks.back().value("first", ""), "Skip to content") << "for whoever uses the keyboard";
}

// With the ledger in PostgreSQL. tests/integration/lab/nodes_test.cc looks at what is said of them.
TEST(ConsoleOfNodes, ShowsThemOnTheFirstPage) {
  const auto lab = test::NewLabOfServers({.devices = 1, .console = true, .bridges = 2, .postgres = true});
  ASSERT_NE(lab, nullptr);
  const auto both = [&] {
    const json nodes = Asked(*lab, "overview")["nodes"]["nodes"];
    return nodes.size() == 2 && nodes[0]["reachesBroker"] == true && nodes[1]["reachesBroker"] == true;
  };
  EXPECT_TRUE(WaitUntil(both, seconds(60))) << Asked(*lab, "overview")["nodes"];
  const auto looks = Looks(*lab, REGISTRY_BINARY_DIR "/console-shots/nodes", "''");
  ASSERT_EQ(looks.size(), 3u);
  for (const json& look : {looks[0], looks[1]}) {
    ExpectGood(look);
    const std::string text = look.at("text");
    for (const char* part : {"Nodes", "registryd-2", "active", "standby", "reached"})
      EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST_F(ConsoleLab, OneDevicesLifeIsALineOfTime) {
  const std::string device = Get("devices")["devices"][0]["device"];
  const json told = Get("device?id=" + device);
  EXPECT_EQ(told["state"], "active");
  std::vector<std::string> steps;
  for (const json& step : told["steps"]) steps.push_back(step["step"]);
  for (const char* step : {"registered", "attached", "certified", "published", "active"})
    EXPECT_THAT(steps, testing::Contains(step));
  EXPECT_TRUE(told["waits"].empty());
  const std::string eid = told["eid"];
  EXPECT_EQ(eid.size(), std::string("…1234").size()) << "masked: " << eid;
}

TEST_F(ConsoleLab, APageOfSomebodyElsesReadsNothing) {
  const std::string at = std::to_string(lab_->layout().console);
  const auto ask = [&](const std::string& host) {
    return test::HttpExchange(lab_->layout().console,
                              "GET /api/parties HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
  };
  EXPECT_THAT(ask("evil.example"), HasSubstr("421 Misdirected Request"));
  EXPECT_THAT(ask("localhost.evil.example:" + at), HasSubstr("421 "));
  EXPECT_THAT(ask(""), HasSubstr("421 "));
  const std::string own = ask("localhost:" + at);
  EXPECT_THAT(own, HasSubstr("200 OK"));
  EXPECT_THAT(own, HasSubstr("default-src 'none'"));
  EXPECT_THAT(own, testing::Not(HasSubstr("unsafe")));
}

// A Prometheus that scrapes a registryd and has read the alerts.
class Scraper {
 public:
  explicit Scraper(const Layout& lab) {
    if (const auto port = ports_.Take()) port_ = *port;
    const std::string folder = lab.In("prometheus");
    std::filesystem::create_directories(folder);
    std::ofstream(folder + "/prometheus.yml")
        << "global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: ['" REGISTRY_SOURCE_DIR
           "/packaging/monitoring/registry-alerts.yml']\nscrape_configs:\n  - job_name: registryd\n"
           "    static_configs: [{targets: ['127.0.0.1:"
        << lab.http << "']}]\n";
    const std::string address = "127.0.0.1:" + std::to_string(port_);
    url_ = "http://" + address;
    auto started = Process::Start(
        {.name = "prometheus",
         .command = {"prometheus", "--config.file=" + folder + "/prometheus.yml",
                     "--storage.tsdb.path=" + folder + "/data", "--web.listen-address=" + address},
         .folder = folder,
         .log_file = folder + "/log",
         .on_line = nullptr,
         .on_exit = nullptr});
    EXPECT_TRUE(started) << started.error().message;
    if (started) process_ = std::move(*started);
  }
  // One line per series; empty: there is none.
  std::string Asked(const std::string& expression) const {
    const test::Ran ran = test::Shell("promtool query instant " + url_ + " '" + expression + "' 2>&1");
    EXPECT_TRUE(ran.ok()) << expression << "\n" << ran.output;
    return ran.ok() ? ran.output : "";
  }
  bool Answers() const {
    return test::Shell("promtool query instant " + url_ + " 'up == 1' 2>&1").output.starts_with("up");
  }
  std::uint16_t port() const { return port_; }

 private:
  Ports ports_;
  std::uint16_t port_ = 0;
  std::string url_;
  std::unique_ptr<Process> process_;
};

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

// Grafana itself is not in Debian. What its panels ask is asked of a real Prometheus here, with Grafana's variables filled
// in as it does.
TEST_F(ConsoleLab, EveryPanelOfTheBoardHasSomethingToShow) {
  const Scraper prometheus(lab_->layout());
  ASSERT_TRUE(WaitUntil([&] { return prometheus.Answers(); }, seconds(60)));
  EXPECT_FALSE(RehearsedOrder().empty());
  const test::Ran refused = test::Shell("'" REGISTRY_BINARY_DIR
                                        "/bin/registryctl' ask device.resume "
                                        "'{\"device\":\"00000000-0000-4000-8000-000000000000\"}' --config '" +
                                        lab_->layout().ConfigFile() + "' 2>&1");
  EXPECT_THAT(refused.output, HasSubstr("device_unknown"));
  // What did not happen here has no series yet.
  const std::string quiet[] = {"registry_transfers_total", "registry_limited_total"};
  std::ifstream file(REGISTRY_SOURCE_DIR "/packaging/monitoring/registry-board.json");
  const json board = json::parse(file);
  int asked = 0;
  for (const json& panel : board.at("panels")) {
    for (const json& target : panel.value("targets", json::array())) {
      std::string expression = Replaced(target.at("expr"), "$__rate_interval", "1m");
      expression = Replaced(expression, "$instance", ".*");
      const bool nothing_happened =
          std::any_of(std::begin(quiet), std::end(quiet),
                      [&](const std::string& one) { return expression.find(one) != std::string::npos; });
      ++asked;
      // A rate takes two looks a second apart.
      EXPECT_TRUE(WaitUntil([&] { return !prometheus.Asked(expression).empty(); },
                            seconds(nothing_happened ? 0 : 20)) ||
                  nothing_happened)
          << panel.at("title") << ": " << expression;
    }
  }
  EXPECT_GT(asked, 30);
  // Prometheus says of each alert whether it could be worked out.
  const auto rules = HttpBody(kAddress, prometheus.port(), "/api/v1/rules");
  ASSERT_TRUE(rules);
  const json groups = json::parse(*rules)["data"]["groups"];
  ASSERT_FALSE(groups.empty());
  for (const json& group : groups) {
    for (const json& rule : group.at("rules")) EXPECT_EQ(rule.value("lastError", ""), "") << rule.at("name");
  }
}

// The last one: registryd is started again.
TEST_F(ConsoleLab, OverTlsOnlyTheOperatorsCertificateIsLetIn) {
  const Layout& layout = lab_->layout();
  std::atomic<int> heard{0};
  lab_->Kill("registryd");
  // Any certificate will do here: what is judged is the client's.
  ASSERT_TRUE(SetKeys(layout, "console",
                      {{"address", "\"0.0.0.0\""},
                       {"certificate_file", "\"interface/broker.pem\""},
                       {"key_file", "\"interface/broker.key\""}}));
  const auto again = lab_->Restart("registryd");
  ASSERT_TRUE(again) << again.error().message;
  const std::string url = "https://127.0.0.1:" + std::to_string(layout.console) + "/api/parties";
  // What registryctl withdraws, it takes out of the folder.
  const std::string folder = layout.In("console-clients");
  std::filesystem::copy(layout.Registry("interface/parties"), folder);
  const auto ask = [&](const std::string& party) {
    const std::string file = "'" + folder + "/" + party;
    const std::string identity = party.empty() ? "" : " " + file + ".pem' " + file + ".key'";
    return test::Shell("node '" + kHere + "ask.mjs' '" + url + "' '" + layout.BrokerCa() + "'" + identity +
                       " 2>&1")
        .output;
  };
  EXPECT_EQ(ask("operator"), "200\n");
  EXPECT_EQ(ask("mno-a"), "403\n");
  EXPECT_THAT(ask(""), HasSubstr("CERTIFICATE_REQUIRED"));
  const std::string seen = layout.In("console-stream");
  const std::string client = folder + "/operator";
  const auto watching = Process::Start(
      {.name = "watcher",
       .command = {"openssl", "s_client", "-connect", "127.0.0.1:" + std::to_string(layout.console), "-quiet",
                   "-CAfile", layout.BrokerCa(), "-cert", client + ".pem", "-key", client + ".key"},
       .folder = "",
       .log_file = seen + ".log",
       .on_line =
           [&](const std::string& line) {
             if (line.starts_with("data: ")) ++heard;
           },
       .on_exit = nullptr});
  ASSERT_TRUE(watching) << watching.error().message;
  ASSERT_TRUE((*watching)->WriteLine("GET /api/events HTTP/1.1\r\nHost: x\r\n\r"));
  EXPECT_TRUE(WaitUntil([&] { return heard >= 2; }, seconds(30))) << TailOf(seen + ".log", 20);
  const test::Ran withdrawn =
      test::Shell("'" REGISTRY_BINARY_DIR "/bin/registryctl' party withdraw operator --dir '" +
                  layout.In("registry") + "' 2>&1");
  ASSERT_TRUE(withdrawn.ok()) << withdrawn.output;
  const auto revoked = [&] { return ask("operator").find("CERTIFICATE_REVOKED") != std::string::npos; };
  EXPECT_TRUE(WaitUntil(revoked, seconds(30))) << "withdrawn: " << ask("operator");
  EXPECT_TRUE((*watching)->WaitExit(seconds(30))) << "the stream that was open goes on";
}

}  // namespace
}  // namespace registry::lab
