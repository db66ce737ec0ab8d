// bridge/zone/tsig_key_file.h: where a TSIG key's secret stands: hmac-sha256, Base64. A plain value.
#pragma once

#include <string>

namespace registry::zone {

struct TsigKeyFile {
  std::string name = {}, secret_file = {};
  bool given() const { return !name.empty(); }
  bool operator==(const TsigKeyFile&) const = default;
};

}  // namespace registry::zone
