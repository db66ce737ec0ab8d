#include "bridge/zone/nsec3.h"

#include <algorithm>

#include "schemas/base/check.h"

namespace registry::zone {
namespace {

constexpr std::string_view kAlphabet = "0123456789abcdefghijklmnopqrstuv";  // RFC 4648 §7, in lower case
constexpr std::uint8_t kLabelSize = 32;

}  // namespace

Nsec3Hasher::Nsec3Hasher(Name zone)
    : zone_(std::move(zone)), context_(EVP_MD_CTX_new()), sha1_(EVP_MD_fetch(nullptr, "SHA1", nullptr)) {
  REG_CHECK(context_ && sha1_);
}

Hash Nsec3Hasher::Of(View prefix) {
  Hash hash;
  REG_CHECK(EVP_DigestInit_ex2(context_.get(), sha1_.get(), nullptr) == 1 &&
            EVP_DigestUpdate(context_.get(), prefix.data(), prefix.size()) == 1 &&
            EVP_DigestUpdate(context_.get(), zone_.data(), zone_.size()) == 1 &&
            EVP_DigestFinal_ex(context_.get(), hash.data(), nullptr) == 1);
  return hash;
}

Bytes Nsec3Prefix(const Hash& hash) {
  Bytes label{kLabelSize};
  label.reserve(1 + kLabelSize);
  std::uint32_t bits = 0;
  int held = 0;
  for (std::uint8_t octet : hash) {
    bits = bits << 8 | octet;
    for (held += 8; held >= 5; held -= 5) {
      label.push_back(static_cast<std::uint8_t>(kAlphabet[bits >> (held - 5) & 31]));
    }
  }
  return label;
}

// Without padding: 32 digits of 5 bits are the 160 of SHA-1.
std::optional<Hash> HashAt(View prefix) {
  if (prefix.size() != 1u + kLabelSize || prefix[0] != kLabelSize) return std::nullopt;
  Hash hash;
  std::uint32_t bits = 0;
  std::size_t held = 0, at = 0;
  for (std::uint8_t digit : prefix.subspan(1)) {
    const bool number = digit >= '0' && digit <= '9';
    if (!number && (digit < 'a' || digit > 'v')) return std::nullopt;
    bits = bits << 5 | static_cast<std::uint32_t>(number ? digit - '0' : digit - 'a' + 10);
    held += 5;
    if (held < 8) continue;
    held -= 8;
    hash[at++] = static_cast<std::uint8_t>(bits >> held);
  }
  return hash;
}

Bytes TypeBitmap(std::vector<std::uint16_t> types) {
  std::sort(types.begin(), types.end());
  Bytes bitmap;
  for (std::size_t i = 0; i < types.size();) {
    const int window = types[i] >> 8;
    Bytes bits;
    for (; i < types.size() && types[i] >> 8 == window; ++i) {
      const std::size_t octet = (types[i] & 0xff) / 8u;
      bits.resize(octet + 1);
      bits[octet] = static_cast<std::uint8_t>(bits[octet] | 0x80 >> types[i] % 8);
    }
    bitmap.push_back(static_cast<std::uint8_t>(window));
    bitmap.push_back(static_cast<std::uint8_t>(bits.size()));
    Put(bitmap, bits);
  }
  return bitmap;
}

Bytes Nsec3Rdata(const Hash& next, const Bytes& bitmap) {
  Bytes rdata = Nsec3ParamRdata();
  rdata.push_back(static_cast<std::uint8_t>(next.size()));
  Put(rdata, next);
  Put(rdata, bitmap);
  return rdata;
}

// RFC 5155 §4.2: algorithm SHA-1, flags 0, iterations 0, salt of no octets.
Bytes Nsec3ParamRdata() { return {1, 0, 0, 0, 0}; }

}  // namespace registry::zone
