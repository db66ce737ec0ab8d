// simulators/ota/psk_stream.h: one TLS connection that both ends prove by a key they share: TLS 1.2,
// TLS_PSK_WITH_AES_128_CBC_SHA256, as SCP81 has it. Over a Unix-domain socket, which stands for the modem's channel (BIP).
// Owns: the socket. Threads: one at a time. Waiting: every call ends by the deadline of the stream, or soon after `stops`
//   says so.
// Errors: false, or null; what was half said is lost with the connection. The program ignores SIGPIPE.
// Spec: RFC 4279, RFC 5487 §3; ETSI TS 102 225 §2 (SCP81 is GlobalPlatform's Amendment B).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "schemas/base/descriptor.h"
#include "simulators/ota/http_message.h"

namespace registry::sim::ota {

class PskStream {
 public:
  using PskOf = std::function<std::optional<Bytes>(const std::string& identity)>;
  using Stops = std::function<bool()>;

  virtual ~PskStream() = default;
  static std::unique_ptr<PskStream> Connect(const std::string& socket_path, const std::string& identity,
                                            const Bytes& psk, std::chrono::milliseconds deadline);
  // Of a socket that was accepted.
  static std::unique_ptr<PskStream> Accept(Descriptor socket, PskOf psk_of, Stops stops,
                                           std::chrono::milliseconds deadline);

  virtual const std::string& identity() const = 0;  // of the client, as it has proved it
  virtual bool Say(const HttpMessage& message) = 0;
  virtual bool Hear(HttpMessage& message) = 0;
};

}  // namespace registry::sim::ota
