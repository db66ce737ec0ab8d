// The rules of the house that a compiler does not know, each with its cure in the message.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <regex>
#include <set>

#include "schemas/wire/codec.h"
#include "tests/tidy/tree.h"

namespace registry::tidy {
namespace {

constexpr std::size_t kLinesMax = 500;

struct Rule {
  std::regex found;
  std::string where;  // prefix of the path
  std::string cure;
};

const std::vector<Rule>& Rules() {
  // Spelled in pieces so that this file does not break its own rules.
  static const std::vector<Rule> rules = {
      {std::regex("\\b(TO"
                  "DO|FIX"
                  "ME|X"
                  "XX)\\b"),
       "", "finish it, or say in the documents what is missing"},
      {std::regex("sleep_"
                  "for|sleep_"
                  "until|\\busleep\\("),
       "tests/", "wait for a condition with a deadline"},
      {std::regex("system_clock::"
                  "now"),
       "bridge/", "take a Clock (bridge/clock.h)"},
      {std::regex("\\bstd::(rand|srand|mt19937 \\w+;)"), "workers/", "randomness comes with the Context"},
      {std::regex("\\bstrcpy\\(|\\bsprintf\\(|\\bgets\\(|\\bstrcat\\("), "", "use std::string or snprintf"},
      {std::regex("using name"
                  "space std;"),
       "", "name what is used"},
  };
  return rules;
}

TEST(HouseRules, NoForbiddenPhrase) {
  std::size_t files = 0;
  for (const SourceFile& file : Sources()) {
    ++files;
    for (const Rule& rule : Rules()) {
      if (!file.path.starts_with(rule.where) || file.path == "bridge/clock.h") continue;
      for (std::size_t i = 0; i < file.lines.size(); ++i) {
        EXPECT_FALSE(std::regex_search(file.lines[i], rule.found))
            << file.path << ':' << i + 1 << ": " << file.lines[i] << "\n  cure: " << rule.cure;
      }
    }
  }
  EXPECT_GT(files, 50u);
}

// What decisions write passes the invariants; the others write no device: dead letters, replies without a mark.
TEST(HouseRules, DevicesAreWrittenInOnePlace) {
  static const std::regex commit(R"(\bledger_?(\.|->)Commit\()");
  static const std::set<std::string> allowed = {"bridge/ledger/sound.cc", "bridge/ingest/unmarked.cc",
                                                "bridge/outbox/relay.cc", "bridge/ctl/outbox_commands.cc"};
  std::set<std::string> found;
  for (const SourceFile& file : Sources()) {
    if (!file.path.starts_with("bridge/")) continue;
    for (const std::string& line : file.lines) {
      if (std::regex_search(line, commit)) found.insert(file.path);
    }
  }
  EXPECT_EQ(found, allowed) << "cure: ledger::CommitSound (bridge/ledger/sound.h)";
}

// clang proves what those of schemas/base/mutex.h guard, and knows nothing of the library's.
TEST(HouseRules, LocksSayWhatTheyGuard) {
  static const std::regex kLock(
      R"(\bstd::((recursive_|shared_|timed_)*mutex|condition_variable\w*|(unique|shared|scoped)_lock|lock_guard)\b)");
  std::size_t locks = 0;
  for (const SourceFile& file : Sources()) {
    if (file.path.starts_with("tests/") || file.path == "schemas/base/mutex.h") continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      EXPECT_FALSE(std::regex_search(file.lines[i], kLock))
          << file.path << ':' << i + 1 << ": " << file.lines[i] << "\n  cure: schemas/base/mutex.h";
      if (file.lines[i].find("MutexLock ") != std::string::npos) ++locks;
    }
  }
  EXPECT_GT(locks, 100u);
}

// Start, stop, name and waiting are written once. What ends within one function needs no owner; the last owner of a
// connection may be a handler on its own thread.
TEST(HouseRules, ThreadsHaveAnOwner) {
  static const std::regex kThread(R"(\bstd::j?thread\b(?!::hardware_concurrency))");
  static const std::set<std::string> allowed = {"schemas/base/own_thread.h", "bridge/zone/signed_zone.cc",
                                                "simulators/link/connection.cc"};
  std::set<std::string> found;
  for (const SourceFile& file : Sources()) {
    if (file.path.starts_with("tests/")) continue;
    for (const std::string& line : file.lines) {
      if (std::regex_search(line, kThread)) found.insert(file.path);
    }
  }
  EXPECT_EQ(found, allowed) << "cure: OwnThread (schemas/base/own_thread.h)";
}

// Every room says what it has to say in the same way.
TEST(HouseRules, LogsAreOfOneType) {
  static const std::regex kOther(R"(std::function<void\(int level|\b[lL]og_?\(\d|\.Log\(\d|\.Write\(\d)");
  for (const SourceFile& file : Sources()) {
    if (!file.path.starts_with("bridge/") || file.path == "bridge/log_line.h") continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      EXPECT_FALSE(std::regex_search(file.lines[i], kOther))
          << file.path << ':' << i + 1 << ": " << file.lines[i]
          << "\n  cure: LogLine, Level (bridge/log_line.h)";
    }
  }
}

