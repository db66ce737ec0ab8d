// schemas/base/ascii.h: classes of ASCII characters, whatever the locale: what texts on wires and in files are judged by.
// Stateless; any thread.
#pragma once

namespace registry {

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool IsVisible(char c) { return c >= 0x21 && c <= 0x7e; }
constexpr bool IsLowerHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f'); }
constexpr bool IsHex(char c) { return IsLowerHex(c) || (c >= 'A' && c <= 'F'); }

}  // namespace registry
