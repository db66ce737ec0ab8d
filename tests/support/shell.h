// tests/support/shell.h: a line for the shell, run to its end.
#pragma once

#include <array>
#include <cstdio>
#include <string>

#include "schemas/base/check.h"

namespace registry::test {

struct Ran {
  int status = -1;     // as of waitpid(2)
  std::string output;  // what it said; standard error where the line sends it
  bool ok() const { return status == 0; }
};

inline Ran Shell(const std::string& line) {
  FILE* const pipe = popen(line.c_str(), "r");
  REG_CHECK(pipe != nullptr);
  Ran ran;
  std::array<char, 65536> buffer{};
  for (std::size_t got; (got = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    ran.output.append(buffer.data(), got);
  }
  ran.status = pclose(pipe);
  return ran;
}

}  // namespace registry::test
