// schemas/base/folded.h: a text in lines as wide as a terminal, as programs for people print it.
// Widths are octets: a character of several counts as so many. Pure, any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace registry {

// In lines of at most `columns`, broken at blanks; each but the first begins with `indent` spaces. A word that is longer has
// a line of its own. Several blanks stay several; a newline is a blank. Without blanks or a newline at the end.
inline std::string Folded(std::string_view text, std::size_t columns, std::size_t indent) {
  constexpr std::string_view kBlanks = " \t\n";
  std::string folded, line;
  const auto trim = [&line] { line.erase(line.find_last_not_of(' ') + 1); };
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t blank = std::min(text.find_first_of(kBlanks, at), text.size());
    const std::size_t next = std::min(text.find_first_not_of(kBlanks, blank), text.size());
    // A line that is no longer than the indent would not get shorter by a break.
    if (line.size() > indent && line.size() + (blank - at) > columns &&
        line.find_first_not_of(' ') != line.npos) {
      trim();
      folded += line + "\n";
      line.assign(indent, ' ');
    }
    line += text.substr(at, blank - at);
    line.append(next - blank, ' ');
    at = next;
  }
  trim();
  return folded + line;
}

}  // namespace registry
