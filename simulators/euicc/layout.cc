#include "simulators/euicc/layout.h"

#include <openssl/rand.h>

namespace registry::sim {
namespace {

constexpr std::uint8_t kPair = kMaySign | kMayGenerate | kMayAgree;
constexpr std::uint8_t kGeneralFile = 0x01, kCertificateFile = 0x02;

const AppletName& Gsma() {
  static const AppletName name{Bytes(kGsmaAid.begin(), kGsmaAid.end()), false};
  return name;
}

const std::vector<CardLayout>& Layouts() {
  static const std::vector<CardLayout> layouts = {
      {"registry",
       {Gsma()},
       {{{kSigningKey}, "", kPair},
        {{kOtherSigningKey}, "", kPair},
        {{kAgreementKey}, "", kMayAgree, false, false, true},
        {{kPeerKey}, "", kMayAgree, true}},
       {},
       {},
       {}},
      {"field",
       {Gsma(),
        {*FromHex("A00000003053F12401770101495341"), false},     // Thales
        {*FromHex("A0000002480400"), true},                      // CIRA's pilot
        {*FromHex("A0000001157000000000000049534102"), false}},  // NTT
       {{{kSigningKey}, "client key", kPair},
        {{kOtherSigningKey}, "other client key", kPair},
        {{0x04}, "ephemeral key", kMayGenerate | kMayAgree, false, true},
        {{0x05}, "server key", kMaySign | kMayAgree, true, true},
        {{kAgreementKey}, "agreement key", kMayAgree, false, false, true},
        {{kPeerKey}, "peer key", kMayAgree, true}},
       {{{0x0d}, "psk", kMayDerive, kHmacSecret, 32}, {{0x0e}, "aes", kMaySign, kAesSecret, 16}},
       {{{0x02}, "client certificate", kCertificateFile},
        {{0x03}, "server certificate", kCertificateFile},
        {{0x06}, "root certificate", kCertificateFile},
        {{0x07}, "registry certificate", kCertificateFile},
        {{0x08}, "endpoint", kGeneralFile},
        {{0x09}, "endpoint signature", kGeneralFile},
        {{0x0a}, "server certificate signature", kGeneralFile}},
       {.select_opens_channel = true, .empty_is_volatile = true}},
  };
  return layouts;
}

Bytes RandomOctets(std::size_t size) {
  Bytes octets(size);
  if (RAND_bytes(octets.data(), static_cast<int>(size)) != 1) octets.clear();
  return octets;
}

}  // namespace

const CardLayout& DefaultLayout() { return Layouts().front(); }

const CardLayout* FindLayout(std::string_view name) {
  const auto found = std::find_if(Layouts().begin(), Layouts().end(),
                                  [&](const CardLayout& layout) { return layout.name == name; });
  return found == Layouts().end() ? nullptr : &*found;
}

std::optional<CardMemory> LayOut(const CardLayout& layout) {
  CardMemory memory;
  for (const CardLayout::Key& key : layout.keys) {
    KeySlot& slot = memory.keys[key.id];
    slot.functions = key.functions;
    slot.foreign = key.foreign;
    slot.ephemeral = key.ephemeral;
    slot.head.label = key.label;
    if (key.made && !(slot.pair = P256Key::Generate())) return std::nullopt;
  }
  for (const CardLayout::SecretKey& key : layout.secrets) {
    Secret& secret = memory.secrets[key.id];
    secret.functions = key.functions;
    secret.type = key.type;
    secret.head.label = key.label;
    secret.value = RandomOctets(key.size);
    if (secret.value.empty()) return std::nullopt;
  }
  for (const CardLayout::FileKind& kind : layout.files) {
    File& file = memory.announced[kind.id];
    file.usage = kind.usage;
    file.head.label = kind.label;
    if (kind.content.empty()) continue;
    memory.files[kind.id] = file;
    memory.files[kind.id].content = kind.content;
  }
  return memory;
}

}  // namespace registry::sim
