// schemas/base/wrong_command.h: what is wrong with a command line that CLI11 has refused, in a sentence that names the word
// and what is nearest to it.
// CLI11 itself says of a command it does not know "A subcommand is required", and of a mistyped option whatever the one
// that was meant leaves missing. Any thread; ParseOrEnd the main one.
#pragma once

#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/base/nearest.h"

namespace registry {

struct Choices {
  std::vector<std::string> commands, options;  // of one level; options with their dashes
};

inline std::string InARow(const std::vector<std::string>& words) {
  std::string row;
  for (const std::string& word : words) row += (row.empty() ? "" : ", ") + word;
  return row;
}

// "; nearest: ..." or nothing. What stands behind "=" is the option's value.
inline std::string NearestTo(const std::string& word, const std::vector<std::string>& choices) {
  const auto nearest = Nearest(std::string_view(word).substr(0, word.find('=')), choices);
  return nearest.empty() ? "" : "; nearest: " + InARow(nearest);
}

// What is left of the words of one level: the first that is no option where commands are awaited, else the first.
inline std::string WrongWord(const std::vector<std::string>& left, const Choices& choices) {
  const bool commands = !choices.commands.empty();
  for (const std::string& word : left) {
    if (commands && !word.starts_with('-'))
      return "'" + word + "' is no command of it" + NearestTo(word, choices.commands);
  }
  if (left.empty()) return commands ? "a command is missing" : "";
  if (!left.front().starts_with('-')) return "'" + left.front() + "' is one word too many";
  return "'" + left.front() + "' is no option of it" + NearestTo(left.front(), choices.options);
}

// `level` is a CLI::App; its type is a parameter so that this room needs no CLI11.
template <class App>
Choices ChoicesOf(App& level, bool with_commands) {
  Choices choices;
  for (const auto* option : level.get_options()) {
    for (const std::string& name : option->get_lnames()) choices.options.push_back("--" + name);
  }
  if (!with_commands) return choices;
  for (const App* command : level.get_subcommands({})) choices.commands.push_back(command->get_name());
  return choices;
}

// `program` after its parse has failed. Empty when every word is known: then CLI11's own message is right.
template <class App>
std::string WrongCommand(App& program) {
  App* command = &program;
  std::string name = program.get_name();
  while (!command->get_subcommands().empty()) {
    if (const auto left = command->remaining(); !left.empty())
      return name + ": " + WrongWord(left, ChoicesOf(*command, false));
    command = command->get_subcommands().front();
    name += " " + command->get_name();
  }
  const Choices choices = ChoicesOf(*command, true);
  const std::string wrong = WrongWord(command->remaining(), choices);
  if (wrong.empty()) return "";
  return name + ": " + wrong + (choices.commands.empty() ? "" : "; there are: " + InARow(choices.commands));
}

// Parses; what the program ends with when that is the end of it: 0 after --help, 2 for a wrong command line, which is said
// on standard error. `ParseError` is CLI::ParseError.
template <class ParseError, class App>
std::optional<int> ParseOrEnd(App& program, int argc, const char* const* argv) {
  try {
    program.parse(argc, argv);
    return std::nullopt;
  } catch (const ParseError& why) {  // --help too
    const std::string wrong = why.get_exit_code() == 0 ? "" : WrongCommand(program);
    if (wrong.empty()) return program.exit(why) == 0 ? 0 : 2;
    std::cerr << wrong << "\nRun with --help for more information.\n";
    return 2;
  }
}

}  // namespace registry