TEST(HouseRules, FilesStaySmall) {
  for (const SourceFile& file : Sources()) {
    EXPECT_LE(file.lines.size(), kLinesMax) << file.path << ": split it, one idea a file";
  }
}

TEST(HouseRules, EveryHeaderIsGuardedAndOpensWithItsContract) {
  for (const SourceFile& file : Sources()) {
    if (!file.path.ends_with(".h")) continue;
    ASSERT_FALSE(file.lines.empty()) << file.path;
    EXPECT_TRUE(file.lines[0].starts_with("// " + file.path + ": "))
        << file.path << ": line 1 is \"// " << file.path << ": what it is for\"";
    bool once = false;
    for (const std::string& line : file.lines) once = once || line == "#pragma once";
    EXPECT_TRUE(once) << file.path << ": #pragma once is missing";
  }
}

// A header that leans on what stood before it is found out by its own source.
TEST(HouseRules, EverySourceIncludesItsOwnHeaderFirst) {
  std::set<std::string> headers;
  for (const SourceFile& file : Sources()) {
    if (file.path.ends_with(".h")) headers.insert(file.path);
  }
  std::size_t pairs = 0;
  for (const SourceFile& file : Sources()) {
    if (!file.path.ends_with(".cc")) continue;
    const std::string own = file.path.substr(0, file.path.size() - 3) + ".h";
    if (!headers.contains(own)) continue;
    ++pairs;
    const auto first = std::find_if(file.lines.begin(), file.lines.end(),
                                    [](const std::string& line) { return line.starts_with("#include "); });
    ASSERT_NE(first, file.lines.end()) << file.path;
    EXPECT_EQ(*first, "#include \"" + own + "\"") << file.path;
  }
  EXPECT_GT(pairs, 150u);
}

TEST(HouseRules, NoRoomIsNamedAfterNothing) {
  static const std::regex kNothing("(^|/)(utils?|common|helpers?|managers?)(/|\\.|_)");
  for (const SourceFile& file : Sources()) {
    EXPECT_FALSE(std::regex_search(file.path, kNothing)) << file.path << ": name it after what it is about";
  }
}

// Whatever a program is started without (schemas/base/standard_descriptors.h).
TEST(HouseRules, EveryProgramOpensItsStandardDescriptorsFirst) {
  std::size_t programs = 0;
  for (const SourceFile& file : Sources()) {
    if (file.path.starts_with("tests/")) continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      if (!file.lines[i].starts_with("int main(")) continue;
      ++programs;
      const std::string next = i + 1 < file.lines.size() ? file.lines[i + 1] : "";
      EXPECT_EQ(next, "  registry::OpenStandardDescriptors();") << file.path;
    }
  }
  EXPECT_EQ(programs, 11u);
}

// Types and topics are made by schemas/wire alone: what is typed twice is mended once.
TEST(HouseRules, NobodyElseSpellsTypesAndTopics) {
  std::size_t read = 0;
  for (const SourceFile& file : Sources()) {
    if (file.path.starts_with("tests/") || file.path.starts_with("schemas/")) continue;
    ++read;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const std::string& line = file.lines[i];
      const std::string code = line.substr(0, line.find("// "));  // a comment may show one
      EXPECT_EQ(code.find("\"registry.v1"), std::string::npos) << file.path << ':' << i + 1;
      EXPECT_EQ(code.find("\"registry/v1"), std::string::npos) << file.path << ':' << i + 1;
    }
  }
  EXPECT_GT(read, 200u);
}

// A message's name stands at its struct, as kName.
TEST(HouseRules, NobodyElseSpellsNamesOfMessages) {
  static const std::set<std::string> allowed = {"schemas/wire/messages.h", "schemas/wire/order_messages.h",
                                                "schemas/wire/queries.h", "schemas/wire/life_messages.h"};
  std::set<std::string> spelled;
  for (const wire::MessageName& name : wire::Catalogue()) {
    if (name.kind != wire::MessageName::Kind::kDocument) spelled.insert('"' + std::string(name.name) + '"');
  }
  for (const SourceFile& file : Sources()) {
    if (file.path.starts_with("tests/") || allowed.count(file.path) != 0) continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const std::string code = file.lines[i].substr(0, file.lines[i].find("// "));
      for (const std::string& name : spelled) {
        EXPECT_EQ(code.find(name), std::string::npos) << file.path << ':' << i + 1 << ": say kName";
      }
    }
  }
}

TEST(HouseRules, LinesFitTheScreen) {
  for (const SourceFile& file : Sources()) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      EXPECT_LE(file.lines[i].size(), 125u) << file.path << ':' << i + 1 << ": run ./dev check --fix";
    }
  }
}

}  // namespace
}  // namespace registry::tidy
