#include "simulators/euicc/issuer_script.h"

#include <limits>
#include <utility>

#include "simulators/euicc/public_key.h"
#include "simulators/euicc/tags.h"

namespace registry::sim {
namespace {

constexpr std::uint8_t kCreateKey = 0x70, kCreateFile = 0x74, kDelete = 0x76, kWrite = 0x77, kRemove = 0x78,
                       kChange = 0x79, kReadKey = 0x7b, kMakeCsr = 0x7d, kReadBack = 0x7e;
// `7F 08` is not a TLV of its own kind: 7F announces the reset, 08 is the length of its word.
constexpr std::uint8_t kClear = 0x7f;
constexpr std::uint8_t kContent = 0x53, kSubject = 0x50, kSecretValue = 0xd1;
constexpr std::size_t kFileMax = std::numeric_limits<std::uint16_t>::max();  // READ FILE's offset, and tag 20
constexpr std::size_t kSecretMax = 64;
constexpr std::string_view kClearAll = "clearall";

// The parts of a step: each at most once, and none that does not belong there.
class Parts {
 public:
  Parts(const Bytes& step, std::initializer_list<std::uint8_t> allowed) : tlvs_(ParseTlvs(step)) {
    for (std::size_t i = 0; tlvs_ && i < tlvs_->size(); ++i) {
      const std::uint8_t tag = (*tlvs_)[i].tag;
      const bool belongs = std::find(allowed.begin(), allowed.end(), tag) != allowed.end();
      if (!belongs || &(*tlvs_)[i].value != FindTlv(*tlvs_, tag)) tlvs_.reset();
    }
  }
  bool good() const { return tlvs_.has_value(); }
  const Bytes* operator[](std::uint8_t tag) const { return FindTlv(*tlvs_, tag); }
  // The value of a part of one octet; nullopt when it is not there, or longer.
  std::optional<std::uint8_t> Octet(std::uint8_t tag) const {
    const Bytes* value = (*this)[tag];
    return value != nullptr && value->size() == 1 ? std::optional(value->front()) : std::nullopt;
  }

