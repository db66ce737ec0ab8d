// simulators/terminal/pty_modem.h: an AT modem behind a pseudo-terminal, as a serial device of its own: what a program opens
// that was written for a real modem. PATH is a symbolic link to it.
// Owns: the pseudo-terminal, the link, one thread. Borrows the card, which only that thread speaks to.
// Threads: Start and the destructor from one.
// A PATH that leads to another pseudo-terminal is taken over: of two modems with one path the later has it, also when the
//   first ends.
// Errors: 2001 when PATH is there and does not lead into /dev/pts/, 2400 when the system has no pseudo-terminal; the
//   message says which.
// A client that goes away (also one that is killed) leaves nothing: its half line, what it has not read, and its logical
//   channels go with it. The last close of the terminal tells. A command that has not been heard by then is carried out, as
//   by any modem, and answered to whoever is there.
// Fault model: none of its own but time: every answer comes `answer_after` late.
// Limits: what a client does not read within kReadWithin is dropped.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "schemas/base/result.h"
#include "simulators/terminal/at_modem.h"

namespace registry::sim {

class PtyModem {
 public:
  static constexpr std::chrono::milliseconds kReadWithin{2000};
  struct Options {
    AtModem::Options modem = {};
    std::chrono::milliseconds answer_after{0};
  };
  virtual ~PtyModem() = default;
  static Result<std::unique_ptr<PtyModem>> Start(const std::string& path, CardPort& card, Options options);
};

}  // namespace registry::sim
