// schemas/base/nearest.h: which of the words that would be right a mistyped one may have been meant to be. Pure; any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace registry {

// Letters left out, put in, replaced, or two neighbours swapped (optimal string alignment).
inline std::size_t LettersApart(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> apart(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        apart[i][j] = i + j;
        continue;
      }
      apart[i][j] = std::min(
          {apart[i - 1][j] + 1, apart[i][j - 1] + 1, apart[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) apart[i][j] = std::min(apart[i][j], apart[i - 2][j - 2] + 1);
    }
  }
  return apart[a.size()][b.size()];
}

// Those that are as near as any is: a third of the word apart at most, or begun with it. In the order of `choices`.
inline std::vector<std::string> Nearest(std::string_view word, const std::vector<std::string>& choices) {
  constexpr std::size_t kWordMax = 64;  // nobody mistypes more
  std::vector<std::string> nearest;
  if (word.empty() || word.size() > kWordMax) return nearest;
  std::size_t best = (word.size() + 2) / 3;
  for (const std::string& choice : choices) {
    const bool begun = word.size() > 2 && choice.starts_with(word);
    const std::size_t apart = begun ? 1 : LettersApart(word, choice);
    if (apart > best) continue;
    if (apart < best) nearest.clear();
    best = apart;
    nearest.push_back(choice);
  }
  return nearest;
}

}  // namespace registry
