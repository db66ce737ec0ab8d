// simulators/link/connection.h: a Connection over an already connected socket; used by Dial and by Listener.
#pragma once

#include "simulators/link/frames.h"

namespace registry::sim {

// Takes the socket; starts the two threads. The handlers run on the read thread, on_close once, last.
std::shared_ptr<Connection> Adopt(int socket, FrameHandler on_frame, CloseHandler on_close, Faults faults);

// A Unix-domain address for `path`; false when the path is too long for one (107 octets).
struct UnixAddress {
  bool Set(const std::string& path);
  alignas(8) char storage[128] = {};
  unsigned size = 0;
};

}  // namespace registry::sim
