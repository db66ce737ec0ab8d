// simulators/lab/terminal.h: what standard output is, for people: how wide, and whether it has colours.
// Plain values and functions, any thread.
// Widths are octets of text without colours; texts of the lab are ASCII.
#pragma once

#include <cstddef>
#include <string>

#include "schemas/base/folded.h"

namespace registry::lab {

struct Terminal {
  static constexpr std::size_t kUnknownColumns = 80;
  std::size_t columns = kUnknownColumns;
  bool live = false;     // a line may be written over
  bool colours = false;  // never where NO_COLOR is set (no-color.org), nor on a terminal that is dumb
};

// A terminal as wide as it says; a file or a pipe is as wide as COLUMNS says, else 80.
Terminal StandardOutput();

enum class Ink { kHeading, kGood, kBad, kFaint };
// A label and its text beside it: folded, with all of the text in one column that begins after `width`.
std::string Labelled(const std::string& label, const std::string& text, std::size_t width,
                     std::size_t columns);
// In its colour where the terminal has any, else as it is.
std::string Inked(const Terminal& terminal, Ink ink, const std::string& text);

}  // namespace registry::lab
