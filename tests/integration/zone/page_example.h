// tests/integration/zone/page_example.h: the configurations of secondaries that the pages in bridge/zone show, made ready
// to run in a test's folder: what an operator's system has of its own is added.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/integration/zone/secondary_process.h"

namespace registry::zone::testing {

inline std::string NameOf(const ::testing::TestParamInfo<Software>& info) {
  return info.param == Software::kNsd ? "Nsd" : info.param == Software::kKnot ? "Knot" : "Bind";
}

inline std::string Exchanged(std::string text,
                             const std::vector<std::pair<std::string, std::string>>& words) {
  for (const auto& [what, by] : words) {
    for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + by.size()))
      text.replace(at, what.size(), by);
  }
  return text;
}

// The block of a page in bridge/zone that begins so.
inline std::string ExampleThatBegins(const std::string& file, const std::string& begin) {
  std::ostringstream page;
  page << std::ifstream(file).rdbuf();
  const std::string text = page.str(), fence = "```\n";
  const std::size_t at = text.find(fence + begin);
  EXPECT_NE(at, text.npos) << begin;
  if (at == text.npos) return "";
  return text.substr(at + fence.size(), text.find(fence, at + fence.size()) - at - fence.size());
}

// With this test's folder and port; what an operator's system has of its own is added.
inline std::string ExampleOf(const std::string& page, Software software, const std::string& folder,
                             const std::string& port) {
  switch (software) {
    case Software::kNsd:
      return Exchanged(
                 ExampleThatBegins(page, "server:\n    ip-address"),
                 {{"    ip-address: 192.0.2.53\n",
                   "    ip-address: 127.0.0.1@" + port +
                       "\n    username: \"\"\n    chroot: \"\"\n    zonesdir: \"" + folder +
                       "\"\n    database: \"\"\n    pidfile: \"" + folder + "/nsd.pid\"\n    xfrdfile: \"" +
                       folder + "/xfrd.state\"\n    xfrdir: \"" + folder + "\"\n    zonelistfile: \"" +
                       folder + "/zone.list\"\n    logfile: \"" + folder + "/server.log\"\n"}}) +
             "remote-control:\n    control-enable: no\n";
    case Software::kKnot:
      return "database:\n    storage: " + folder + "\ntemplate:\n  - id: default\n    storage: " + folder +
             "\n" +
             Exchanged(ExampleThatBegins(page, "server:\n    listen"),
                       {{"192.0.2.53@53", "127.0.0.1@" + port + "\n    rundir: " + folder}});
    default:
      return "options { directory \"" + folder + "\"; pid-file none; session-keyfile \"" + folder +
             "/session.key\"; listen-on port " + port +
             " { 127.0.0.1; }; listen-on-v6 { none; }; recursion no; };\ncontrols { };\n" +
             Exchanged(ExampleThatBegins(page, "key \"registry-transfer\""), {{"/var/cache/bind", folder}});
  }
}

}  // namespace registry::zone::testing
