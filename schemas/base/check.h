// schemas/base/check.h: REG_CHECK stays on in release builds. For states that only a defect in this program can
// reach; input from outside is never "impossible" and gets an Error instead.
#pragma once

#include <cstdio>
#include <cstdlib>

#define REG_CHECK(condition)                                                             \
  do {                                                                                   \
    if (!(condition)) {                                                                  \
      std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)
