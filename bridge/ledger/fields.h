// bridge/ledger/fields.h: the grammar of stored records: tagged fields in increasing order, what is 0 or empty left out.
//   record  := kind:u8 version:u8 field* crc32c:u32be          (crc over everything before it)
//   field   := tag:u8 length:varint value[length]              (tags strictly increasing)
//   value   := varint | u8 bool | i64be time | octets | field* (a nested struct) | element* (a list)
//   element := length:varint field*
// One function Fields(archive, struct) describes a struct to the writer and to the reader alike, so they
// cannot differ. A reader refuses what it does not know: rewriting a record must never lose a field that a
// newer version put there.
// Threads: plain values.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "schemas/base/bytes.h"
#include "schemas/base/utc_time.h"
#include "schemas/ids/ids.h"

namespace registry::ledger {

void AppendVarint(std::string& out, std::uint64_t value);       // LEB128, shortest form
std::optional<std::uint64_t> TakeVarint(std::string_view& in);  // nullopt: cut short or not the shortest form
void AppendFixed64(std::string& out, std::uint64_t value);      // big-endian: keys sort as numbers
std::uint64_t Fixed64(std::string_view eight_octets);

// Lets Fields name its struct whether it is const (written) or not (read).
template <class T, class U>
concept Is = std::same_as<std::remove_const_t<T>, U>;

// Which octet an enumerator is stored as; specialised beside the record that holds it.
template <class E>
struct StoredEnum;

template <class E, std::uint64_t last>
struct FrozenEnum {  // numbered from 1 in its own header, where the numbers are frozen
  static std::uint64_t ToStored(E value) { return static_cast<std::uint64_t>(value); }
  static std::optional<E> FromStored(std::uint64_t stored) {
    if (stored < 1 || stored > last) return std::nullopt;
    return static_cast<E>(stored);
  }
};

// Enumerators that are free to move in their own header, because the wire spells them in words. The stored numbers are not.
template <class E, E... in_order>
struct NumberedFromOne {
  static std::uint64_t ToStored(E value) {
    std::uint64_t number = 0, found = 0;
    ((++number, found = value == in_order ? number : found), ...);
    return found;
  }
  static std::optional<E> FromStored(std::uint64_t stored) {
    std::uint64_t number = 0;
    std::optional<E> found;
    ((++number, found = stored == number ? std::optional<E>(in_order) : found), ...);
    return found;
  }
};
class FieldWriter {
 public:
  explicit FieldWriter(std::string& out) : out_(out) {}

  template <class T>
  void operator()(std::uint8_t tag, const T& value) {
    if (IsDefault(value)) return;
    out_ += static_cast<char>(tag);
    AppendSized(out_, value);
  }

 private:
  // The length stands before what is written first; most need one octet for it.
  template <class T>
  static void AppendSized(std::string& out, const T& value) {
    const std::size_t at = out.size();
    out += '\0';
    Append(out, value);
    const std::size_t size = out.size() - at - 1;
    if (size < 0x80) {
      out[at] = static_cast<char>(size);
      return;
    }
    std::string length;
    AppendVarint(length, size);
    out.replace(at, 1, length);
  }
  static bool IsDefault(const UtcTime& value) { return value.micros == 0; }
  template <class T>
  static bool IsDefault(const T& value) {
    if constexpr (std::is_integral_v<T>) {
      return value == 0;
    } else if constexpr (requires { value.has_value(); }) {
      return !value.has_value();
    } else if constexpr (requires { value.empty(); }) {
      return value.empty();
    } else {
      return false;
    }
  }

  static void Append(std::string& out, const UtcTime& value) {
    AppendFixed64(out, static_cast<std::uint64_t>(value.micros));
  }
  static void Append(std::string& out, const std::string& value) { out += value; }
  static void Append(std::string& out, const Bytes& value) { out += AsText(value); }
  static void Append(std::string& out, const DeviceId& id) {
    out.append(reinterpret_cast<const char*>(id.octets().data()), id.octets().size());
  }
  template <class Tag>
  static void Append(std::string& out, const TextId<Tag>& id) {
    out += id.text();
  }
  template <class T>
  static void Append(std::string& out, const std::optional<T>& value) {
    Append(out, *value);
  }
  template <class E>
  static void Append(std::string& out, const std::set<E>& values) {
    for (const E& value : values) Append(out, value);
  }
  template <class T>
  static void Append(std::string& out, const std::vector<T>& values) {
    for (const T& value : values) AppendSized(out, value);
  }
  template <class T>
  static void Append(std::string& out, const T& value) {
    if constexpr (std::is_integral_v<T>) {
      static_assert(std::is_unsigned_v<T>);
      AppendVarint(out, value);
    } else if constexpr (std::is_enum_v<T>) {
      AppendVarint(out, StoredEnum<T>::ToStored(value));
    } else {
      FieldWriter nested(out);
      Fields(nested, value);
    }
  }

