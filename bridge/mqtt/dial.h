// bridge/mqtt/dial.h: finds out why no connection to the broker came about. Paho C 1.3.12 says the same of a name that
// does not resolve, a closed port, another host's certificate and a port without TLS ("TCP/TLS connect failure"), so
// after a failure one connection is made without it, as far as TLS and no further, and closed again.
// Threads: any; blocks. Each step has a deadline of a few seconds and looks at `give_up` meanwhile, but for the name
//   look-up, which the system's resolver bounds (resolv.conf(5), timeout and attempts).
#pragma once

#include <functional>
#include <string>

#include "bridge/mqtt/session.h"

namespace registry::mqtt {

struct Dialled {
  std::string
      where;  // "host:port", with the address it has, where that is another text: "host:port (address)"
  std::string fault;  // "step: reason"; empty when all steps up to TLS are good
};
Dialled Dial(const SessionOptions& options, const std::function<bool()>& give_up);

}  // namespace registry::mqtt
