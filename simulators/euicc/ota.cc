#include "simulators/euicc/ota.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "simulators/euicc/tags.h"

namespace registry::sim {
namespace {

constexpr std::uint8_t kStoreData = 0xe2, kLastStoreBlock = 0x80;
// GlobalPlatform 2.3 §11.11.2.1: whether the data is BER-TLV (b5) and whether an answer is wanted (b1) changes nothing
// here; encrypted data (b7, b6) and DGI (b4) would.
constexpr std::uint8_t kIgnoredBits = 0x11;
constexpr std::uint8_t kWrite = 0x77, kDelete = 0x76, kContent = 0x53;
constexpr std::size_t kBlockMax = 240;
constexpr std::size_t kFileMax = std::numeric_limits<std::uint16_t>::max();  // READ FILE's offset, and tag 20
constexpr std::string_view kClearAll = "clearall";

// `7F 08` is not a TLV of its own kind: 7F announces the reset, 08 is the length of its word.
constexpr std::uint8_t kReset = 0x7f;

}  // namespace

Bytes OtaChannel::Transmit(const Bytes& apdu) {
  const auto command = ParseCommand(apdu);
  if (!command) return ResponseApdu(StatusWord::kWrongLength).Encode();
  if (command->cla != 0x80) return ResponseApdu(StatusWord::kUnknownClass).Encode();
  if (command->ins != kStoreData) return ResponseApdu(StatusWord::kUnknownInstruction).Encode();
  return StoreData(*command).Encode();
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
  return last ? Carry(std::exchange(script_, {})) : StatusWord::kOk;
}

// Every step is judged, and done to a copy, before any of them counts.
ResponseApdu OtaChannel::Carry(const Bytes& script) {
  const auto steps = ParseTlvs(script);
  if (!steps) return StatusWord::kBadData;
  CardMemory changed = memory_;
  for (const Tlv& step : *steps) {
    if (const StatusWord done = Take(step, changed); done != StatusWord::kOk) return done;
  }
  if (!changed.Fits()) return StatusWord::kNoMemory;
  memory_ = std::move(changed);
  return StatusWord::kOk;
}

StatusWord OtaChannel::Take(const Tlv& step, CardMemory& memory) {
  if (step.tag == kReset) return ClearAll(step.value, memory);
  if (step.tag != kWrite && step.tag != kDelete) return StatusWord::kBadData;
  const auto parts = ParseTlvs(step.value);
  const std::size_t wanted = step.tag == kWrite ? 2 : 1;  // each once, and nothing else
  const Bytes* id = parts && parts->size() == wanted ? FindTlv(*parts, kFileId) : nullptr;
  if (id == nullptr || id->empty() || id->size() > kIdMax) return StatusWord::kBadData;
  if (step.tag == kDelete) return memory.files.erase(*id) == 0 ? StatusWord::kNotFound : StatusWord::kOk;
  const Bytes* content = FindTlv(*parts, kContent);
  if (content == nullptr) return StatusWord::kBadData;
  if (content->size() > kFileMax) return StatusWord::kNoMemory;
  memory.files[*id] = *content;
  return StatusWord::kOk;
}

StatusWord OtaChannel::ClearAll(const Bytes& word, CardMemory& memory) {
  if (AsText(word) != kClearAll) return StatusWord::kBadData;
  memory.files.clear();
  for (auto& [id, slot] : memory.keys) {
    if ((slot.functions & kMayGenerate) != 0) slot.pair.reset();  // what the device can make anew
  }
  return StatusWord::kOk;
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

Bytes WriteFileScript(std::uint8_t id, const Bytes& content) {
  Bytes parts, script;
  AppendTlv(parts, kFileId, {id});
  AppendTlv(parts, kContent, content);
  AppendTlv(script, kWrite, parts);
  return script;
}

Bytes DeleteFileScript(std::uint8_t id) {
  Bytes parts, script;
  AppendTlv(parts, kFileId, {id});
  AppendTlv(script, kDelete, parts);
  return script;
}

Bytes ClearAllScript() {
  Bytes script;
  AppendTlv(script, kReset, AsBytes(kClearAll));
  return script;
}

}  // namespace registry::sim
