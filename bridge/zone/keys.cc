#include "bridge/zone/keys.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "bridge/secret_file.h"
#include "schemas/base/check.h"

namespace registry::zone {
namespace {

Error KeyError(std::string_view symbol, std::string_view why, const std::string& file) {
  return Error::Make(Code::kFailed, symbol, std::string(why) + ": " + file);
}

// One INTEGER of an Ecdsa-Sig-Value into `width` octets, without its sign octet and with leading zeros.
bool CopyInteger(View der, std::size_t& at, std::uint8_t* out, std::size_t width) {
  if (der.size() < at + 2 || der[at] != 0x02) return false;
  std::size_t size = der[at + 1];
  at += 2;
  if (der.size() < at + size || size == 0) return false;
  const std::size_t next = at + size;
  while (size > width && der[at] == 0) ++at, --size;
  if (size > width) return false;
  std::memset(out, 0, width - size);
  std::memcpy(out + width - size, &der[at], size);
  at = next;
  return true;
}

// RFC 6605 §4. A SEQUENCE of two such integers is shorter than 128 octets on both curves: one length octet.
void PutPair(View der, Bytes& signature) {
  const std::size_t width = signature.size() / 2;
  std::size_t at = 2;
  REG_CHECK(CopyInteger(der, at, signature.data(), width) &&
            CopyInteger(der, at, signature.data() + width, width));
}

ZoneKey PublicOf(PemKey type, View point, std::uint16_t flags) {
  const auto* const algorithm = std::ranges::find(kAlgorithms, type, &Algorithm::key);
  ZoneKey key;
  PutU16(key.dnskey, flags);
  key.dnskey.push_back(3);  // RFC 4034 §2.1.2: protocol
  key.dnskey.push_back(algorithm->number);
  Put(key.dnskey, point.last(algorithm->key_size));  // RFC 6605 §4: a point without its leading 0x04
  key.tag = KeyTag(key.dnskey);
  return key;
}

Result<ZoneKey> KeyFrom(const SecretRead& file, const std::string& path, std::uint16_t flags) {
  if (!file.ok()) {
    const bool exposed = file.trouble == SecretTrouble::kExposed || file.trouble == SecretTrouble::kOwner;
    return Error::Make(Code::kFailed, exposed ? "zone_key_exposed" : "zone_key_unreadable",
                       "the zone key " + file.why);
  }
  KeyPem pem = ReadKeyPem(file.secret);
  if (pem.trouble == PemTrouble::kNoKey)
    return KeyError("zone_key_unreadable", "not an unencrypted PEM private key", path);
  if (!pem.ok())
    return KeyError("zone_key_unsuitable", "the zone key must be a P-256, P-384 or Ed25519 key", path);
  ZoneKey key = PublicOf(pem.type, pem.point, flags);
  if (pem.type == PemKey::kP256) {
    key.source = keys::FileKey(std::move(pem.key), std::move(pem.point));
  } else {
    key.in_memory = std::move(pem.key);
  }
  return key;
}

Result<ZoneKey> WithoutPrivatePart(Result<ZoneKey> key) {
  if (key) {
    key->source.reset();
    key->in_memory.reset();
  }
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
  if (!keys::IsKeyUri(where)) return KeyFrom(ReadSecret(where, kKeyPemMax), where, flags);
  auto source = keys::OpenTokenKey(where);
  if (!source) return source.error();
  ZoneKey key = PublicOf(PemKey::kP256, (*source)->point(), flags);
  key.source = std::move(*source);
  return key;
}

Result<ZoneKey> PublicZoneKey(const std::string& where, std::uint16_t flags) {
  if (keys::IsKeyUri(where)) {
    const auto point = keys::TokenPoint(where);
    return point ? Result<ZoneKey>(PublicOf(PemKey::kP256, *point, flags)) : point.error();
  }
  return WithoutPrivatePart(KeyFrom(ReadUnjudged(where, kKeyPemMax), where, flags));
}

Result<ZoneKey> PublicZoneKeyIn(const Secret& pem, const std::string& name, std::uint16_t flags) {
  SecretRead read;
  read.secret = pem;
  return WithoutPrivatePart(KeyFrom(read, name, flags));
}

Result<std::string> DnskeyText(const std::string& zone, const std::string& key_file, std::uint16_t flags) {
  auto name = ParseZone(zone);
  if (!name) return name.error();
  auto key = PublicZoneKey(key_file, flags);
  if (!key) return key.error();
  const Bytes point(key->dnskey.begin() + 4, key->dnskey.end());
  return NameToText(*name) + ". 3600 IN DNSKEY " + std::to_string(flags) + " 3 " +
         std::to_string(key->algorithm()) + " " + ToBase64(point);
}

Result<std::string> DsText(const std::string& zone, const std::string& ksk_file) {
  auto name = ParseZone(zone);
  if (!name) return name.error();
  auto key = PublicZoneKey(ksk_file, kKskFlags);
  if (!key) return key.error();
  Bytes hashed = *name;
  Put(hashed, key->dnskey);
  return NameToText(*name) + ". 3600 IN DS " + std::to_string(key->tag) + " " +
         std::to_string(key->algorithm()) + " 2 " + ToHex(Sha256(hashed));
}

KeySigner::KeySigner(const ZoneKey& key, std::shared_ptr<KeyPatience> patience)
    : key_(key.source),
      in_memory_(key.in_memory),
      algorithm_(key.algorithm()),
      patience_(std::move(patience)),
      hash_(EVP_MD_CTX_new()),
      sha256_(EVP_MD_fetch(nullptr, "SHA256", nullptr)) {
  REG_CHECK((key_ || in_memory_) && patience_ && hash_ && sha256_);
}

Bytes KeySigner::Sign(View message) { return in_memory_ ? SignInMemory(message) : SignByP256(message); }

Bytes KeySigner::SignByP256(View message) {
  std::array<std::uint8_t, 32> digest;
  REG_CHECK(EVP_DigestInit_ex2(hash_.get(), sha256_.get(), nullptr) == 1 &&
            EVP_DigestUpdate(hash_.get(), message.data(), message.size()) == 1 &&
            EVP_DigestFinal_ex(hash_.get(), digest.data(), nullptr) == 1);
  auto der = key_->Sign(digest);
  const auto since = KeyPatience::Steady::now();
  while (!der && patience_->Wait(der.error(), since)) der = key_->Sign(digest);
  Bytes signature(AlgorithmOf(algorithm_)->signature_size);
  if (der) {
    PutPair(*der, signature);
  } else {
    patience_->Miss();
  }
  return signature;
}

// RFC 8080 §4: Ed25519 signs the message itself. A key in memory is never away.
Bytes KeySigner::SignInMemory(View message) {
  constexpr std::size_t kDerMax = 104;  // of two integers of 49 octets
  const bool pair = algorithm_ == kEcdsaP384Sha384;
  Bytes signature(AlgorithmOf(algorithm_)->signature_size), der(pair ? kDerMax : signature.size());
  std::size_t size = der.size();
  REG_CHECK(EVP_MD_CTX_reset(hash_.get()) == 1 &&
            EVP_DigestSignInit(hash_.get(), nullptr, pair ? EVP_sha384() : nullptr, nullptr,
                               in_memory_.get()) == 1 &&
            EVP_DigestSign(hash_.get(), der.data(), &size, message.data(), message.size()) == 1);
  if (!pair) return der;
  PutPair(View(der).first(size), signature);
  return signature;
}

Bytes Sha256(View octets) {
  Bytes digest(32);
  REG_CHECK(EVP_Digest(octets.data(), octets.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1);
  return digest;
}

}  // namespace registry::zone
