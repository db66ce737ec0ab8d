// bridge/ctl/hand_over_text.h: the texts of a partner's hand-over (hand_over.h). Pure; any thread.
#pragma once

#include <cstdint>
#include <string>

namespace registry::ctl {

struct HandOverFacts {
  std::string party, role, zone, broker_host;
  std::uint16_t broker_port = 0;
  bool has_key = false;  // its key was made here, and is in the folder
  bool batches = false;
};
std::string HandOverReadme(const HandOverFacts& facts);
// Options that mosquitto_pub, mosquitto_sub and mosquitto_rr read by themselves, one a line; paths are relative to the
// folder.
std::string ClientOptions(const HandOverFacts& facts);
// A command that any party may send and that changes nothing: quota.get.
std::string FirstCommand(const HandOverFacts& facts);

}  // namespace registry::ctl
