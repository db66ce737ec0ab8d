// Attacked: the strict reading of JSON, and of the `data` of every command, reply, action, notification and document.
// A fault: a crash; JSON that is taken here and by nlohmann's parser not, or with another value; a message that was taken
// and does not come back the same from its own encoding.
#include "schemas/base/check.h"
#include "schemas/wire/codec.h"
#include "schemas/wire/envelope.h"
#include "schemas/wire/field_tables.h"
#include "schemas/wire/strict_json.h"
#include "tests/fuzz/input.h"

namespace registry::wire {
namespace {

// As every struct there is, with the stem of its schema.
void TryAll(const nlohmann::json& data) {
  for (const std::string& stem : TableStems()) {
    const auto encoded = Recode(stem, data);
    if (!encoded) continue;
    const auto again = Recode(stem, *encoded);
    REG_CHECK(again.ok());
    REG_CHECK(*again == *encoded);
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
  TryAll(*json);
  if (const auto error = DecodeError(*json)) REG_CHECK(DecodeError(EncodeError(*error)).has_value());
  return 0;
}
