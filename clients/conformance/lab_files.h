// clients/conformance/lab_files.h: what a lab's folder holds that a run needs, found by its lab.json. The lab itself need
// not run, and nothing of it is changed. Plain values, any thread. Errors: lab_unreadable, naming the file or member.
#pragma once

#include <string>

#include "schemas/base/result.h"
#include "schemas/wire/messages.h"

namespace registry::conformance {

struct LabFiles {
  std::string ca_file, certificate_file, key_file;  // the registry's own for the broker
  std::string party_certificate_file, party_key_file;
  std::string broker_config;  // text: the lab's mosquitto.conf
  std::string zone;
  wire::Bootstrap bootstrap;  // but for the device's name
};

// Of `party` in `lab_file`; its role must be `role`.
Result<LabFiles> ReadLabFiles(const std::string& lab_file, const std::string& party, const std::string& role);
// The first guest of that role; empty: there is none, or the file cannot be read.
std::string GuestOf(const std::string& lab_file, const std::string& role);

}  // namespace registry::conformance
