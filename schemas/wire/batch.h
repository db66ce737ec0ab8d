// schemas/wire/batch.h: many envelopes in one message, a JSON array of them (CloudEvents JSON format 1.0.1 §4, "JSON Batch
// Format"). The MQTT binding knows no batches; here they have a topic of their own, whose last level is kBatchCommand.
// Splitting finds where the items begin and end and reads none of them. Each is then read as if it had come alone, and
// what is wrong inside one is the error of that one.
// Pure, any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schemas/base/result.h"
#include "schemas/ids/ids.h"

namespace registry::wire {

inline constexpr std::string_view kBatchCommand = "batch";
inline constexpr std::string_view kBatchContentType = "application/cloudevents-batch+json";
inline constexpr std::size_t kBatchItemsMax = 1000;
inline constexpr std::size_t kBatchOctetsMax = std::size_t{1} << 20;

// The octets of 1 to kBatchItemsMax items, in their order. They point into the payload.
// Errors: batch_too_large, byte_order_mark, not_an_array, batch_empty, batch_too_long; bad_json when brackets, strings or
// commas do not come out.
Result<std::vector<std::string_view>> SplitBatch(std::string_view payload);

// Where batches of what is said to a party go: registry/v1/to/{party}/batch.
std::string BatchTopic(const PartyId& party);

// Items joined in the order they are added.
class BatchWriter {
 public:
  void Add(std::string_view item);
  std::size_t octets_with(std::string_view item) const { return text_.size() + item.size() + 2; }
  std::string Take() &&;

 private:
  std::string text_;
};

}  // namespace registry::wire
