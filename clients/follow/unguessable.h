// clients/follow/unguessable.h: ids that nobody guesses and that never come twice. Any thread.
#pragma once

#include <cstdio>
#include <random>
#include <string>

namespace registry::follow {

// 128 bits of the system's randomness, in hexadecimal.
inline std::string Unguessable() {
  std::random_device random;
  std::string text;
  for (int i = 0; i < 4; ++i) {
    char part[9];
    std::snprintf(part, sizeof part, "%08x", static_cast<unsigned>(random()));
    text += part;
  }
  return text;
}

}  // namespace registry::follow
