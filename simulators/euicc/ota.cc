#include "simulators/euicc/ota.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "simulators/euicc/issuer_script.h"

namespace registry::sim {
namespace {

constexpr std::uint8_t kStoreData = 0xe2, kInstall = 0xe6, kSelectDomain = 0xa4, kLastStoreBlock = 0x80;
constexpr std::uint8_t kForPersonalization = 0x20;
constexpr std::uint8_t kDomainAid[] = {0xa0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00, 0x00};
// GlobalPlatform 2.3 §11.11.2.1: whether the data is BER-TLV (b5) and whether an answer is wanted (b1) changes nothing
// here; encrypted data (b7, b6) and DGI (b4) would.
constexpr std::uint8_t kIgnoredBits = 0x11;
constexpr std::size_t kBlockMax = 240;

}  // namespace

Bytes OtaChannel::Transmit(const Bytes& apdu) {
  if (until_cut_ && (*until_cut_)-- == 0) {
    until_cut_.reset();
    memory_.powered = false;
  }
  if (!memory_.powered) return {};
  const auto command = ParseCommand(apdu);
  return (command ? Dispatch(*command) : ResponseApdu(StatusWord::kWrongLength)).Encode();
}

void OtaChannel::Reset() {
  script_.clear();
  next_block_ = 0;
}

ResponseApdu OtaChannel::Dispatch(const Command& command) {
  if (command.cla == 0x00 && command.ins == kSelectDomain) {
    const bool ours =
        std::equal(command.data.begin(), command.data.end(), std::begin(kDomainAid), std::end(kDomainAid));
    return ours ? StatusWord::kOk : StatusWord::kNotFound;
  }
  if (command.cla != 0x80) return StatusWord::kUnknownClass;
  if (command.ins == kInstall) return InstallForPersonalization(command);
  return command.ins == kStoreData ? StoreData(command) : StatusWord::kUnknownInstruction;
}

// The AID stands where an application's does in INSTALL: behind two names and before three fields that are empty.
ResponseApdu OtaChannel::InstallForPersonalization(const Command& command) {
  if (command.p1 != kForPersonalization || command.p2 != 0) return StatusWord::kBadParameters;
  const bool known = std::any_of(layout_.applets.begin(), layout_.applets.end(), [&](const AppletName& name) {
    Bytes wanted = {0x00, 0x00, static_cast<std::uint8_t>(name.aid.size())};
    wanted.insert(wanted.end(), name.aid.begin(), name.aid.end());
    wanted.insert(wanted.end(), {0x00, 0x00, 0x00});
    return std::equal(command.data.begin(), command.data.end(), wanted.begin(), wanted.end());
  });
  if (!known) return StatusWord::kNotFound;
  script_.clear();
  next_block_ = 0;
  return StatusWord::kOk;
}

ResponseApdu OtaChannel::StoreData(const Command& command) {
  if ((command.p1 & ~(kLastStoreBlock | kIgnoredBits)) != 0) return StatusWord::kBadParameters;
  const bool last = (command.p1 & kLastStoreBlock) != 0;
  // Block 0 begins a script, also in the middle of another one. Behind block FF there is no number for a next one.
  if (command.p2 != 0 && command.p2 != next_block_) return StatusWord::kBadParameters;
  if (!last && command.p2 == std::numeric_limits<std::uint8_t>::max()) return StatusWord::kNoMemory;
  if (command.p2 == 0) script_.clear();
  script_.insert(script_.end(), command.data.begin(), command.data.end());
  next_block_ = static_cast<std::uint8_t>(last ? 0 : command.p2 + 1);
  return last ? CarryOut(std::exchange(script_, {}), memory_) : StatusWord::kOk;
}

Bytes InstallForPersonalization() {
  const auto size = static_cast<std::uint8_t>(kGsmaAid.size());
  Bytes apdu = {0x80, kInstall, kForPersonalization, 0x00, static_cast<std::uint8_t>(size + 6), 0x00,
                0x00, size};
  apdu.insert(apdu.end(), kGsmaAid.begin(), kGsmaAid.end());
  apdu.insert(apdu.end(), {0x00, 0x00, 0x00});
  return apdu;
}

std::vector<Bytes> StoreDataBlocks(const Bytes& script) {
  std::vector<Bytes> blocks;
  for (std::size_t at = 0; at == 0 || at < script.size(); at += kBlockMax) {
    const std::size_t size = std::min(kBlockMax, script.size() - at);
    const std::uint8_t last = at + size == script.size() ? kLastStoreBlock : 0x00;
    Bytes block = {0x80, kStoreData, last, static_cast<std::uint8_t>(blocks.size()),
                   static_cast<std::uint8_t>(size)};
    const auto begin = script.begin() + static_cast<std::ptrdiff_t>(at);
    block.insert(block.end(), begin, begin + static_cast<std::ptrdiff_t>(size));
    blocks.push_back(std::move(block));
  }
  return blocks;
}

}  // namespace registry::sim
