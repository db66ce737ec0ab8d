// The threads that bridge/README.md names are the ones a registryd that runs has, each under its name.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <thread>

#include "simulators/lab/probe.h"
#include "tests/support/test_lab.h"

namespace registry::test {
namespace {

constexpr std::chrono::seconds kPatience{15};

using Counts = std::map<std::string, int>;

Counts ThreadsOf(pid_t pid) {
  Counts threads;
  std::error_code ended;  // a thread may end while its name is read
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", ended)) {
    std::ifstream file(task.path() / "comm");
    std::string name;
    if (std::getline(file, name)) ++threads[name];
  }
  return threads;
}

struct Page {
  Counts always;
  std::vector<std::string> at_times;
};

int Cores() { return static_cast<int>(std::max(std::thread::hardware_concurrency(), 2u)); }

// | `parser` | 2 | …, | `rocksdb:high`, `rocksdb:low` | 1 each | … and | `zone-sign` | at times | …
Page ReadPage() {
  static const std::regex kRow(R"(^\| (`[^|]*`) \| (\d+|cores|at times)( each)? \|.*)"), kName("`([^`]+)`");
  Page page;
  std::ifstream file(REGISTRY_SOURCE_DIR "/bridge/README.md");
  for (std::string line; std::getline(file, line);) {
    std::smatch row;
    if (!std::regex_match(line, row, kRow)) continue;
    const std::string names = row[1];
    for (std::sregex_iterator name(names.begin(), names.end(), kName), end; name != end; ++name) {
      if (row[2] == "at times") page.at_times.push_back((*name)[1]);
      if (row[2] == "cores") page.always[(*name)[1]] = Cores();
      if (row[2] != "at times" && row[2] != "cores") page.always[(*name)[1]] = std::stoi(row[2]);
    }
  }
  return page;
}

std::string ToText(const Counts& threads) {
  std::string text;
  for (const auto& [name, count] : threads) text += name + " " + std::to_string(count) + "\n";
  return text;
}

TEST(ThreadsPage, IsTrueOfARegistrydThatRuns) {
  const auto lab = NewLabOfServers({});
  ASSERT_NE(lab, nullptr);
  pid_t registryd = 0;
  const auto description = lab->Description();
  for (const auto& process : description["processes"]) {
    if (process["name"] == "registryd") registryd = process["pid"];
  }
  ASSERT_NE(registryd, 0);

  const Page page = ReadPage();
  ASSERT_GT(page.always.size(), 15u);
  Counts threads;
  lab::WaitUntil(
      [&] {
        threads = ThreadsOf(registryd);
        for (const std::string& name : page.at_times) threads.erase(name);
        return threads == page.always;
      },
      kPatience);
  EXPECT_EQ(ToText(threads), ToText(page.always)) << "left: registryd, right: bridge/README.md";
}

}  // namespace
}  // namespace registry::test
