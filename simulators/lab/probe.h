// simulators/lab/probe.h: is it really there? Each probe asks once and answers at once (a second at most);
// WaitUntil repeats one until it is true or the deadline passes. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace registry::lab {

bool TcpAnswers(const std::string& address, std::uint16_t port);
// RFC 1034 §4.3.2: an answer to SOA for `name` with RCODE 0 and at least one answer record, over UDP.
bool SoaAnswers(const std::string& address, std::uint16_t port, const std::string& name);
// The same question with DO set and recursion desired: the AD bit must be there (RFC 4035 §3.2.3).
bool ResolverValidates(const std::string& address, std::uint16_t port, const std::string& name);
// Whether there is a TLSA record, asked likewise. None: no answer, or neither RCODE 0 nor NXDOMAIN.
struct TlsaAnswer {
  std::optional<bool> there;
  bool authentic = false;  // the AD bit
};
TlsaAnswer AskTlsa(const std::string& address, std::uint16_t port, const std::string& name);
bool HttpOk(const std::string& address, std::uint16_t port, const std::string& path);
// Whatever the status; nothing without an answer. At most kPageMax octets of it.
struct HttpPage {
  std::string status, body;  // "503"
};
std::optional<HttpPage> HttpAnswer(const std::string& address, std::uint16_t port, const std::string& path);
// The page; nothing when there is none, or another status than 200.
inline constexpr std::size_t kPageMax = 4u << 20;
std::optional<std::string> HttpBody(const std::string& address, std::uint16_t port, const std::string& path);

// `give_up` (may be empty) ends the wait early, e.g. when the process probed has died.
bool WaitUntil(const std::function<bool()>& probe, std::chrono::milliseconds deadline,
               const std::function<bool()>& give_up = {});

}  // namespace registry::lab
