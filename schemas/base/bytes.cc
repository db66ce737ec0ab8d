#include "schemas/base/bytes.h"

#include <array>

namespace registry {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64Alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr std::array<int, 256> MakeBase64Values() {
  std::array<int, 256> values{};
  for (int& value : values) value = -1;
  for (std::size_t i = 0; i < kBase64Alphabet.size(); ++i) {
    values[static_cast<unsigned char>(kBase64Alphabet[i])] = static_cast<int>(i);
  }
  return values;
}
constexpr std::array<int, 256> kBase64Values = MakeBase64Values();

std::string Header(std::string_view word, std::string_view label) {
  std::string line = "-----";
  line.append(word).append(" ").append(label).append("-----");
  return line;
}

}  // namespace

std::string ToHex(const Bytes& bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (std::uint8_t byte : bytes) {
    text.push_back(kHexDigits[byte >> 4]);
    text.push_back(kHexDigits[byte & 0x0f]);
  }
  return text;
}

std::optional<Bytes> FromHex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  Bytes bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = HexValue(text[i]);
    const int low = HexValue(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<std::uint8_t>(high << 4 | low));
  }
  return bytes;
}

// The room is there from the start, filled with what stands behind a cut group.
std::string ToBase64(const Bytes& bytes) {
  std::string text((bytes.size() + 2) / 3 * 4, '=');
  const auto octet = [&bytes](std::size_t i) {
    return i < bytes.size() ? static_cast<std::uint32_t>(bytes[i]) : 0;
  };
  char* out = text.data();
  for (std::size_t i = 0; i < bytes.size(); i += 3, out += 4) {
    const std::uint32_t group = octet(i) << 16 | octet(i + 1) << 8 | octet(i + 2);
    out[0] = kBase64Alphabet[group >> 18 & 63];
    out[1] = kBase64Alphabet[group >> 12 & 63];
    if (i + 1 < bytes.size()) out[2] = kBase64Alphabet[group >> 6 & 63];
    if (i + 2 < bytes.size()) out[3] = kBase64Alphabet[group & 63];
  }
  return text;
}

std::optional<Bytes> FromBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  Bytes bytes(text.size() / 4 * 3);
  const auto value = [&](std::size_t i) {
    return i < text.size() - padding ? kBase64Values[static_cast<unsigned char>(text[i])] : 0;
  };
  std::uint8_t* out = bytes.data();
  for (std::size_t i = 0; i < text.size(); i += 4, out += 3) {
    const int group = value(i) << 18 | value(i + 1) << 12 | value(i + 2) << 6 | value(i + 3);
    if (group < 0) return std::nullopt;  // one of them is no character of the alphabet
    out[0] = static_cast<std::uint8_t>(group >> 16);
    out[1] = static_cast<std::uint8_t>(group >> 8);
    out[2] = static_cast<std::uint8_t>(group);
  }
  // RFC 4648 §3.5: the unused bits of the last quantum must be zero, else two texts mean the same octets.
  for (std::size_t i = 0; i < padding; ++i) {
    if (bytes.back() != 0) return std::nullopt;
    bytes.pop_back();
  }
  return bytes;
}

std::string ToPem(std::string_view label, const Bytes& der) {
  const std::string body = ToBase64(der);
  std::string pem = Header("BEGIN", label) + "\n";
  for (std::size_t i = 0; i < body.size(); i += 64) pem.append(body, i, 64).append("\n");
  return pem + Header("END", label) + "\n";
}

namespace {

// RFC 7468 §3: inside a line it is text, and others read past it. They would find another object in the same octets, or
// none.
std::size_t FindAtLineStart(std::string_view text, std::string_view boundary) {
  for (std::size_t at = text.find(boundary); at != text.npos; at = text.find(boundary, at + 1)) {
    if (at == 0 || text[at - 1] == '\n' || text[at - 1] == '\r') return at;
  }
  return text.npos;
}

}  // namespace

std::optional<Bytes> FromPem(std::string_view label, std::string_view pem) {
  const std::string begin = Header("BEGIN", label);
  const std::string end = Header("END", label);
  const std::size_t start = FindAtLineStart(pem, begin);
  if (start == std::string_view::npos) return std::nullopt;
  const std::size_t stop = pem.find(end, start);
  if (stop == std::string_view::npos) return std::nullopt;
  std::string body;
  body.reserve(stop - start);
  std::size_t kept = 0;  // of body, up to the last character that is no blank
  for (char c : pem.substr(start + begin.size(), stop - start - begin.size())) {
    const bool line_ends = c == '\n' || c == '\r';
    if (line_ends) body.resize(kept);
    if (!line_ends) body.push_back(c);
    if (!line_ends && c != ' ' && c != '\t') kept = body.size();
  }
  return FromBase64(body);
}

}  // namespace registry
