#include "bridge/outbox/parcels.h"

#include <algorithm>

#include "schemas/base/check.h"
#include "schemas/wire/batch.h"
#include "schemas/wire/topics.h"

namespace registry::outbox {
namespace {

// "registry/v1/to/{party}/"; everything when the topic has fewer levels.
std::string_view SpaceOf(std::string_view topic) {
  std::size_t end = 0;
  for (int level = 0; level < 4; ++level) {
    const std::size_t slash = topic.find('/', end);
    if (slash == std::string_view::npos) return topic;
    end = slash + 1;
  }
  return topic.substr(0, end);
}

// Whether the envelope's type says the same as the topic: "do/key.generate" is registry.v1.do.key.generate. An envelope
// is written with its members sorted, so the type stands at the end.
bool FollowsFromType(std::string_view below_party, std::string_view envelope) {
  std::string type(below_party);
  std::replace(type.begin(), type.end(), '/', '.');
  const std::string ending = "\"type\":\"" + wire::CommandType(type) + "\"}";
  return envelope.ends_with(ending);
}

// A batch that still grows, in its place among the parcels.
struct Open {
  std::size_t parcel = 0;
  wire::BatchWriter items;
};

void Close(Parcel& parcel, Open& open, const std::string& topic) {
  if (parcel.entries.size() == 1) return;
  parcel.message = {topic, std::move(open.items).Take(), "", true};
}

}  // namespace

Publisher::Message Render(ledger::OutboxEntry& entry) {
  if (const auto* item = std::get_if<ledger::FeedItem>(&entry.item)) return RenderFeedItem(*item);
  auto* message = std::get_if<domain::OutgoingMessage>(&entry.item);
  REG_CHECK(message != nullptr);  // the ledger sorts entries by sink
  return {std::move(message->topic), std::move(message->payload), std::move(message->correlation_data)};
}

Parcels::Parcels(const std::set<PartyId>& takes_batches) {
  for (const PartyId& party : takes_batches) topics_[wire::OwnSpaceOf(party)] = wire::BatchTopic(party);
}

std::vector<Parcel> Parcels::Pack(std::vector<ledger::OutboxEntry> entries) const {
  std::vector<Parcel> parcels;
  std::map<std::string_view, Open> open;  // by the batch's topic
  for (ledger::OutboxEntry& entry : entries) {
    Publisher::Message message = Render(entry);
    const std::string_view space = SpaceOf(message.topic);
    const auto topic = topics_.find(space);
    const bool batcher = topic != topics_.end();
    const bool joins = batcher && message.correlation_data.empty() &&
                       FollowsFromType(std::string_view(message.topic).substr(space.size()), message.payload);
    if (batcher) {
      const auto growing = open.find(topic->second);
      const bool room = growing != open.end() && joins &&
                        parcels[growing->second.parcel].entries.size() < kItemsMax &&
                        growing->second.items.octets_with(message.payload) <= kOctetsMax;
      if (room) {
        growing->second.items.Add(message.payload);
        parcels[growing->second.parcel].entries.push_back(entry.seq);
        continue;
      }
      if (growing != open.end()) {
        Close(parcels[growing->second.parcel], growing->second, topic->second);
        open.erase(growing);
      }
    }
    if (joins) {
      Open& begun = open[topic->second];
      begun.parcel = parcels.size();
      begun.items.Add(message.payload);
    }
    parcels.push_back({std::move(message), {entry.seq}, joins});
  }
  for (auto& [topic, growing] : open) Close(parcels[growing.parcel], growing, std::string(topic));
  return parcels;
}

}  // namespace registry::outbox
