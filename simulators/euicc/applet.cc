#include "simulators/euicc/applet.h"

#include <algorithm>

namespace registry::sim {
namespace {

constexpr std::uint8_t kManageChannel = 0x70;
constexpr std::uint8_t kSelect = 0xa4;

}  // namespace

Bytes Applet::Transmit(const Bytes& apdu) {
  const auto command = ParseCommand(apdu);
  return (command ? Dispatch(*command) : ResponseApdu(StatusWord::kWrongLength)).Encode();
}

void Applet::Reset() {
  open_ = {true, false, false, false};
  selected_ = {};
  listing_ = {};
  signing_.clear();
  putting_.clear();
}

ResponseApdu Applet::Dispatch(const Command& command) {
  if ((command.cla & 0x7c) != 0) return StatusWord::kUnknownClass;
  if (command.ins == kManageChannel) return ManageChannel(command);
  if (!open_[command.channel()]) return StatusWord::kChannelUnsupported;
  if (command.ins == kSelect) return Select(command);
  if (!selected_[command.channel()]) return StatusWord::kUnknownInstruction;
  return Serve(command);
}

ResponseApdu Applet::Serve(const Command& command) {
  const auto& table = Instructions();
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&](const Instruction& entry) { return entry.code == command.ins; });
  if (found == table.end()) return StatusWord::kUnknownInstruction;
  const auto tlvs = ParseTlvs(command.data);
  if (!tlvs) return StatusWord::kBadData;
  ResponseApdu answer = (this->*found->handler)(command, *tlvs);
  // Every handler keeps to what a short answer holds (tests lay out whatever cards there may be); this is the fence for
  // a handler that does not.
  if (answer.data.size() > 255) return StatusWord::kOther;
  return answer;
}

// ISO/IEC 7816-4 §7.1.2. Closing what is not open must fail: middleware closes until it does.
ResponseApdu Applet::ManageChannel(const Command& command) {
  if (command.p1 == 0x00 && command.p2 == 0x00) {
    for (std::uint8_t channel = 1; channel < open_.size(); ++channel) {
      if (open_[channel]) continue;
      open_[channel] = true;
      return Bytes{channel};
    }
    return StatusWord::kChannelUnsupported;
  }
  if (command.p1 != 0x80) return StatusWord::kBadParameters;
  const std::uint8_t channel = command.p2 != 0 ? command.p2 : command.channel();
  if (channel == 0 || channel >= open_.size() || !open_[channel]) return StatusWord::kBadParameters;
  open_[channel] = selected_[channel] = false;
  listing_[channel].reset();
  return StatusWord::kOk;
}

// A name that is not here leaves selected what was (GlobalPlatform 2.3 §6.4.2).
ResponseApdu Applet::Select(const Command& command) {
  if (command.p1 != 0x04) return StatusWord::kBadParameters;
  const bool ours = std::equal(command.data.begin(), command.data.end(), kGsmaAid.begin(), kGsmaAid.end());
  if (!ours) return StatusWord::kNotFound;
  selected_[command.channel()] = true;
  listing_[command.channel()].reset();
  return StatusWord::kOk;
}

}  // namespace registry::sim
