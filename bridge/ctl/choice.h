// bridge/ctl/choice.h: an option whose value is one of a few words, to which --help and faults hold as well: never
// the numbers behind them, which CLI11's own transformers show and take.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>

namespace registry::ctl {

// `chosen` and `words` live as long as `command`.
template <class Value>
CLI::Option* AddChoice(CLI::App& command, const std::string& name, Value& chosen,
                       const std::map<std::string, Value>& words, const std::string& what) {
  const auto choose = [&chosen, &words](const std::string& word) { chosen = words.at(word); };
  return command.add_option_function<std::string>(name, choose, what)
      ->type_name("WORD")
      ->check(CLI::IsMember(&words));
}

}  // namespace registry::ctl
