#include "simulators/terminal/modem_port.h"

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "schemas/base/descriptor.h"

namespace registry::sim {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::string_view kAnswer = "+CSIM:";

// The last line of an answer (V.250 §5.7.1, TS 27.007 §9.2).
bool EndsAnswer(std::string_view line) {
  return line == "OK" || line == "ERROR" || line.starts_with("+CME ERROR:");
}

// +CSIM: <characters>,"<hexadecimal>"; some modems write no quotes.
Bytes OctetsIn(std::string_view line) {
  const std::size_t comma = line.find(',');
  if (comma == line.npos) return {};
  std::string digits;
  for (const char c : line.substr(comma + 1)) {
    if (c != '"' && c != ' ') digits += c;
  }
  return FromHex(digits).value_or(Bytes{});
}

class OpenPort : public ModemPort {
 public:
  OpenPort(Descriptor port, std::chrono::milliseconds within) : port_(std::move(port)), within_(within) {}

  Bytes Transmit(const Bytes& apdu) override {
    const std::string hex = ToHex(apdu);
    if (gone_ || !Say("AT+CSIM=" + std::to_string(hex.size()) + ",\"" + hex + "\"\r\n")) return {};
    Bytes answer;
    const auto until = Clock::now() + within_;
    while (const auto line = NextLine(until)) {
      if (line->starts_with(kAnswer)) answer = OctetsIn(*line);
      if (EndsAnswer(*line)) return *line == "OK" ? answer : Bytes{};
    }
    gone_ = true;  // what comes now would be taken for the answer to another command
    return {};
  }

 private:
  bool Say(const std::string& line) {
    const auto until = Clock::now() + within_;
    std::size_t said = 0;
    while (said < line.size() && Wait(POLLOUT, until)) {
      const ssize_t size = ::write(port_.fd(), line.data() + said, line.size() - said);
      if (size < 0 && errno != EAGAIN && errno != EINTR) break;
      if (size > 0) said += static_cast<std::size_t>(size);
    }
    gone_ = said < line.size();
    return !gone_;
  }

  bool Wait(short events, Clock::time_point until) const {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd fd = {port_.fd(), events, 0};
    return left > 0 && ::poll(&fd, 1, static_cast<int>(left)) > 0 && (fd.revents & events) != 0;
  }

  // Without its end; empty lines are passed over.
  std::optional<std::string> NextLine(Clock::time_point until) {
    while (true) {
      const std::size_t end = heard_.find_first_of("\r\n");
      if (end != std::string::npos) {
        std::string line = heard_.substr(0, end);
        heard_.erase(0, end + 1);
        if (!line.empty()) return line;
        continue;
      }
      char part[512];
      if (heard_.size() > kAnswerMax || !Wait(POLLIN, until)) return std::nullopt;
      const ssize_t size = ::read(port_.fd(), part, sizeof part);
      if (size <= 0 && errno != EAGAIN && errno != EINTR) return std::nullopt;
      if (size > 0) heard_.append(part, static_cast<std::size_t>(size));
    }
  }

  const Descriptor port_;
  const std::chrono::milliseconds within_;
  std::string heard_;
  bool gone_ = false;
};

}  // namespace

Result<std::unique_ptr<ModemPort>> ModemPort::Open(const std::string& path,
                                                   std::chrono::milliseconds within) {
  Descriptor port(::open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  termios settings{};
  if (port.fd() < 0 || ::tcgetattr(port.fd(), &settings) != 0)
    return Error::Make(Code::kSyntax, "modem_unavailable", path + ": " + std::strerror(errno));
  ::cfmakeraw(&settings);
  settings.c_cflag |= CLOCAL | CREAD;
  ::tcsetattr(port.fd(), TCSANOW, &settings);
  return std::unique_ptr<ModemPort>(std::make_unique<OpenPort>(std::move(port), within));
}

}  // namespace registry::sim
