#include "simulators/page/text.h"

#include <cmath>
#include <cstdio>

namespace registry::page {
namespace {

constexpr const char* kUnreadable = "\xEF\xBF\xBD";

// Octets of the UTF-8 sequence that begins here (RFC 3629 §4, without the rarest faults); 0: none does.
std::size_t SequenceAt(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t size = lead < 0x80                   ? 1
                           : lead >= 0xC2 && lead < 0xE0 ? 2
                           : lead >= 0xE0 && lead < 0xF0 ? 3
                           : lead >= 0xF0 && lead < 0xF5 ? 4
                                                         : 0;
  if (size == 0 || at + size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((static_cast<unsigned char>(text[at + i]) & 0xC0) != 0x80) return 0;
  }
  return size;
}

std::string_view ReferenceOf(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return {};
  }
}

bool IsControl(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return (octet < 0x20 && c != '\n' && c != '\t') || octet == 0x7F;
}

std::string Grouped(std::string digits) {
  const std::size_t end = std::min(digits.find('.'), digits.size());
  const std::size_t begin = digits[0] == '-' ? 1 : 0;
  for (std::size_t at = end; at > begin + 3; at -= 3) digits.insert(at - 3, "\u202F");
  return digits;
}

}  // namespace

std::string Escaped(std::string_view text) {
  std::string escaped;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = SequenceAt(text, at);
    if (const auto reference = ReferenceOf(text[at]); !reference.empty()) {
      escaped += reference;
    } else if (size == 0 || IsControl(text[at])) {
      escaped += kUnreadable;
    } else {
      escaped += text.substr(at, size);
    }
    at += std::max<std::size_t>(size, 1);
  }
  return escaped;
}

std::string Number(double value) {
  if (!std::isfinite(value)) return "–";
  const double size = std::fabs(value);
  const bool whole = std::fabs(value - std::round(value)) < 1e-9;
  const int decimals = whole || size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return size < 1e15 ? Grouped(text) : "–";
}

std::string Duration(double ms) {
  if (!std::isfinite(ms)) return "–";
  if (ms == 0) return "0";
  if (ms < 1) return Number(ms * 1000) + "\u00A0µs";
  if (ms < 1000) return Number(ms) + "\u00A0ms";
  return Number(ms / 1000) + "\u00A0s";
}

std::string TableOf(const std::vector<std::string>& columns,
                    const std::vector<std::vector<std::string>>& rows) {
  std::string html = "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr>";
  for (const auto& column : columns) html += "<th scope=\"col\">" + Escaped(column) + "</th>";
  html += "</tr></thead><tbody>\n";
  for (const auto& row : rows) {
    html += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      html += i == 0 ? "<th scope=\"row\">" + Escaped(row[i]) + "</th>" : "<td>" + Escaped(row[i]) + "</td>";
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace registry::page
