#include "simulators/lab/probe.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>
#include <sstream>
#include <string_view>
#include <thread>

namespace registry::lab {
namespace {

constexpr auto kBetweenProbes = std::chrono::milliseconds(20);

// A connected socket with a second's patience; -1 when nobody listens.
int Connected(int type, const std::string& address, std::uint16_t port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  if (::inet_pton(AF_INET, address.c_str(), &to.sin_addr) != 1) return -1;
  const int socket = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
  const timeval patience{1, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) return socket;
  ::close(socket);
  return -1;
}

constexpr std::uint16_t kSoa = 6, kTlsa = 52;

// RFC 1035 §4.1: header, one question of class IN; RFC 6891 §6.1: OPT with the DO bit.
std::string QuestionOf(std::uint16_t id, const std::string& name, std::uint16_t type) {
  std::string query{static_cast<char>(id >> 8), static_cast<char>(id & 0xff), 1, 0, 0, 1, 0, 0, 0, 0, 0, 1};
  std::istringstream labels(name);
  for (std::string label; std::getline(labels, label, '.');) {
    if (label.empty()) continue;
    query.push_back(static_cast<char>(label.size()));
    query += label;
  }
  query += {0, static_cast<char>(type >> 8), static_cast<char>(type & 0xff), 0, 1};
  query += std::string("\0\0\x29\x04\xd0\0\0\x80\0\0\0", 11);
  return query;
}

struct Answer {
  std::optional<int> rcode;  // none: nobody answered
  bool records = false, authentic = false;
  bool good() const { return rcode == 0 && records; }
};

Answer Ask(const std::string& address, std::uint16_t port, const std::string& name, std::uint16_t type) {
  const int socket = Connected(SOCK_DGRAM, address, port);
  if (socket < 0) return {};
  const auto id = static_cast<std::uint16_t>(std::random_device{}());
  const std::string query = QuestionOf(id, name, type);
  unsigned char reply[2048];
  ssize_t size = ::send(socket, query.data(), query.size(), 0);
  if (size > 0) size = ::recv(socket, reply, sizeof reply, 0);
  ::close(socket);
  // The socket is connected, so the source is right; ID, QR and the question must be, too. What is truncated says nothing.
  const std::size_t question = query.size() - 12 - 11;
  if (size < static_cast<ssize_t>(12 + question)) return {};
  const bool ours = reply[0] == id >> 8 && reply[1] == (id & 0xff) && (reply[2] & 0x80) != 0;
  const std::string_view asked(reinterpret_cast<const char*>(reply) + 12, question);
  if (!ours || (reply[2] & 0x02) != 0 || asked != std::string_view(query).substr(12, question)) return {};
  return {reply[3] & 0x0f, (reply[6] | reply[7]) != 0, (reply[3] & 0x20) != 0};
}

}  // namespace

bool TcpAnswers(const std::string& address, std::uint16_t port) {
  const int socket = Connected(SOCK_STREAM, address, port);
  if (socket >= 0) ::close(socket);
  return socket >= 0;
}

bool SoaAnswers(const std::string& address, std::uint16_t port, const std::string& name) {
  return Ask(address, port, name, kSoa).good();
}

bool ResolverValidates(const std::string& address, std::uint16_t port, const std::string& name) {
  const Answer answer = Ask(address, port, name, kSoa);
  return answer.good() && answer.authentic;
}

TlsaAnswer AskTlsa(const std::string& address, std::uint16_t port, const std::string& name) {
  constexpr int kNxDomain = 3;
  const Answer answer = Ask(address, port, name, kTlsa);
  if (answer.rcode != 0 && answer.rcode != kNxDomain) return {};
  return {answer.good(), answer.authentic};
}

std::optional<HttpPage> HttpAnswer(const std::string& address, std::uint16_t port, const std::string& path) {
  const int socket = Connected(SOCK_STREAM, address, port);
  if (socket < 0) return std::nullopt;
  const std::string request = "GET " + path + " HTTP/1.0\r\nHost: " + address + "\r\n\r\n";
  std::string answer;
  ssize_t size = ::send(socket, request.data(), request.size(), MSG_NOSIGNAL);
  for (char piece[65536]; size > 0 && answer.size() < kPageMax;) {
    size = ::recv(socket, piece, sizeof piece, 0);
    if (size > 0) answer.append(piece, static_cast<std::size_t>(size));
  }
  ::close(socket);
  const std::size_t head = answer.find("\r\n\r\n");
  constexpr std::size_t kStatusAt = 9;  // "HTTP/1.0 200 OK"
  if (head == std::string::npos || head < kStatusAt) return std::nullopt;
  return HttpPage{answer.substr(kStatusAt, 3), answer.substr(head + 4)};
}

std::optional<std::string> HttpBody(const std::string& address, std::uint16_t port, const std::string& path) {
  auto page = HttpAnswer(address, port, path);
  if (!page || page->status != "200") return std::nullopt;
  return std::move(page->body);
}

bool HttpOk(const std::string& address, std::uint16_t port, const std::string& path) {
  return HttpBody(address, port, path).has_value();
}

bool WaitUntil(const std::function<bool()>& probe, std::chrono::milliseconds deadline,
               const std::function<bool()>& give_up) {
  const auto until = std::chrono::steady_clock::now() + deadline;
  while (!probe()) {
    if (std::chrono::steady_clock::now() >= until || (give_up && give_up())) return false;
    std::this_thread::sleep_for(kBetweenProbes);
  }
  return true;
}

}  // namespace registry::lab
