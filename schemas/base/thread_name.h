// schemas/base/thread_name.h: the name by which an operator sees a thread (`ps -L`, /proc/PID/task/*/comm).
// bridge/README.md says what each of registryd owns and waits for; a test holds that page to a registryd that runs.
// Without a name of its own a thread has that of the thread that started it. A name that the system does not take is no
// reason to stop, so there is no error.
#pragma once

#include <pthread.h>

#include <cstddef>
#include <utility>

namespace registry {

// What a thread is to run, under a name of at most 15 octets (pthread_setname_np(3)), which is a literal.
// Most threads are started by schemas/base/own_thread.h, which gives them theirs.
template <std::size_t kSize, typename Body>
auto UnderName(const char (&name)[kSize], Body body) {
  static_assert(kSize <= 16, "at most 15 octets");
  return [&name, body = std::move(body)]() mutable {
    (void)pthread_setname_np(pthread_self(), name);
    body();
  };
}

}  // namespace registry
