#include "simulators/euicc/ota.h"

#include <algorithm>
#include <utility>

namespace registry::sim {
namespace {

constexpr std::uint8_t kStoreData = 0xe2, kLastBlock = 0x80;
constexpr std::uint8_t kWrite = 0x77, kDelete = 0x76, kContent = 0x53, kFileId = 0x83;
constexpr std::size_t kBlockMax = 240;
constexpr std::string_view kClearAll = "clearall";

// `7F 08` is not a TLV of its own kind: 7F announces the reset, 08 is the length of its word.
constexpr std::uint8_t kReset = 0x7f;

}  // namespace

Bytes OtaChannel::Transmit(const Bytes& apdu) {
  const auto command = ParseCommand(apdu);
  if (!command) return Answer(StatusWord::kWrongLength).Encode();
  if (command->cla != 0x80) return Answer(StatusWord::kUnknownClass).Encode();
  if (command->ins != kStoreData) return Answer(StatusWord::kUnknownInstruction).Encode();
  return StoreData(*command).Encode();
}

Answer OtaChannel::StoreData(const Command& command) {
  if (command.p2 == 0) {
    script_.clear();
    next_block_ = 0;
  }
  if (command.p2 != next_block_) return StatusWord::kBadParameters;
  script_.insert(script_.end(), command.data.begin(), command.data.end());
  ++next_block_;
  if ((command.p1 & kLastBlock) == 0) return StatusWord::kOk;
  next_block_ = 0;
  const Bytes script = std::exchange(script_, {});
  return Carry(script);
}

Answer OtaChannel::Carry(const Bytes& script) {
  const auto steps = ParseTlvs(script);
  if (!steps) return StatusWord::kBadData;
  CardMemory changed = memory_;
  for (const Tlv& step : *steps) {
    if (step.tag == kReset) {
      if (AsText(step.value) != kClearAll) return StatusWord::kBadData;
      changed.files.clear();
      changed.keys.at({kSigningKey}).pair.reset();
      continue;
    }
    const auto parts = ParseTlvs(step.value);
    const Bytes* id = parts ? FindTlv(*parts, kFileId) : nullptr;
    if (id == nullptr || (step.tag != kWrite && step.tag != kDelete)) return StatusWord::kBadData;
    if (step.tag == kDelete) {
      if (changed.files.erase(*id) == 0) return StatusWord::kNotFound;
      continue;
    }
    const Bytes* content = FindTlv(*parts, kContent);
    if (content == nullptr) return StatusWord::kBadData;
    changed.files[*id] = *content;
  }
  if (changed.FileOctets() > changed.file_octets_max) return StatusWord::kNoMemory;
  memory_ = std::move(changed);
  return StatusWord::kOk;
}

std::vector<Bytes> StoreDataBlocks(const Bytes& script) {
  std::vector<Bytes> blocks;
  for (std::size_t at = 0; at == 0 || at < script.size(); at += kBlockMax) {
    const std::size_t size = std::min(kBlockMax, script.size() - at);
    const std::uint8_t last = at + size == script.size() ? kLastBlock : 0x00;
    Bytes block = {0x80, kStoreData, last, static_cast<std::uint8_t>(blocks.size()),
                   static_cast<std::uint8_t>(size)};
    const auto begin = script.begin() + static_cast<std::ptrdiff_t>(at);
    block.insert(block.end(), begin, begin + static_cast<std::ptrdiff_t>(size));
    blocks.push_back(std::move(block));
  }
  return blocks;
}

Bytes WriteFileScript(std::uint8_t id, const Bytes& content) {
  Bytes parts, script;
  AppendTlv(parts, kFileId, {id});
  AppendTlv(parts, kContent, content);
  AppendTlv(script, kWrite, parts);
  return script;
}

Bytes ClearAllScript() {
  Bytes script;
  AppendTlv(script, kReset, AsBytes(kClearAll));
  return script;
}

}  // namespace registry::sim
