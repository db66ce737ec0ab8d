// What the documents say of the tree is so: every link leads to a file and a heading that are there, and README.md's table
// of rooms has every room.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <regex>
#include <set>

#include "tests/tidy/tree.h"

namespace registry::tidy {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = REGISTRY_SOURCE_DIR;

std::vector<fs::path> Pages() {
  std::vector<fs::path> pages = {kRoot / "README.md"};
  for (const char* top :
       {"schemas", "workers", "bridge", "broker-config", "clients", "simulators", "tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / top)) {
      if (entry.path().extension() == ".md") pages.push_back(entry.path());
    }
  }
  return pages;
}

// As GitHub makes the anchor of a heading: lower case, blanks become a dash, punctuation goes.
std::string AnchorOf(const std::string& heading) {
  std::string anchor;
  for (const char c : heading) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_')
      anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (c == ' ') anchor += '-';
  }
  return anchor;
}

std::set<std::string> AnchorsOf(const fs::path& page) {
  static const std::regex kHeading("^#+ (.*)$");
  std::set<std::string> anchors;
  for (const std::string& line : ReadLines(page)) {
    std::smatch match;
    if (std::regex_match(line, match, kHeading)) anchors.insert(AnchorOf(match[1]));
  }
  return anchors;
}

TEST(Documents, EveryLinkLeadsSomewhere) {
  static const std::regex kLink(R"(\]\(([^)#]*)(#([^)]*))?\))");
  std::size_t links = 0;
  for (const fs::path& page : Pages()) {
    for (const std::string& line : ReadLines(page)) {
      for (std::sregex_iterator link(line.begin(), line.end(), kLink), end; link != end; ++link) {
        const std::string path = (*link)[1], anchor = (*link)[3];
        if (path.starts_with("http")) continue;
        ++links;
        const fs::path target = path.empty() ? page : page.parent_path() / path;
        EXPECT_TRUE(fs::exists(target)) << page << ": nothing is at " << path;
        EXPECT_TRUE(anchor.empty() || AnchorsOf(target).contains(anchor))
            << page << ": " << path << " has no heading #" << anchor;
      }
    }
  }
  EXPECT_GT(links, 20u);
}

// The first cells of the rows below "| room |", without their marks: "bridge/zone", "schemas".
std::set<std::string> TableOfRooms() {
  std::set<std::string> rooms;
  bool inside = false;
  for (const std::string& line : ReadLines(kRoot / "README.md")) {
    if (line.starts_with("| room |")) inside = true;
    if (line.empty()) inside = false;
    if (!inside || line.find('`') == std::string::npos) continue;
    std::string room = line.substr(1, line.find('|', 1) - 1);
    std::erase_if(room, [](char c) { return c == ' ' || c == '*' || c == '`'; });
    if (room.ends_with('/')) room.pop_back();
    rooms.insert(room);
  }
  return rooms;
}

TEST(Documents, TheTableOfRoomsIsCompleteAndTrue) {
  const std::set<std::string> table = TableOfRooms();
  for (const SourceFile& file : Sources()) {
    const std::string room = RoomOf(file.path);
    if (room.starts_with("tests/")) continue;
    EXPECT_TRUE(table.contains(room)) << room << ": give it a row in README.md, \"Rooms\"";
  }
  for (const std::string& room : table) EXPECT_TRUE(fs::is_directory(kRoot / room)) << room << " is no room";
}

std::set<std::string> AllIn(const std::vector<std::string>& lines, const std::regex& form) {
  std::set<std::string> found;
  for (const std::string& line : lines) {
    for (std::sregex_iterator one(line.begin(), line.end(), form), end; one != end; ++one)
      found.insert((*one)[1]);
  }
  return found;
}

// threads_test.cc asks a registryd that runs; here are the names of threads that come and go, too.
TEST(Documents, ThePageOfThreadsHasEveryNameGivenInTheBridge) {
  std::set<std::string> page;
  for (const std::string& line : ReadLines(kRoot / "bridge/README.md")) {
    if (line.starts_with("| `"))
      page.merge(AllIn({line.substr(0, line.find('|', 1))}, std::regex("`([^`]+)`")));
  }
  std::size_t given = 0;
  for (const SourceFile& file : Sources()) {
    if (!file.path.starts_with("bridge/") || file.path == "schemas/base/thread_name.h") continue;
    const auto names = AllIn(file.lines, std::regex("(?:UnderName|\\.Start)\\(\"([^\"]+)\""));
    given += names.size();
    for (const std::string& name : names)
      EXPECT_TRUE(page.contains(name)) << file.path << ": bridge/README.md has no thread `" << name << '`';
    EXPECT_TRUE(AllIn(file.lines, std::regex(R"(\b(std::j?thread\(\[))")).empty())
        << file.path << ": give the thread a name (schemas/base/own_thread.h)";
  }
  EXPECT_GT(given, 10u);
}

// A page with a table "| file | what |" names what lies beside it, and every header there.
TEST(Documents, ATableOfFilesHasEveryHeaderAndNothingElse) {
  std::size_t tables = 0;
  for (const fs::path& page : Pages()) {
    std::set<std::string> named;
    bool inside = false;
    for (const std::string& line : ReadLines(page)) {
      inside = line == "| file | what |" || (inside && line.starts_with("|"));
      if (inside) named.merge(AllIn({line.substr(0, line.find('|', 1))}, std::regex("`([^`]+)`")));
    }
    if (named.empty()) continue;
    ++tables;
    for (const std::string& name : named)
      EXPECT_TRUE(fs::exists(page.parent_path() / name)) << page << " names " << name;
    for (const auto& entry : fs::directory_iterator(page.parent_path())) {
      const std::string name = entry.path().filename().string();
      EXPECT_TRUE(!name.ends_with(".h") || named.contains(name)) << page << " lacks " << name;
    }
  }
  EXPECT_GE(tables, 3u);
}

}  // namespace
}  // namespace registry::tidy
