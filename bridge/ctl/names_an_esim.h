// bridge/ctl/names_an_esim.h: what an operator writes for others to read must not name an eSIM. Pure; any thread.
#pragma once

#include <cctype>
#include <string>
#include <string_view>

#include "schemas/ids/ids.h"

namespace registry::ctl {

// Whether a run of digits in it is an identifier that only its own MNO may know.
// However it is grouped: as it is printed on a card, or on a paper.
inline bool NamesAnEsim(const std::string& text) {
  constexpr std::string_view kGrouping = " -.:/";
  std::string digits;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])) != 0) {
      digits += text[i];
      continue;
    }
    if (i < text.size() && kGrouping.find(text[i]) != kGrouping.npos) continue;
    if (Eid::Parse(digits) || Iccid::Parse(digits)) return true;
    digits.clear();
  }
  return false;
}

}  // namespace registry::ctl
