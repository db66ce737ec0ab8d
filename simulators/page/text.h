// simulators/page/text.h: texts and numbers as HTML shows them. Plain functions, any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace registry::page {

// &, <, >, " and ' as references: safe as content and in an attribute. Octets that are no UTF-8 and control characters
// become U+FFFD.
std::string Escaped(std::string_view text);
// Three digits that count, with thousands set apart: "12 300", "0.042", "7"; "–" for what is no number.
std::string Number(double value);
// The same of milliseconds in the unit that fits: "850 µs", "12 ms", "3.4 s".
std::string Duration(double ms);
// A table of escaped cells; the first column names its row. It scrolls by itself where it is too wide.
std::string TableOf(const std::vector<std::string>& columns,
                    const std::vector<std::vector<std::string>>& rows);

}  // namespace registry::page
