// schemas/base/bytes.h: octet strings and their text forms.
// Decoders are strict: no white space, no missing padding, no odd lengths; nullopt says so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace registry {

using Bytes = std::vector<std::uint8_t>;

inline std::string_view AsText(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes AsBytes(std::string_view text) { return Bytes(text.begin(), text.end()); }

std::string ToHex(const Bytes& bytes);                // lower case
std::optional<Bytes> FromHex(std::string_view text);  // either case
std::string ToBase64(const Bytes& bytes);             // RFC 4648 §4, padded, one line
std::optional<Bytes> FromBase64(std::string_view text);

// RFC 7468 text encoding with exactly one label, e.g. "CERTIFICATE". Blanks and tabs at the end of a line are no part of it.
std::string ToPem(std::string_view label, const Bytes& der);
std::optional<Bytes> FromPem(std::string_view label, std::string_view pem);

}  // namespace registry
