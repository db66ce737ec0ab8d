// simulators/terminal/modem_port.h: a card behind a modem, as a program of the device reaches it: AT+CSIM over a serial
// device. The other side of at_modem.h; it works with any modem that has the command.
// Owns: the open serial device, raw and without echo. Threads: one at a time.
// Errors: 2001 when PATH cannot be opened or is no terminal, with the reason. A modem that says ERROR, answers too late or
//   goes away gives an empty answer; after the last two each further command does so at once.
// Limits: `within` for each answer, kAnswerMax characters.
// Spec: 3GPP TS 27.007 §8.17 (+CSIM); ITU-T V.250 §5.7 (responses).
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "schemas/base/bytes.h"
#include "schemas/base/result.h"

namespace registry::sim {

class ModemPort {
 public:
  static constexpr std::size_t kAnswerMax = 4096;

  virtual ~ModemPort() = default;
  static Result<std::unique_ptr<ModemPort>> Open(const std::string& path, std::chrono::milliseconds within);
  virtual Bytes Transmit(const Bytes& apdu) = 0;
};

}  // namespace registry::sim
