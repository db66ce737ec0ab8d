// bridge/mqtt/tls_files.h: whether the files a session is given would do, without connecting. Read as Paho C reads them
// (OpenSSL, PEM): the certificate is the registry's (CN registryd), for TLS clients, valid now and issued below the CA that
// is to vouch for the broker, as `registryctl init` makes them; the key is a secret file (bridge/secret_file.h) and the
// certificate's. Pure but for the files and the time; any thread.
#pragma once

#include <string>
#include <vector>

namespace registry::mqtt {

// One sentence per fault, beginning with the name of the SessionOptions member: "key_file: …".
std::vector<std::string> TlsFileFaults(const std::string& ca_file, const std::string& certificate_file,
                                       const std::string& key_file);

}  // namespace registry::mqtt
