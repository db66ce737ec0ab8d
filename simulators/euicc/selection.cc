// Which object a command means: GSMA IoT.05 lets it say the id or the label, one of them.
#include <algorithm>

#include "simulators/euicc/applet.h"
#include "simulators/euicc/tags.h"

namespace registry::sim {

template <class Object>
Applet::Named<Object> Applet::Find(Objects<Object>& objects, const Tlvs& tlvs, std::uint8_t id_tag,
                                   std::uint8_t label_tag) {
  const Bytes* id = FindTlv(tlvs, id_tag);
  const Bytes* label = FindTlv(tlvs, label_tag);
  if ((id == nullptr) == (label == nullptr)) return {StatusWord::kBadData};
  const auto found =
      id != nullptr ? objects.find(*id)
                    : std::find_if(objects.begin(), objects.end(), [&](const auto& entry) {
                        return !entry.second.head.label.empty() && entry.second.head.label == AsText(*label);
                      });
  if (found == objects.end()) return {StatusWord::kNotFound};
  return {StatusWord::kOk, &found->first, &found->second};
}

Applet::Named<KeySlot> Applet::PrivateKey(const Tlvs& tlvs) {
  Named<KeySlot> found = Find(memory_.keys, tlvs, kPrivateKeyId, kPrivateKeyLabel);
  if (found.object != nullptr && found.object->foreign) return {StatusWord::kNotFound};
  return found;
}

Applet::Named<KeySlot> Applet::PublicKey(const Tlvs& tlvs) {
  return Find(memory_.keys, tlvs, kPublicKeyId, kPublicKeyLabel);
}

Applet::Named<Secret> Applet::SecretOf(const Tlvs& tlvs) {
  return Find(memory_.secrets, tlvs, kSecretId, kSecretLabel);
}

Applet::Named<File> Applet::FileOf(const Tlvs& tlvs) {
  return Find(memory_.files, tlvs, kFileId, kFileLabel);
}

}  // namespace registry::sim
