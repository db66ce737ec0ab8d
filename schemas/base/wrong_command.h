// schemas/base/wrong_command.h: what is wrong with a command line that CLI11 has refused, in a sentence that names the word.
// CLI11 itself says of a command it does not know "A subcommand is required", and of a mistyped option whatever the one
// that was meant leaves missing. Pure; any thread.
#pragma once

#include <string>
#include <vector>

namespace registry {

// What is left of the words of one level: the first that is no option where commands are awaited, else the first.
inline std::string WrongWord(const std::vector<std::string>& left, bool commands) {
  for (const std::string& word : left) {
    if (commands && !word.starts_with('-')) return "'" + word + "' is no command of it";
  }
  if (left.empty()) return commands ? "a command is missing" : "";
  return "'" + left.front() + "' is " +
         (left.front().starts_with('-') ? "no option of it" : "one word too many");
}

// `program` is a CLI::App after its parse has failed; its type is a parameter so that this room needs no CLI11. Empty when
// every word is known: then CLI11's own message is right.
template <class App>
std::string WrongCommand(App& program) {
  App* command = &program;
  std::string name = program.get_name();
  while (!command->get_subcommands().empty()) {
    if (const auto left = command->remaining(); !left.empty()) return name + ": " + WrongWord(left, false);
    command = command->get_subcommands().front();
    name += " " + command->get_name();
  }
  std::string choices;
  for (const App* choice : command->get_subcommands({})) {
    choices += (choices.empty() ? "" : ", ") + choice->get_name();
  }
  const std::string wrong = WrongWord(command->remaining(), !choices.empty());
  if (wrong.empty()) return "";
  return name + ": " + wrong + (choices.empty() ? "" : "; there are: " + choices);
}

}  // namespace registry
