// bridge/ctl/user_name.h: whose process this is, for the history. Threads: the main one.
#pragma once

#include <pwd.h>
#include <unistd.h>

#include <string>

namespace registry::ctl {

// Empty: nobody that the system has a name for.
inline std::string UserName() {
  const passwd* const user = getpwuid(getuid());  // NOLINT(concurrency-mt-unsafe): registryctl has one thread
  return user == nullptr ? "" : user->pw_name;
}

}  // namespace registry::ctl
