#include "simulators/ota/keys.h"

namespace registry::sim::ota {
namespace {

Error Malformed(const std::string& member) {
  return Error::Make(Code::kValueSyntax, "config_malformed", "the ota keys of a card: " + member);
}

bool IsAesKey(const Bytes& key) { return key.size() == 16 || key.size() == 24 || key.size() == 32; }

}  // namespace

Result<KeySet> ReadKeys(const nlohmann::json& keys) {
  if (!keys.is_object()) return Malformed("no object");
  KeySet read;
  const auto version = keys.find("version");
  if (version != keys.end()) {
    if (!version->is_number_integer() || *version < 1 || *version > 15) return Malformed("version");
    read.version = version->get<std::uint8_t>();
  }
  const auto octets = keys.find("checksum_octets");
  if (octets != keys.end()) {
    if (*octets != 8 && *octets != 4) return Malformed("checksum_octets");
    read.checksum_octets = octets->get<std::size_t>();
  }
  const std::pair<const char*, Bytes*> members[] = {
      {"kic", &read.kic}, {"kid", &read.kid}, {"kik", &read.kik}, {"psk", &read.psk}};
  for (const auto& [name, into] : members) {
    const auto text = keys.find(name);
    if (text == keys.end() || !text->is_string()) return Malformed(name);
    auto key = FromHex(text->get_ref<const std::string&>());
    if (!key || !IsAesKey(*key)) return Malformed(name);
    *into = std::move(*key);
  }
  return read;
}

}  // namespace registry::sim::ota
