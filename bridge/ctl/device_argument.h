// bridge/ctl/device_argument.h: a device as an operator names it: a bare id, or the device's unique name, of which the id is
// the first label. Ends the command as wrong otherwise (ledger_source.h).
#pragma once

#include <string>

#include "bridge/ctl/ledger_source.h"
#include "schemas/ids/ids.h"

namespace registry::ctl {

inline DeviceId DeviceArgument(const std::string& text) {
  const auto id = DeviceId::Parse(text.substr(0, text.find('.')));
  if (!id) FailWrong("'" + text + "' is neither a device id nor a device name");
  return *id;
}

}  // namespace registry::ctl
