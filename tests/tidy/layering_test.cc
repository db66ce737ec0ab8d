// Reads every #include and holds it against the table of rooms in CMakeLists.txt, so that a header cannot cross a
// boundary that the link line would not show (header-only code, transitive include paths).
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>

#include "tests/tidy/tree.h"

namespace registry::tidy {
namespace {

using Edges = std::map<std::string, std::set<std::string>>;

std::set<std::string> Split(const std::string& list) {
  std::set<std::string> parts;
  std::size_t from = 0;
  while (from <= list.size()) {
    const std::size_t to = std::min(list.find(';', from), list.size());
    if (to > from) parts.insert(list.substr(from, to - from));
    from = to + 1;
  }
  return parts;
}

// set(EDGES_workers_dns "${EDGES_workers_domain};workers/domain"), with earlier variables expanded.
Edges ReadTable() {
  static const std::regex kSet(R"re(^set\((\w+) "([^"]*)"\)$)re");
  static const std::regex kVariable(R"(\$\{(\w+)\})");
  std::map<std::string, std::string> variables;
  Edges edges;
  for (const std::string& line : ReadLines(std::string(REGISTRY_SOURCE_DIR) + "/CMakeLists.txt")) {
    std::smatch match;
    if (!std::regex_match(line, match, kSet)) continue;
    std::string value = match[2];
    for (std::smatch use; std::regex_search(value, use, kVariable);) {
      value = use.prefix().str() + variables[use[1]] + use.suffix().str();
    }
    variables[match[1]] = value;
    if (match[1].str().starts_with("EDGES_")) edges[match[1].str().substr(6)] = Split(value);
  }
  return edges;
}

std::string Key(std::string room) {
  for (char& c : room) c = c == '/' ? '_' : c;
  return room;
}

bool IsRoom(const std::string& include) {
  static const std::regex kOurs("^(schemas|workers|bridge|clients|simulators|tests)/.*");
  return std::regex_match(include, kOurs);
}

std::string IncludedBy(const std::string& line, const std::regex& form) {
  std::smatch match;
  return std::regex_search(line, match, form) ? match[1].str() : "";
}

TEST(Layering, TheTableOfRoomsIsReadable) {
  const Edges edges = ReadTable();
  ASSERT_GT(edges.size(), 15u);
  EXPECT_TRUE(edges.at("workers_lifecycle").contains("workers/dns"));
  EXPECT_TRUE(edges.at("schemas_base").empty());
}

TEST(Layering, EveryIncludeFollowsAnAllowedEdge) {
  static const std::regex kOwn(R"re(^\s*#include "([^"]+)")re");
  const Edges edges = ReadTable();
  std::size_t seen = 0;
  for (const SourceFile& file : Sources()) {
    const std::string room = RoomOf(file.path);
    if (room.starts_with("tests")) continue;  // tests see all
    ASSERT_TRUE(edges.contains(Key(room))) << file.path << ": its room is not in the table in CMakeLists.txt";
    for (const std::string& line : file.lines) {
      const std::string include = IncludedBy(line, kOwn);
      if (include.empty()) continue;
      ++seen;
      ASSERT_TRUE(IsRoom(include)) << file.path << ": includes are root-relative, not \"" << include << '"';
      const std::string other = RoomOf(include);
      EXPECT_TRUE(other == room || edges.at(Key(room)).contains(other))
          << file.path << " includes " << include << ": room " << room << " must not use " << other;
    }
  }
  EXPECT_GT(seen, 100u);
}

TEST(Layering, ThirdPartyHeadersStayInTheirRoom) {
  static const std::regex kForeign(
      R"re(^\s*#include [<"]((mqtt/|MQTT|rocksdb/|libpq|ldns/|mosquitto|getdns/|prometheus/|CLI/|p11-kit/|)re"
      R"re(toml\+\+/|civetweb|CivetServer|spdlog/|absl/)[^>"]*)[>"])re");
  const std::map<std::string, std::set<std::string>> allowed = {
      {"mqtt/", {"bridge/mqtt", "clients/follow"}},
      {"MQTT", {"bridge/mqtt"}},
      {"rocksdb/", {"bridge/ledger/rocksdb"}},
      {"libpq", {"bridge/ledger/postgres"}},
      {"ldns/", {"bridge/zone"}},
      {"absl/", {"bridge/zone"}},
      {"mosquitto", {"simulators/mqtt", "bridge/guard", "clients/mosquitto", "clients/conformance"}},
      {"getdns/", {"clients/dane"}},
      {"p11-kit/", {"bridge/keys", "simulators/token"}},
      {"prometheus/", {"bridge/app"}},
      {"civetweb", {"bridge/app"}},
      {"CivetServer", {"bridge/app"}},
      {"toml++/", {"bridge/app", "bridge/ctl", "simulators/lab"}},
      {"spdlog/", {"bridge/app", "simulators/device", "simulators/mno", "simulators/asp", "simulators/lab"}},
      {"CLI/",
       {"bridge/app", "bridge/ctl", "simulators/device", "simulators/mno", "simulators/asp", "simulators/lab",
        "simulators/party", "clients/conformance", "clients/verify", "clients/follow"}},
  };
  for (const SourceFile& file : Sources()) {
    if (file.path.starts_with("tests/")) continue;
    for (const std::string& line : file.lines) {
      std::smatch match;
      if (!std::regex_search(line, match, kForeign)) continue;
      EXPECT_TRUE(allowed.at(match[2]).contains(RoomOf(file.path)))
          << file.path << ": " << match[1] << " belongs to " << *allowed.at(match[2]).begin();
    }
  }
}

TEST(Layering, WorkersNeverWait) {
  static const std::regex kWaits(
      R"re(#include <(thread|mutex|condition_variable|future|fstream|filesystem|)re"
      R"re(sys/socket\.h|unistd\.h|poll\.h)>|#include "schemas/base/(mutex|own_thread|thread_name|end_after_threads)\.h"|)re"
      R"re((system_clock|steady_clock)::now)re");
  for (const SourceFile& file : Sources()) {
    if (!file.path.starts_with("workers/") && !file.path.starts_with("schemas/")) continue;
    // What every program calls before it begins, and the only room that all of them see.
    if (file.path == "schemas/base/standard_descriptors.cc") continue;
    // The lock and the thread that bridge and simulators share, and that nobody here may use.
    if (file.path == "schemas/base/mutex.h" || file.path == "schemas/base/own_thread.h") continue;
    // Waits at the end of a program that a sanitizer watches.
    if (file.path == "schemas/base/end_after_threads.h") continue;
    // No part of the product: it makes two files of the contract.
    if (RoomOf(file.path) == "schemas/document") continue;
    for (const std::string& line : file.lines) {
      EXPECT_FALSE(std::regex_search(line, kWaits))
          << file.path << ": " << line
          << "\n  what waits belongs in bridge/; time and randomness come with the Context";
    }
  }
}

}  // namespace
}  // namespace registry::tidy
