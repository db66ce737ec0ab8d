// simulators/lab/confined.h: servers that the system keeps to their own folders. Debian's AppArmor profiles of named and
// unbound are known by the program's path and allow /etc/bind, /var/cache/bind and the like, and no lab's folder. A copy of
// the program elsewhere has no profile (apparmor.d(5), "attachment").
// Plain functions, any thread. Errors: no_folder when the copy cannot be made.
#pragma once

#include <string>

#include "schemas/base/result.h"

namespace registry::lab {

// Whether the kernel applies AppArmor and the system has a profile for the program at this path.
bool IsConfined(const std::string& program, const std::string& sys = "/sys", const std::string& etc = "/etc");
// Its path, or that of a fresh copy in the folder where it is confined. A name is looked up as FindProgram does.
Result<std::string> Unconfined(const std::string& name, const std::string& folder, bool confined);

}  // namespace registry::lab
