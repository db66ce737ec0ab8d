// tests/support/modem_line.h: one line to a modem, as with a terminal program, and what it says up to OK or ERROR.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <string>

namespace registry::test {

// The port is opened for this line alone. Ten seconds without a character end it.
inline std::string SayToModem(const std::string& modem, const std::string& line) {
  const int port = ::open(modem.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (port < 0) return "no modem";
  const std::string sent = line + "\r\n";
  std::string said;
  pollfd fd = {port, POLLIN, 0};
  if (::write(port, sent.data(), sent.size()) != static_cast<ssize_t>(sent.size())) said = "ERROR\r\n";
  while (!said.ends_with("OK\r\n") && !said.ends_with("ERROR\r\n") && ::poll(&fd, 1, 10000) > 0) {
    char part[1024];
    const ssize_t size = ::read(port, part, sizeof part);
    if (size <= 0) break;
    said.append(part, static_cast<std::size_t>(size));
  }
  ::close(port);
  return said;
}

}  // namespace registry::test
