#include "bridge/zone/nsec3.h"

#include <algorithm>

#include "schemas/base/check.h"

namespace registry::zone {

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
  static constexpr std::string_view kAlphabet = "0123456789abcdefghijklmnopqrstuv";
  Bytes label{32};
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
