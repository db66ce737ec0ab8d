// Attacked: the strict reading of JSON, and of the `data` of every command, reply, action, notification and document.
// A fault: a crash; JSON that is taken here and by nlohmann's parser not, or with another value; a message that was taken
// and does not come back the same from its own encoding.
#include "schemas/base/check.h"
#include "schemas/wire/codec.h"
#include "schemas/wire/envelope.h"
#include "schemas/wire/strict_json.h"
#include "tests/fuzz/input.h"

namespace registry::wire {
namespace {

template <class Message>
void ComesBack(const Message& message) {
  const auto encoded = Encode(message);
  const auto again = Decode<Message>(encoded);
  REG_CHECK(again.ok());
  REG_CHECK(Encode(*again) == encoded);
}

template <class... Messages>
void TryAll(const nlohmann::json& data) {
  (
      [&] {
        if (const auto message = Decode<Messages>(data)) ComesBack(*message);
      }(),
      ...);
}

void TryCommands(const nlohmann::json& data) {
  for (const MessageName& name : Catalogue()) {
    if (name.kind != MessageName::Kind::kCommand) continue;
    const auto command = DecodeCommand(name.name, data);
    if (command) std::visit([](const auto& message) { ComesBack(message); }, *command);
  }
}

}  // namespace
}  // namespace registry::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace registry::wire;
  const auto text = registry::fuzz::AsText(data, size);
  const auto json = ParseStrict(text, {kMessageMax, kDepthMax, kValuesMax});
  if (!json) return 0;
  REG_CHECK(nlohmann::json::parse(text, nullptr, false) == *json);
  TryCommands(*json);
  TryAll<EsimRegistered, DeviceState, CertificateIssued, EndpointPublished, FeedStatus, JobNoted, KeyGenerate,
         PayloadPush, AppletWipe, DeviceCertified, DeviceActivated, DeviceDeactivated, DeviceReactivated,
         DeviceDeleted, DeviceFailed, RegistryPayload>(*json);
  if (const auto error = DecodeError(*json)) REG_CHECK(DecodeError(EncodeError(*error)).has_value());
  return 0;
}
