// bridge/mqtt/tls_files.h: whether the files a session is given would do, without connecting. Read the way Paho C
// reads them (OpenSSL, PEM). Pure but for the files; any thread.
#pragma once

#include <string>
#include <vector>

namespace registry::mqtt {

// One sentence per fault, beginning with the name of the SessionOptions member: "key_file: …".
std::vector<std::string> TlsFileFaults(const std::string& ca_file, const std::string& certificate_file,
                                       const std::string& key_file);

}  // namespace registry::mqtt
