// schemas/base/end_after_threads.h: for programs with Paho that LeakSanitizer watches. Paho waits for the loops of its
// threads and not for their end. What OpenSSL keeps for a thread that is ending while OpenSSL's clean-up at exit goes on is
// freed by neither, and counts as leaked. Without that sanitizer nothing is done.
// Threads: any. Waits: 5 s at most, when the process ends.
#pragma once

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <thread>

#include "schemas/base/sanitized.h"

namespace registry {

// To be called when OpenSSL is in use: a handler that is registered behind OpenSSL's runs before it.
inline void EndAfterOtherThreads() {
#if REGISTRY_ADDRESS_SANITIZED
  [[maybe_unused]] static const int once = std::atexit([] {
    for (int tenths = 0; tenths < 50; ++tenths) {
      const std::filesystem::directory_iterator threads("/proc/self/task");
      if (std::distance(begin(threads), end(threads)) <= 1) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  });
#endif
}

}  // namespace registry
