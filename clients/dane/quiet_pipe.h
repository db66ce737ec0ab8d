// clients/dane/quiet_pipe.h: while one lives, writing to a connection that the other end has closed is an error for this
// thread and not the end of the process. libgetdns writes without MSG_NOSIGNAL, and a library must not change what its host
// does with signals.
// Owns: the thread's mask of SIGPIPE, given back as it was. Threads: made and destroyed on one thread.
// Spec: POSIX.1-2017 sigtimedwait, pthread_sigmask.
#pragma once

#include <pthread.h>
#include <signal.h>
#include <time.h>

namespace registry::clients {

class QuietPipe {
 public:
  QuietPipe() {
    sigset_t pending;
    sigemptyset(&pending);
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    const sigset_t pipe = Pipe();
    pthread_sigmask(SIG_BLOCK, &pipe, &before_);
  }
  ~QuietPipe() {
    const sigset_t pipe = Pipe();
    const timespec at_once{};
    while (!was_pending_ && sigtimedwait(&pipe, nullptr, &at_once) == SIGPIPE) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  QuietPipe(const QuietPipe&) = delete;
  QuietPipe& operator=(const QuietPipe&) = delete;

 private:
  static sigset_t Pipe() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    return set;
  }
  sigset_t before_{};
  bool was_pending_ = false;
};

}  // namespace registry::clients