  std::string& out_;
};

class FieldReader {
 public:
  explicit FieldReader(std::string_view in) : in_(in) {}

  template <class T>
  void operator()(std::uint8_t tag, T& value) {
    if (!sound_) return;
    if (in_.empty() || static_cast<std::uint8_t>(in_[0]) != tag) return Clear(value);
    in_.remove_prefix(1);
    const auto length = TakeVarint(in_);
    sound_ = length && *length <= in_.size();
    if (!sound_) return;
    sound_ = Read(in_.substr(0, *length), value);
    in_.remove_prefix(*length);
  }
  // Everything was known and well formed.
  bool Finished() const { return sound_ && in_.empty(); }
  bool sound() const { return sound_; }

 private:
  // What the writer left out was 0 or empty, whatever the struct begins with. Enumerators, identifiers and nested
  // structs are never left out; one that is missing was added later and keeps what its struct says.
  template <class T>
  static void Clear(T& value) {
    if constexpr (!std::is_enum_v<T> && (
                                            std::is_integral_v<T> || std::same_as<T, UtcTime> ||
                                            requires { value.has_value(); } || requires { value.empty(); }))
      value = T{};
  }

  template <std::unsigned_integral T>
  static bool Read(std::string_view in, T& value) {
    const auto number = TakeVarint(in);
    if (!number || !in.empty() || !std::in_range<T>(*number)) return false;
    value = static_cast<T>(*number);
    return true;
  }
  static bool Read(std::string_view in, bool& value) {
    value = true;  // false is the default and left out
    return in == std::string_view("\x01", 1);
  }
  static bool Read(std::string_view in, UtcTime& value) {
    if (in.size() != 8) return false;
    value.micros = static_cast<std::int64_t>(Fixed64(in));
    return true;
  }
  static bool Read(std::string_view in, std::string& value) {
    value = in;
    return true;
  }
  static bool Read(std::string_view in, Bytes& value) {
    value.assign(in.begin(), in.end());
    return true;
  }
  static bool Read(std::string_view in, DeviceId& value);
  template <class Tag>
  static bool Read(std::string_view in, TextId<Tag>& value) {
    if (in.empty()) return Clear(value), true;  // as an identifier that was never set is written
    auto id = TextId<Tag>::Parse(in);
    if (id) value = std::move(*id);
    return id.has_value();
  }
  template <class T>
  static bool Read(std::string_view in, std::optional<T>& value) {
    return Read(in, value.emplace());
  }
  template <class E>
  static bool Read(std::string_view in, std::set<E>& values) {
    while (!in.empty()) {
      E value{};
      if (!Read(in.substr(0, 1), value)) return false;
      values.insert(value);
      in.remove_prefix(1);
    }
    return true;
  }
  template <class T>
  static bool Read(std::string_view in, std::vector<T>& values) {
    while (!in.empty()) {
      const auto length = TakeVarint(in);
      if (!length || *length > in.size()) return false;
      if (!Read(in.substr(0, *length), values.emplace_back())) return false;
      in.remove_prefix(*length);
    }
    return true;
  }
  template <class T>
  static bool Read(std::string_view in, T& value) {
    if constexpr (std::is_enum_v<T>) {
      std::uint64_t stored = 0;
      if (!Read(in, stored)) return false;
      const auto known = StoredEnum<T>::FromStored(stored);
      if (known) value = *known;
      return known.has_value();
    } else {
      FieldReader nested(in);
      Fields(nested, value);
      return nested.Finished();
    }
  }

  std::string_view in_;
  bool sound_ = true;
};

}  // namespace registry::ledger
