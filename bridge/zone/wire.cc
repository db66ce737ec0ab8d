#include "bridge/zone/wire.h"

#include <algorithm>

namespace registry::zone {
namespace {

std::uint8_t Lower(std::uint8_t octet) {
  return octet >= 'A' && octet <= 'Z' ? static_cast<std::uint8_t>(octet - 'A' + 'a') : octet;
}

bool Plain(std::uint8_t octet) {
  return (octet >= 'a' && octet <= 'z') || (octet >= '0' && octet <= '9') || octet == '-' || octet == '_';
}

bool AppendLabel(std::string_view label, Name& name) {
  if (label.empty() || label.size() > kLabelMax) return false;
  name.push_back(static_cast<std::uint8_t>(label.size()));
  for (char c : label) {
    if (c < 0x21 || c > 0x7e || c == '\\' || c == '"') return false;
    name.push_back(Lower(static_cast<std::uint8_t>(c)));
  }
  return true;
}

}  // namespace

std::optional<Name> NameFromText(std::string_view text) {
  if (text == ".") return Name{0};
  if (!text.empty() && text.back() == '.') text.remove_suffix(1);
  Name name;
  std::size_t start = 0;
  while (true) {
    const std::size_t dot = text.find('.', start);
    if (!AppendLabel(text.substr(start, dot == text.npos ? text.npos : dot - start), name))
      return std::nullopt;
    if (dot == text.npos) break;
    start = dot + 1;
  }
  name.push_back(0);
  if (name.size() > kNameMax) return std::nullopt;
  return name;
}

std::string NameToText(const Name& name) {
  std::string text;
  for (std::size_t at = 0; at < name.size() && name[at] != 0; at += 1u + name[at]) {
    if (at != 0) text.push_back('.');
    for (std::size_t i = at + 1; i <= at + name[at] && i < name.size(); ++i) {
      if (Plain(name[i])) {
        text.push_back(static_cast<char>(name[i]));
        continue;
      }
      text.push_back('\\');
      for (int unit : {100, 10, 1}) text.push_back(static_cast<char>('0' + name[i] / unit % 10));
    }
  }
  return text;
}

std::optional<Bytes> PrefixIn(const Name& name, const Name& zone) {
  for (std::size_t at = 0; at < name.size(); at += 1u + name[at]) {
    if (name.size() - at == zone.size() &&
        std::equal(zone.begin(), zone.end(), name.begin() + static_cast<long>(at))) {
      return Bytes(name.begin(), name.begin() + static_cast<long>(at));
    }
    if (name[at] == 0) break;
  }
  return std::nullopt;
}

int LabelCount(View labels) {
  int count = 0;
  for (std::size_t at = 0; at < labels.size() && labels[at] != 0; at += 1u + labels[at]) ++count;
  return count;
}

void PutU16(Bytes& out, std::uint16_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}
void PutU32(Bytes& out, std::uint32_t value) {
  PutU16(out, static_cast<std::uint16_t>(value >> 16));
  PutU16(out, static_cast<std::uint16_t>(value));
}
void PutU48(Bytes& out, std::uint64_t value) {
  PutU16(out, static_cast<std::uint16_t>(value >> 32));
  PutU32(out, static_cast<std::uint32_t>(value));
}
void Put(Bytes& out, View octets) { out.insert(out.end(), octets.begin(), octets.end()); }
void PutFramed(Bytes& out, View message) {
  PutU16(out, static_cast<std::uint16_t>(message.size()));
  Put(out, message);
}

void SetU16(Bytes& out, std::size_t at, std::uint16_t value) {
  out[at] = static_cast<std::uint8_t>(value >> 8);
  out[at + 1] = static_cast<std::uint8_t>(value);
}

bool Reader::U8(std::uint8_t& value) {
  if (left() < 1) return false;
  value = message_[at_++];
  return true;
}
bool Reader::U16(std::uint16_t& value) {
  if (left() < 2) return false;
  value = static_cast<std::uint16_t>(message_[at_] << 8 | message_[at_ + 1]);
  at_ += 2;
  return true;
}
bool Reader::U32(std::uint32_t& value) {
  std::uint16_t high = 0, low = 0;
  if (!U16(high) || !U16(low)) return false;
  value = static_cast<std::uint32_t>(high) << 16 | low;
  return true;
}
bool Reader::U48(std::uint64_t& value) {
  std::uint16_t high = 0;
  std::uint32_t low = 0;
  if (!U16(high) || !U32(low)) return false;
  value = static_cast<std::uint64_t>(high) << 32 | low;
  return true;
}
bool Reader::Octets(std::size_t size, Bytes& value) {
  if (left() < size) return false;
  value.assign(message_.begin() + static_cast<long>(at_), message_.begin() + static_cast<long>(at_ + size));
  at_ += size;
  return true;
}
bool Reader::Take(std::size_t size, View& octets) {
  if (left() < size) return false;
  octets = message_.subspan(at_, size);
  at_ += size;
  return true;
}
bool Reader::Skip(std::size_t size) {
  if (left() < size) return false;
  at_ += size;
  return true;
}

bool Reader::ReadName(Name& name) {
  name.clear();
  std::size_t at = at_, limit = at_;
  bool jumped = false;
  while (at < message_.size()) {
    const std::uint8_t size = message_[at];
    if ((size & 0xc0) == 0xc0) {
      if (at + 1 >= message_.size()) return false;
      const std::size_t target = static_cast<std::size_t>(size & 0x3f) << 8 | message_[at + 1];
      if (!jumped) at_ = at + 2;
      jumped = true;
      if (target >= limit) return false;  // strictly backward, so it ends
      limit = at = target;
      continue;
    }
    if (size > kLabelMax || at + 1 + size > message_.size() || name.size() + 1 + size > kNameMax)
      return false;
    name.push_back(size);
    for (std::size_t i = 0; i < size; ++i) name.push_back(Lower(message_[at + 1 + i]));
    at += 1u + size;
    if (size != 0) continue;
    if (!jumped) at_ = at;
    return true;
  }
  return false;
}

}  // namespace registry::zone