 private:
  std::optional<std::vector<Tlv>> tlvs_;
};

bool IsId(const Bytes* id) { return id != nullptr && !id->empty() && id->size() <= kIdMax; }

std::optional<std::string> LabelOf(const Bytes* label) {
  if (label == nullptr) return std::string();
  if (label->empty() || label->size() > kLabelMax) return std::nullopt;
  return std::string(AsText(*label));
}

// By id or by label, one of them; end() when neither or nothing is there.
template <class Object>
typename Objects<Object>::iterator Find(Objects<Object>& objects, const Bytes* id, const Bytes* label) {
  if ((id == nullptr) == (label == nullptr)) return objects.end();
  if (id != nullptr) return objects.find(*id);
  return std::find_if(objects.begin(), objects.end(), [&](const auto& entry) {
    return !label->empty() && entry.second.head.label == AsText(*label);
  });
}

void Touch(ObjectHead& head, CardMemory& memory) { head.touched = ++memory.touches; }

// No two objects of a kind have the same label: it would name neither.
template <class Object>
bool IsTaken(const Objects<Object>& objects, const std::string& label) {
  return !label.empty() && std::any_of(objects.begin(), objects.end(),
                                       [&](const auto& entry) { return entry.second.head.label == label; });
}

StatusWord CreateSecret(const Parts& parts, CardMemory& memory) {
  const Bytes *id = parts[kSecretId], *value = parts[kSecretValue];
  const auto label = LabelOf(parts[kSecretLabel]);
  const auto functions = parts.Octet(kFunctions), type = parts.Octet(kType);
  if (!IsId(id) || !label || !functions || !type || value == nullptr) return StatusWord::kBadData;
  const bool aes = *type == kAesSecret;
  if (*type != kHmacSecret && !aes) return StatusWord::kBadData;
  if (value->empty() || value->size() > kSecretMax || (aes && value->size() != 16))
    return StatusWord::kBadData;
  if (memory.secrets.contains(*id) || IsTaken(memory.secrets, *label)) return StatusWord::kBadData;
  Secret& secret = memory.secrets[*id];
  secret = {*functions, *type, *value, {}};
  secret.head.label = *label;
  Touch(secret.head, memory);
  return StatusWord::kOk;
}

StatusWord CreateKey(const Bytes& step, CardMemory& memory) {
  const Parts parts(step, {kPrivateKeyId, kPrivateKeyLabel, kPublicKeyId, kPublicKeyLabel, kSecretId,
                           kSecretLabel, kFunctions, kType, kSecretValue});
  if (!parts.good()) return StatusWord::kBadData;
  if (parts[kSecretId] != nullptr) return CreateSecret(parts, memory);
  const bool foreign = parts[kPublicKeyId] != nullptr;
  if (foreign && parts[kPrivateKeyId] != nullptr) return StatusWord::kBadData;
  const Bytes* id = parts[foreign ? kPublicKeyId : kPrivateKeyId];
  const auto label = LabelOf(parts[foreign ? kPublicKeyLabel : kPrivateKeyLabel]);
  const auto functions = parts.Octet(kFunctions);
  if (!IsId(id) || !label || !functions || memory.keys.contains(*id) || IsTaken(memory.keys, *label))
    return StatusWord::kBadData;
  KeySlot& slot = memory.keys[*id];
  slot.functions = *functions;
  slot.foreign = foreign;
  slot.head.label = *label;
  Touch(slot.head, memory);
  return StatusWord::kOk;
}

// A file that was not there has the label and usage laid out for its id.
File& FileAt(const Bytes& id, CardMemory& memory) {
  const auto found = memory.files.find(id);
  if (found != memory.files.end()) return found->second;
  File& file = memory.files[id];
  const auto kind = memory.announced.find(id);
  if (kind != memory.announced.end() && !IsTaken(memory.files, kind->second.head.label)) file = kind->second;
  return file;
}

StatusWord CreateFile(const Bytes& step, CardMemory& memory) {
  const Parts parts(step, {kFileId, kFileSize, kFileLabel, kFileUsage});
  if (!parts.good()) return StatusWord::kBadData;
  const Bytes *id = parts[kFileId], *size = parts[kFileSize];
  const auto label = LabelOf(parts[kFileLabel]);
  if (!IsId(id) || !label || size == nullptr || size->size() != 2 || memory.files.contains(*id) ||
      IsTaken(memory.files, *label)) {
    return StatusWord::kBadData;
  }
  File& file = FileAt(*id, memory);
  file.content.resize(static_cast<std::size_t>(size->front()) << 8 | size->back());
  if (!label->empty()) file.head.label = *label;
  if (const auto usage = parts.Octet(kFileUsage)) file.usage = *usage;
  Touch(file.head, memory);
  return StatusWord::kOk;
}

StatusWord WriteFile(const Bytes& step, CardMemory& memory) {
  const Parts parts(step, {kFileId, kFileLabel, kContent});
  if (!parts.good()) return StatusWord::kBadData;
  const Bytes *id = parts[kFileId], *label = parts[kFileLabel], *content = parts[kContent];
  if ((id == nullptr) == (label == nullptr) || (id != nullptr && !IsId(id)) || content == nullptr)
    return StatusWord::kBadData;
  if (content->size() > kFileMax) return StatusWord::kNoMemory;
  const auto labelled = Find(memory.files, id, label);
  if (id == nullptr && labelled == memory.files.end()) return StatusWord::kNotFound;
  File& file = id == nullptr ? labelled->second : FileAt(*id, memory);
  file.content = *content;
  Touch(file.head, memory);
  return StatusWord::kOk;
}

constexpr std::initializer_list<std::uint8_t> kSelectors = {kFileId,          kFileLabel,   kPrivateKeyId,
                                                            kPrivateKeyLabel, kPublicKeyId, kPublicKeyLabel,
                                                            kSecretId,        kSecretLabel};

// `act` on the one object the parts name, with the collection it stands in.
template <class Act>
StatusWord OnObject(const Parts& parts, CardMemory& memory, Act act) {
  const auto count =
      std::count_if(kSelectors.begin(), kSelectors.end(), [&](auto tag) { return parts[tag] != nullptr; });
  if (count != 1) return StatusWord::kBadData;
  const auto on = [&](auto& objects, std::uint8_t id, std::uint8_t label) {
    const auto found = Find(objects, parts[id], parts[label]);
    if (found == objects.end()) return false;
    act(objects, found);
    return true;
  };
  const bool done =
      on(memory.files, kFileId, kFileLabel) || on(memory.keys, kPrivateKeyId, kPrivateKeyLabel) ||
      on(memory.keys, kPublicKeyId, kPublicKeyLabel) || on(memory.secrets, kSecretId, kSecretLabel);
  return done ? StatusWord::kOk : StatusWord::kNotFound;
}

StatusWord Delete(const Bytes& step, CardMemory& memory) {
  const Parts parts(step, kSelectors);
  if (!parts.good()) return StatusWord::kBadData;
  for (const std::uint8_t id : {kFileId, kPrivateKeyId, kPublicKeyId, kSecretId}) {
    if (parts[id] != nullptr && !IsId(parts[id])) return StatusWord::kBadData;
  }
  return OnObject(parts, memory, [](auto& objects, auto found) { objects.erase(found); });
}

StatusWord Change(const Bytes& step, CardMemory& memory) {
  const Parts parts(step, {kFileId, kFileLabel, kPrivateKeyId, kPrivateKeyLabel, kPublicKeyId,
                           kPublicKeyLabel, kSecretId, kSecretLabel, kAccess, kState});
  if (!parts.good()) return StatusWord::kBadData;
  const auto access = parts.Octet(kAccess), state = parts.Octet(kState);
  if (!access && !state) return StatusWord::kBadData;
  return OnObject(parts, memory, [&](auto&, auto found) {
    ObjectHead& head = found->second.head;
    if (access) head.readable = (*access & 0x01) != 0;
    if (state) head.active = (*state & 0x01) != 0;
    Touch(head, memory);
  });
}

ResponseApdu ReadKey(const Bytes& step, CardMemory& memory) {
  const Parts parts(step, {kPublicKeyId, kPublicKeyLabel});
  if (!parts.good()) return StatusWord::kBadData;
  const auto found = Find(memory.keys, parts[kPublicKeyId], parts[kPublicKeyLabel]);
  if (found == memory.keys.end()) return StatusWord::kNotFound;
  return found->second.point().empty() ? ResponseApdu(StatusWord::kConditions)
                                       : ResponseApdu(PublicKeyData(found->second.point()));
}

ResponseApdu ReadBack(const Bytes& step, CardMemory& memory) {
  const Parts parts(step, {kFileId, kFileLabel});
  if (!parts.good()) return StatusWord::kBadData;
  const auto found = Find(memory.files, parts[kFileId], parts[kFileLabel]);
  return found == memory.files.end() ? ResponseApdu(StatusWord::kNotFound)
                                     : ResponseApdu(found->second.content);
}

StatusWord MakeCsr(const Bytes& step, CardMemory& memory) {
  const Parts parts(step, {kPrivateKeyId, kPrivateKeyLabel, kSubject});
  if (!parts.good() || parts[kSubject] == nullptr) return StatusWord::kBadData;
  const auto key = Find(memory.keys, parts[kPrivateKeyId], parts[kPrivateKeyLabel]);
  if (key == memory.keys.end() || key->second.foreign) return StatusWord::kNotFound;
  if (!key->second.pair || (key->second.functions & kMaySign) == 0) return StatusWord::kConditions;
  auto csr = key->second.pair->Request(*parts[kSubject]);
  if (!csr) return StatusWord::kBadData;
  const Bytes label = AsBytes(kCsrLabel);
  const auto there = Find(memory.files, nullptr, &label);
  File& file = there != memory.files.end() ? there->second : memory.files[AsBytes("CSR")];
  file.content = std::move(*csr);
  file.head.label = kCsrLabel;
  Touch(file.head, memory);
  return StatusWord::kOk;
}

StatusWord ClearAll(const Bytes& word, CardMemory& memory) {
  if (AsText(word) != kClearAll) return StatusWord::kBadData;
  memory.files.clear();
  for (auto& [id, slot] : memory.keys) {
    if ((slot.functions & kMayGenerate) != 0) slot.pair.reset();  // what the device can make anew
    slot.peer_point.clear();
    Touch(slot.head, memory);
  }
  return StatusWord::kOk;
}

Bytes OnFileScript(std::uint8_t step, std::uint8_t id) {
  Bytes parts, script;
  AppendTlv(parts, kFileId, {id});
  AppendTlv(script, step, parts);
  return script;
}

ResponseApdu Take(const Tlv& step, CardMemory& memory) {
  switch (step.tag) {
    case kCreateKey:
      return CreateKey(step.value, memory);
    case kCreateFile:
      return CreateFile(step.value, memory);
    case kDelete:
      return Delete(step.value, memory);
    case kRemove: {
      const StatusWord removed = Delete(step.value, memory);
      return removed == StatusWord::kNotFound ? StatusWord::kOk : removed;
    }
    case kWrite:
      return WriteFile(step.value, memory);
    case kChange:
      return Change(step.value, memory);
    case kReadKey:
      return ReadKey(step.value, memory);
    case kMakeCsr:
      return MakeCsr(step.value, memory);
    case kReadBack:
      return ReadBack(step.value, memory);
    case kClear:
      return ClearAll(step.value, memory);
    default:
      return StatusWord::kBadData;
  }
}

}  // namespace

// Every step is judged, and done to a copy, before any of them counts.
ResponseApdu CarryOut(const Bytes& script, CardMemory& memory) {
  const auto steps = ParseTlvs(script);
  if (!steps) return StatusWord::kBadData;
  CardMemory changed = memory;
  Bytes answer;
  for (const Tlv& step : *steps) {
    const ResponseApdu done = Take(step, changed);
    if (done.status != StatusWord::kOk) return done.status;
    answer.insert(answer.end(), done.data.begin(), done.data.end());
  }
  if (!changed.Fits() || answer.size() > kAnswerMax) return StatusWord::kNoMemory;
  memory = std::move(changed);
  return answer;
}

Bytes WriteFileScript(std::uint8_t id, const Bytes& content) {
  Bytes parts, script;
  AppendTlv(parts, kFileId, {id});
  AppendTlv(parts, kContent, content);
  AppendTlv(script, kWrite, parts);
  return script;
}

Bytes DeleteFileScript(std::uint8_t id) { return OnFileScript(kDelete, id); }
Bytes RemoveFileScript(std::uint8_t id) { return OnFileScript(kRemove, id); }
Bytes ReadFileScript(std::uint8_t id) { return OnFileScript(kReadBack, id); }

Bytes ClearAllScript() {
  Bytes script;
  AppendTlv(script, kClear, AsBytes(kClearAll));
  return script;
}

}  // namespace registry::sim
