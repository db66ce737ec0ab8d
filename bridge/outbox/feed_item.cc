#include "bridge/outbox/relay.h"
#include "workers/domain/compose.h"

namespace registry::outbox {

// The same words feed.replay uses: design §3 wants a replay to be the same bytes.
Publisher::Message RenderFeedItem(const ledger::FeedItem& item) {
  domain::OutgoingMessage message = domain::Render(item.notification, item.seq);
  return {std::move(message.topic), std::move(message.payload), {}};
}

}  // namespace registry::outbox
