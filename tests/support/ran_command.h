// tests/support/ran_command.h: a command of registryctl in this process, and what it printed.
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace registry::test {

struct RanCommand {
  int status = 0;
  std::string out, err;
  std::string what;  // of the exception that ended it
  std::vector<std::string> lines() const {
    std::vector<std::string> lines;
    std::istringstream text(out);
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }
};

// Not by two threads at once: the standard streams are everybody's.
inline RanCommand RanBy(const std::function<void()>& parse, const std::string& in = "") {
  std::ostringstream out, err;
  std::istringstream input(in);
  auto* const cout = std::cout.rdbuf(out.rdbuf());
  auto* const cerr = std::cerr.rdbuf(err.rdbuf());
  auto* const cin = std::cin.rdbuf(input.rdbuf());
  std::cin.clear();
  RanCommand ran;
  try {
    parse();
  } catch (const CLI::Error& error) {
    ran.status = error.get_exit_code();
    ran.what = error.what();
  }
  std::cout.rdbuf(cout);
  std::cerr.rdbuf(cerr);
  std::cin.rdbuf(cin);
  ran.out = out.str();
  ran.err = err.str();
  return ran;
}

inline RanCommand RanWith(CLI::App& app, std::vector<std::string> words, const std::string& in = "") {
  std::reverse(words.begin(), words.end());  // CLI11 takes the last word first
  return RanBy([&] { app.parse(words); }, in);
}

}  // namespace registry::test
