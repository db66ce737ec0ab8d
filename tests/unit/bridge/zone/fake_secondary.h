// tests/unit/bridge/zone/fake_secondary.h: a secondary that answers NOTIFY and SOA on a UDP port of its own, signed
// with the transfer key, and transfers nothing: what it claims to serve is what the test says. Threads: one of its
// own; every call from any.
#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <thread>

#include "bridge/zone/socket.h"
#include "bridge/zone/tsig.h"
#include "tests/unit/bridge/zone/zone_files.h"

namespace registry::zone::testing {

// The SOA of the test zone under `serial`, as the answer to a question with this id.
inline Bytes SoaAnswerOf(std::uint16_t id, std::uint32_t serial,
                         std::uint16_t flags = kFlagResponse | kFlagAuthoritative, const char* name = kZone) {
  Bytes answer = StartMessage(id, flags, *NameFromText(name), kTypeSoa);
  Put(answer, Bytes{0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 60, 0, 22, 0, 0});
  PutU32(answer, serial);
  answer.resize(answer.size() + 16);
  SetU16(answer, 6, 1);
  return answer;
}

// Signs an answer to a question that was signed with the same key.
inline Bytes SignedAnswer(View question, Bytes answer, const TsigKey& key, UtcTime now) {
  TsigStream(key, VerifyTsig(question, *ParseMessage(question), key, now)).Sign(answer, now);
  return answer;
}

class FakeSecondary {
 public:
  explicit FakeSecondary(TsigKey key) : key_(std::move(key)), thread_([this] { Run(); }) {}
  ~FakeSecondary() {
    stopping_ = true;
    thread_.join();
  }
  // Serves the version of every NOTIFY from here on, the last one included.
  void Follow() { mode_ = Mode::kFollow; }
  void Serve(std::uint32_t serial) {
    serial_ = serial;
    mode_ = Mode::kFixed;
  }
  void BeSilent() { mode_ = Mode::kSilent; }

  SecondaryAddress address(const std::string& name) const { return {name, "127.0.0.1", LocalPort(socket_)}; }
  std::uint32_t told() const { return told_; }  // the newest version it was notified of

 private:
  enum class Mode { kSilent, kFollow, kFixed };

  void Run() {
    while (!stopping_) {
      pollfd polled{socket_.fd(), POLLIN, 0};
      if (poll(&polled, 1, 20) != 1) continue;
      std::uint8_t buffer[4096];
      sockaddr_storage peer{};
      socklen_t peer_size = sizeof peer;
      auto* address = reinterpret_cast<sockaddr*>(&peer);
      const ssize_t size = recvfrom(socket_.fd(), buffer, sizeof buffer, 0, address, &peer_size);
      if (size < 0) continue;
      const Bytes reply = Answer(View(buffer, static_cast<std::size_t>(size)));
      if (!reply.empty()) (void)sendto(socket_.fd(), reply.data(), reply.size(), 0, address, peer_size);
    }
  }
  Bytes Answer(View octets) {
    const auto message = ParseMessage(octets);
    if (!message) return {};
    if (message->opcode() == static_cast<std::uint8_t>(Opcode::kNotify)) {
      told_ = *SoaSerial(octets, message->answer.at(0));
      if (mode_ == Mode::kSilent) return {};
      const auto flags = static_cast<std::uint16_t>(kFlagResponse | kFlagAuthoritative | 4u << 11);
      return SignedAnswer(octets, StartMessage(message->id, flags, message->question, kTypeSoa), key_,
                          clock_.Now());
    }
    if (mode_ == Mode::kSilent) return {};
    const std::uint32_t serial = mode_ == Mode::kFollow ? told_ : serial_;
    return SignedAnswer(octets, SoaAnswerOf(message->id, serial), key_, clock_.Now());
  }

  const TsigKey key_;
  SystemClock clock_;
  Socket socket_ = *BindUdp("127.0.0.1", 0);
  std::atomic<Mode> mode_{Mode::kSilent};
  std::atomic<std::uint32_t> serial_{0}, told_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace registry::zone::testing
