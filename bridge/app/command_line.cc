#include "bridge/app/command_line.h"

#include <iostream>

#include "schemas/base/wrong_command.h"

namespace registry::app {
std::optional<int> TakeCommandLine(CLI::App& program, int argc, const char* const* argv) {
  program.set_version_flag("--version", program.get_name() + " " + REGISTRY_VERSION);
  try {
    program.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::RuntimeError& failed) {  // a command, which has said why
    return failed.get_exit_code();
  } catch (const CLI::ParseError& why) {  // --help and --version too
    const std::string wrong = why.get_exit_code() == 0 ? "" : WrongCommand(program);
    if (wrong.empty()) return program.exit(why) == 0 ? 0 : kExitWrong;
    std::cerr << wrong << "\nRun with --help for more information.\n";
    return kExitWrong;
  } catch (const std::exception& why) {  // no command's own: out of memory, no folder for temporary files
    std::cerr << program.get_name() << ": " << why.what() << '\n';
    return kExitFailed;
  }
}

}  // namespace registry::app
