#include "simulators/lab/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>
#include <string_view>

namespace registry::lab {
namespace {

constexpr std::size_t kNarrowest = 40, kWidest = 500;

// What users of COLUMNS write there is for shells; nothing else is taken from it.
std::size_t ColumnsOf(const char* text) {
  const long columns = text == nullptr ? 0 : std::strtol(text, nullptr, 10);
  const auto wide = static_cast<std::size_t>(columns > 0 ? columns : 0);
  return wide >= kNarrowest && wide <= kWidest ? wide : 0;
}

bool Says(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

const char* CodeOf(Ink ink) {
  switch (ink) {
    case Ink::kHeading:
      return "\x1b[1m";
    case Ink::kGood:
      return "\x1b[32m";
    case Ink::kBad:
      return "\x1b[31m";
    case Ink::kFaint:
      return "\x1b[2m";
  }
  return "";
}

}  // namespace

Terminal StandardOutput() {
  Terminal terminal;
  terminal.live = ::isatty(STDOUT_FILENO) == 1;
  winsize size{};
  const bool told = terminal.live && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  const std::size_t asked = ColumnsOf(std::getenv("COLUMNS"));
  if (told) {
    terminal.columns = size.ws_col;
  } else if (asked > 0) {
    terminal.columns = asked;
  }
  const char* const kind = std::getenv("TERM");
  // no-color.org: "when present and not an empty string (regardless of its value)".
  terminal.colours =
      terminal.live && !Says("NO_COLOR") && kind != nullptr && std::string_view(kind) != "dumb";
  return terminal;
}

std::string Labelled(const std::string& label, const std::string& text, std::size_t width,
                     std::size_t columns) {
  std::istringstream lines(Folded(text, columns > width ? columns - width : 1, 0));
  std::string labelled, left = label + std::string(width > label.size() ? width - label.size() : 1, ' ');
  for (std::string line; std::getline(lines, line); left = "\n" + std::string(width, ' '))
    labelled += left + line;
  return labelled;
}

std::string Inked(const Terminal& terminal, Ink ink, const std::string& text) {
  return terminal.colours ? CodeOf(ink) + text + "\x1b[0m" : text;
}

}  // namespace registry::lab
