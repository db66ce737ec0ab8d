#include "bridge/ingest/batch.h"

#include <algorithm>

#include "schemas/base/check.h"
#include "schemas/wire/batch.h"

namespace registry::ingest {
namespace {

constexpr std::size_t kSmallCommand = 256;  // octets, envelope included

}  // namespace

bool IsBatch(const InboundMessage& message) {
  const auto topic = wire::ParseCommandTopic(message.topic);
  return topic && topic->command == wire::kBatchCommand;
}

std::size_t MessagesOf(const InboundMessage& message) {
  if (!IsBatch(message)) return 1;
  return std::clamp<std::size_t>(message.payload.size() / kSmallCommand, 1, wire::kBatchItemsMax);
}

Batch TakeApart(const InboundMessage& message) {
  auto head = ParseUnread(message);
  REG_CHECK(head.ok());  // a batch's topic names its sender
  Batch batch{std::move(*head), {}};
  if (batch.head.refusal) return batch;
  const auto items = wire::SplitBatch(message.payload);
  if (!items) {
    batch.head.refusal = items.error();
    return batch;
  }
  batch.items.reserve(items->size());
  for (const std::string_view item : *items) {
    batch.items.push_back(
        {message.topic, std::string(item), message.response_topic, message.correlation_data, message.mode});
  }
  return batch;
}

}  // namespace registry::ingest
