#include "simulators/device/tls_session.h"

#include <charconv>

namespace registry::sim {
namespace {

constexpr std::string_view kRefused = "refused ", kMqtt = " mqtt ";

Result<Welcome> Strange() {
  return Error::Make(Code::kFailed, "asp_unreachable", "the answer is not of this protocol");
}

Result<Welcome> Judge(std::string_view line, const std::string& name) {
  if (line.starts_with(kRefused)) return Error::Make(Code::kNotAuthorised, "refused", line);
  const std::string welcome = "welcome " + name;
  if (!line.starts_with(welcome)) return Strange();
  std::string_view more = line.substr(welcome.size());
  if (more.empty()) return Welcome{};
  if (!more.starts_with(kMqtt)) return Strange();
  more.remove_prefix(kMqtt.size());
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(more.data(), more.data() + more.size(), port);
  if (error != std::errc() || end != more.data() + more.size() || port == 0) return Strange();
  return Welcome{port};
}

}  // namespace

Result<Welcome> TalkToAsp(const AspTarget& target, const ClientCredentials& credentials,
                          const std::string& name, std::chrono::milliseconds deadline, TlsVersion version) {
  const auto connection = TlsConnection::Open(target, credentials, version, deadline);
  if (!connection) return connection.error();
  if (auto said = (*connection)->Write("hello " + name + "\n"); !said) return said.error();
  const auto line = (*connection)->ReadLine();
  return line ? Judge(*line, name) : Result<Welcome>(line.error());
}

}  // namespace registry::sim
