// simulators/euicc/channel.h: what the applet remembers of one logical channel; gone when it is closed, or with the power.
// Plain values. Limits: session numbers below kSessionsMax; texts as applet.h says.
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "simulators/euicc/crypto.h"
#include "simulators/euicc/layout.h"

namespace registry::sim {

// One of COMPUTE or VERIFY SIGNATURE.
struct SignatureSession {
  Bytes object;  // id of the key or secret
  std::uint8_t mode = 0, algorithm = 0;
  Hash hash = Hash::kSha256;
  Bytes text;
  std::uint32_t touched = 0;  // of the object when the session began
};

using Sessions = std::map<std::uint8_t, SignatureSession>;  // by number

struct PutKeySession {
  Bytes key;
  Bytes data;  // blocks so far
  std::uint32_t touched = 0;
};

struct LogicalChannel {
  bool open = false;
  const AppletName* selected = nullptr;
  std::optional<std::deque<Bytes>> listing;  // what of an object list is still to be said
  Bytes waiting;                             // of an answer, for GET RESPONSE
  Sessions signing, verifying;
  std::map<std::uint8_t, PutKeySession> putting;
};

}  // namespace registry::sim
