// tests/support/openssl_tool.h: the openssl program as a judge that shares no code with ours, in a folder of its own.
#pragma once

#include <string>

#include "tests/support/shell.h"
#include "tests/support/temporary_folder.h"

namespace registry::test {

// `openssl <arguments>`, run inside the folder; both streams.
inline Ran OpenSsl(const TemporaryFolder& folder, const std::string& arguments) {
  return Shell("cd '" + folder.In("") + "' && openssl " + arguments + " 2>&1 </dev/null");
}

}  // namespace registry::test
