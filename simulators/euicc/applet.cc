// The card's side of every command: logical channels, SELECT, and how much of an answer goes at once.
#include "simulators/euicc/applet.h"

#include <algorithm>
#include <utility>

#include "simulators/euicc/tags.h"

namespace registry::sim {
namespace {

constexpr std::uint8_t kManageChannel = 0x70, kSelect = 0xa4, kGetResponse = 0xc0;
constexpr std::uint8_t kOpenChannel = 0x00, kCloseChannel = 0x80;

}  // namespace

Applet::Applet(CardMemory& memory, const CardLayout& layout) : memory_(memory), layout_(layout) { Reset(); }

Bytes Applet::Transmit(const Bytes& apdu) {
  if (!memory_.powered) return {};
  const auto command = ParseCommand(apdu);
  return (command ? Dispatch(*command) : ResponseApdu(StatusWord::kWrongLength)).Encode();
}

void Applet::Reset() {
  channels_ = {};
  channels_[0].open = true;
}

void Applet::EndRemote() {
  remote_over_ = remote_ && layout_.habits.tells_remote_over;
  remote_ = false;
}

ResponseApdu Applet::Dispatch(const Command& command) {
  if ((command.cla & 0x7c) != 0) return StatusWord::kUnknownClass;
  LogicalChannel& channel = channels_[command.channel()];
  if (command.ins == kSelect) return Select(command, channel);
  if (command.ins == kManageChannel) return ManageChannel(command);
  if (!channel.open) return StatusWord::kChannelUnsupported;
  if (command.ins == kGetResponse) return GetResponse(command, channel);
  channel.waiting.clear();  // ISO/IEC 7816-4 §7.6.1: GET RESPONSE comes next or not at all
  if (channel.selected == nullptr) return StatusWord::kUnknownInstruction;
  ResponseApdu answer = Serve(command, channel);
  // GSMA IoT.05: the device is told once that its objects may have changed.
  if (answer.status == StatusWord::kOk && std::exchange(remote_over_, false))
    answer.status = StatusWord::kRemoteOver;
  return Deliver(command, channel, std::move(answer));
}

ResponseApdu Applet::Serve(const Command& command, LogicalChannel& channel) {
  const auto& table = Instructions();
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&](const Instruction& entry) { return entry.code == command.ins; });
  if (found == table.end()) return StatusWord::kUnknownInstruction;
  const auto tlvs = found->whole ? ParseTlvs(command.data) : std::optional<Tlvs>(Tlvs());
  if (!tlvs) return StatusWord::kBadData;
  ResponseApdu answer = (this->*found->handler)({command, *tlvs, channel});
  // Every handler keeps to what a short answer holds (tests lay out whatever cards there may be); this is the fence for
  // a handler that does not.
  if (answer.data.size() > kAnswerMax) return StatusWord::kOther;
  return answer;
}

ResponseApdu Applet::Deliver(const Command& command, LogicalChannel& channel, ResponseApdu answer) const {
  if (answer.status != StatusWord::kOk || answer.data.empty()) return answer;
  const std::size_t size = answer.data.size();
  const bool fits = command.le == 0 || command.le >= size;
  if (command.data.empty()) return fits ? std::move(answer) : ResponseApdu(CorrectLe(size));
  if (fits && !layout_.habits.always_get_response) return answer;
  channel.waiting = std::move(answer.data);
  return OctetsWait(size);
}

// ISO/IEC 7816-4 §7.6. Nothing waiting: 6985.
ResponseApdu Applet::GetResponse(const Command& command, LogicalChannel& channel) {
  if (command.p1 != 0 || command.p2 != 0) return StatusWord::kBadParameters;
  if (channel.waiting.empty()) return StatusWord::kConditions;
  const std::size_t there = channel.waiting.size();
  if (command.le > there) return CorrectLe(there);
  const std::size_t size = command.le == 0 ? there : command.le;
  const auto end = channel.waiting.begin() + static_cast<std::ptrdiff_t>(size);
  Bytes part(channel.waiting.begin(), end);
  channel.waiting.erase(channel.waiting.begin(), end);
  return {channel.waiting.empty() ? StatusWord::kOk : OctetsWait(there - size), std::move(part)};
}

// ISO/IEC 7816-4 §7.1.2. Closing what is not open must fail: middleware closes until it does.
ResponseApdu Applet::ManageChannel(const Command& command) {
  if (command.p1 == kOpenChannel && command.p2 == 0x00) {
    if (!channels_[command.channel()].open) return StatusWord::kChannelUnsupported;
    for (std::uint8_t number = 1; number < channels_.size(); ++number) {
      if (channels_[number].open) continue;
      channels_[number].open = true;
      return Bytes{number};
    }
    return StatusWord::kChannelUnsupported;
  }
  if (command.p1 != kCloseChannel) return StatusWord::kBadParameters;
  const std::uint8_t number = command.p2 != 0 ? command.p2 : command.channel();
  if (number == 0 || number >= channels_.size() || !channels_[number].open) return StatusWord::kBadParameters;
  channels_[number] = {};
  return StatusWord::kOk;
}

// A name that is not here leaves selected what was (GlobalPlatform 2.3 §6.4.2). The same name again leaves the sessions:
// clients select before every file they read.
ResponseApdu Applet::Select(const Command& command, LogicalChannel& channel) {
  if (!channel.open && !layout_.habits.select_opens_channel) return StatusWord::kChannelUnsupported;
  if (command.p1 != 0x04) return StatusWord::kBadParameters;
  const auto found =
      std::find_if(layout_.applets.begin(), layout_.applets.end(), [&](const AppletName& name) {
        return std::equal(command.data.begin(), command.data.end(), name.aid.begin(), name.aid.end());
      });
  if (found == layout_.applets.end()) return StatusWord::kNotFound;
  if (channel.selected != nullptr && channel.selected != &*found) channel = {};
  channel.open = true;
  channel.selected = &*found;
  channel.listing.reset();
  channel.waiting.clear();
  return StatusWord::kOk;
}

const std::vector<Applet::Instruction>& Applet::Instructions() {
  static const std::vector<Instruction> table = {
      {0xb9, &Applet::GenerateKeyPair}, {0x2a, &Applet::SignInit},
      {0x2b, &Applet::SignUpdate},      {0x2c, &Applet::VerifyInit},
      {0x2d, &Applet::VerifyUpdate},    {0xcd, &Applet::ReadPublicKey},
      {0x24, &Applet::PutKeyInit},      {0xd8, &Applet::PutKeyUpdate, false},
      {0x46, &Applet::ComputeDh},       {0x48, &Applet::ComputePrf},
      {0x4a, &Applet::HkdfExtractKey},  {0xb0, &Applet::ReadFile},
      {0xcb, &Applet::GetData},         {0x84, &Applet::GetRandom},
  };
  return table;
}

}  // namespace registry::sim
