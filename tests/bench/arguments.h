// tests/bench/arguments.h: what a benchmark is told on its command line. Every one takes --json FILE (report.h); a word that
// it does not know ends it with 2 before it has measured anything.
//   bench::Arguments arguments("bench_x");
//   arguments.app().add_option("--devices", devices)->check(CLI::PositiveNumber);
//   if (const auto end = arguments.Parse(argc, argv)) return *end;
// Threads: the main one.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "schemas/base/wrong_command.h"

namespace registry::bench {

class Arguments {
 public:
  explicit Arguments(const char* program)
      : app_("a benchmark; ./dev bench runs it beside its floor", program) {
    app_.add_option("--json", json_, "writes what was measured to this file");
  }
  CLI::App& app() { return app_; }
  // Set: the exit status with which to end now.
  std::optional<int> Parse(int argc, char** argv) {
    return registry::ParseOrEnd<CLI::ParseError>(app_, argc, argv);
  }
  const std::string& json() const { return json_; }  // empty: none is wanted

 private:
  CLI::App app_;
  std::string json_;
};

}  // namespace registry::bench
