#include "bridge/zone/keys.h"

#include <cstring>

#include "bridge/p256_pem.h"
#include "bridge/secret_file.h"

namespace registry::zone {
namespace {

Error KeyError(std::string_view symbol, std::string_view why, const std::string& file) {
  return Error::Make(Code::kFailed, symbol, std::string(why) + ": " + file);
}

// One INTEGER of an Ecdsa-Sig-Value into 32 octets, without its sign octet and with leading zeros.
bool CopyInteger(View der, std::size_t& at, std::uint8_t* out) {
  if (der.size() < at + 2 || der[at] != 0x02) return false;
  std::size_t size = der[at + 1];
  at += 2;
  if (der.size() < at + size || size == 0) return false;
  const std::size_t next = at + size;
  while (size > 32 && der[at] == 0) ++at, --size;
  if (size > 32) return false;
  std::memset(out, 0, 32 - size);
  std::memcpy(out + 32 - size, &der[at], size);
  at = next;
  return true;
}

ZoneKey KeyOf(const Bytes& point, std::uint16_t flags) {
  ZoneKey key;
  PutU16(key.dnskey, flags);
  key.dnskey.push_back(3);  // RFC 4034 §2.1.2: protocol
  key.dnskey.push_back(kAlgorithm);
  Put(key.dnskey, View(point).subspan(1));  // RFC 6605 §4: without its leading 0x04
  key.tag = KeyTag(key.dnskey);
  return key;
}

Result<ZoneKey> KeyFrom(const SecretRead& file, const std::string& path, std::uint16_t flags) {
  if (!file.ok()) {
    const bool exposed = file.trouble == SecretTrouble::kExposed || file.trouble == SecretTrouble::kOwner;
    return Error::Make(Code::kFailed, exposed ? "zone_key_exposed" : "zone_key_unreadable",
                       "the zone key " + file.why);
  }
  P256Pem pem = ReadP256Pem(file.secret);
  if (pem.trouble == P256Trouble::kNoKey)
    return KeyError("zone_key_unreadable", "not an unencrypted PEM private key", path);
  if (!pem.ok()) return KeyError("zone_key_unsuitable", "the zone key must be a P-256 key", path);
  ZoneKey key = KeyOf(pem.point, flags);
  key.source = keys::FileKey(std::move(pem.key), std::move(pem.point));
  return key;
}

Result<Name> ParseZone(const std::string& zone) {
  auto name = NameFromText(zone);
  if (!name) return Error::Make(Code::kFailed, "zone_name_invalid", "not a domain name: " + zone);
  return *name;
}

}  // namespace

std::uint16_t KeyTag(View rdata) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < rdata.size(); ++i)
    sum += i % 2 == 0 ? static_cast<std::uint32_t>(rdata[i]) << 8 : rdata[i];
  sum += sum >> 16 & 0xffff;
  return static_cast<std::uint16_t>(sum);
}

Result<ZoneKey> LoadZoneKey(const std::string& where, std::uint16_t flags) {
  if (!keys::IsKeyUri(where)) return KeyFrom(ReadSecret(where, kP256PemMax), where, flags);
  auto source = keys::OpenTokenKey(where);
  if (!source) return source.error();
  ZoneKey key = KeyOf((*source)->point(), flags);
  key.source = std::move(*source);
  return key;
}

Result<ZoneKey> PublicZoneKey(const std::string& where, std::uint16_t flags) {
  if (keys::IsKeyUri(where)) {
    const auto point = keys::TokenPoint(where);
    return point ? Result<ZoneKey>(KeyOf(*point, flags)) : point.error();
  }
  auto key = KeyFrom(ReadUnjudged(where, kP256PemMax), where, flags);
  if (key) key->source.reset();
  return key;
}

Result<std::string> DnskeyText(const std::string& zone, const std::string& key_file, std::uint16_t flags) {
  auto name = ParseZone(zone);
  if (!name) return name.error();
  auto key = PublicZoneKey(key_file, flags);
  if (!key) return key.error();
  const Bytes point(key->dnskey.begin() + 4, key->dnskey.end());
  return NameToText(*name) + ". 3600 IN DNSKEY " + std::to_string(flags) + " 3 13 " + ToBase64(point);
}

Result<std::string> DsText(const std::string& zone, const std::string& ksk_file) {
  auto name = ParseZone(zone);
  if (!name) return name.error();
  auto key = PublicZoneKey(ksk_file, kKskFlags);
  if (!key) return key.error();
  Bytes hashed = *name;
  Put(hashed, key->dnskey);
  return NameToText(*name) + ". 3600 IN DS " + std::to_string(key->tag) + " 13 2 " + ToHex(Sha256(hashed));
}

KeySigner::KeySigner(const ZoneKey& key, std::shared_ptr<KeyPatience> patience)
    : key_(key.source),
      patience_(std::move(patience)),
      hash_(EVP_MD_CTX_new()),
      sha256_(EVP_MD_fetch(nullptr, "SHA256", nullptr)) {
  REG_CHECK(key_ && patience_ && hash_ && sha256_);
}

Signature KeySigner::Sign(View message) {
  std::array<std::uint8_t, 32> digest;
  REG_CHECK(EVP_DigestInit_ex2(hash_.get(), sha256_.get(), nullptr) == 1 &&
            EVP_DigestUpdate(hash_.get(), message.data(), message.size()) == 1 &&
            EVP_DigestFinal_ex(hash_.get(), digest.data(), nullptr) == 1);
  auto der = key_->Sign(digest);
  const auto since = KeyPatience::Steady::now();
  while (!der && patience_->Wait(der.error(), since)) der = key_->Sign(digest);
  Signature signature{};
  if (!der) {
    patience_->Miss();
    return signature;
  }
  std::size_t at = 2;  // a P-256 SEQUENCE is shorter than 128 octets: one length octet
  const View view(*der);
  REG_CHECK(CopyInteger(view, at, signature.data()) && CopyInteger(view, at, signature.data() + 32));
  return signature;
}

Bytes Sha256(View octets) {
  Bytes digest(32);
  REG_CHECK(EVP_Digest(octets.data(), octets.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1);
  return digest;
}

}  // namespace registry::zone
