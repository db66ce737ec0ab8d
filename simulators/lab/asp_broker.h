// simulators/lab/asp_broker.h: an ASP's own broker in the lab: a second Mosquitto, with the plug-in that lets in exactly the
// ASP's active devices, a bridge that brings it the registry's notifications, and a listener for the ASP's back end
// (clients/mosquitto/README.md). Its files lie in <folder>/asp-broker/<asp>.
// Errors: lab_failed, or of mosquitto_passwd. Any thread.
#pragma once

#include <string>

#include "schemas/base/result.h"
#include "simulators/lab/layout.h"

namespace registry::lab {

inline constexpr const char* kBackEndUser = "back-end";

struct AspBroker {
  std::string config_file, log_file, password_file;  // the last: the back end's password, as it is
};
AspBroker AspBrokerOf(const Layout& layout, int asp);
// Writes everything Mosquitto reads. `plugin`: the shared object.
Status PrepareAspBroker(const Layout& layout, int asp, const std::string& plugin);

}  // namespace registry::lab
