// Attacked: the splitting of a batch into its envelopes.
// A fault: a crash; an array of values that comes apart otherwise than nlohmann's parser reads it, or not at all.
#include <nlohmann/json.hpp>

#include "schemas/base/check.h"
#include "schemas/wire/batch.h"
#include "schemas/wire/strict_json.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace registry::wire;
  using nlohmann::json;
  const auto text = registry::fuzz::AsText(data, size);
  const auto items = SplitBatch(text);
  REG_CHECK(items.ok() || !items.error().symbol.empty());
  // The parser skips the mark and stops at U+0000 (strict_json.cc).
  if (text.starts_with(kByteOrderMark) || text.find('\0') != text.npos) return 0;
  const auto whole = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!whole.is_array() || whole.empty() || whole.size() > kBatchItemsMax) return 0;
  REG_CHECK(items.ok() && items->size() == whole.size());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    REG_CHECK(json::parse((*items)[i], nullptr, /*allow_exceptions=*/false) == whole[i]);
  }
  return 0;
}
