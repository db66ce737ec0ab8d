#include "schemas/wire/batch.h"

#include "schemas/wire/json_scanner.h"
#include "schemas/wire/strict_json.h"
#include "schemas/wire/topics.h"

namespace registry::wire {
namespace {

Error NotAnArray() {
  return Error::Make(Code::kSyntax, "not_an_array",
                     "a batch is a JSON array of envelopes; a single envelope goes to its command's topic");
}

Error NoneWasRead() {
  return Error::Make(Code::kSyntax, "bad_json", "the batch is not JSON: none of its envelopes was read");
}

}  // namespace

Result<std::vector<std::string_view>> SplitBatch(std::string_view payload) {
  if (payload.size() > kBatchOctetsMax) {
    return Error::Make(Code::kRange, "batch_too_large",
                       "the batch has more than " + std::to_string(kBatchOctetsMax) + " octets");
  }
  if (payload.starts_with(kByteOrderMark)) {
    return Error::Make(Code::kSyntax, "byte_order_mark",
                       "the batch begins with a byte order mark; JSON is sent as UTF-8 without one");
  }
  JsonScanner scanner(payload);
  if (!scanner.Take('[')) return NotAnArray();
  if (scanner.Take(']')) {
    return scanner.AtEnd() ? Error::Make(Code::kRange, "batch_empty", "the batch holds no envelope")
                           : NoneWasRead();
  }
  std::vector<std::string_view> items;
  do {
    if (items.size() == kBatchItemsMax) {
      return Error::Make(Code::kRange, "batch_too_long",
                         "the batch has more than " + std::to_string(kBatchItemsMax) + " envelopes");
    }
    const auto item = scanner.Value();
    if (!item) return NoneWasRead();
    items.push_back(*item);
  } while (scanner.Take(','));
  if (!scanner.Take(']') || !scanner.AtEnd()) return NoneWasRead();
  return items;
}

std::string BatchTopic(const PartyId& party) { return OwnSpaceOf(party).append(kBatchCommand); }

void BatchWriter::Add(std::string_view item) { text_.append(text_.empty() ? "[" : ",").append(item); }

std::string BatchWriter::Take() && { return std::move(text_) + "]"; }

}  // namespace registry::wire
