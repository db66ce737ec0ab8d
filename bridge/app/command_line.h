// bridge/app/command_line.h: how registryd and registryctl take their command line, and what they end with.
// Exit: 0 after success, --help and --version; kExitFailed when what was asked for failed; kExitWrong for a wrong
//   command line, whatever is wrong with it, with its fault on stderr. A command that has said why it fails throws
//   CLI::RuntimeError with its own status.
// Threads: the main one.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>

namespace registry::app {

inline constexpr int kExitFailed = 1;
inline constexpr int kExitWrong = 2;

// Adds --version to `program`, parses, and runs the commands asked for: the status to end with, or nothing when the
// program goes on.
std::optional<int> TakeCommandLine(CLI::App& program, int argc, const char* const* argv);

}  // namespace registry::app
