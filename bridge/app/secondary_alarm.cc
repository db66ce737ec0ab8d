#include "bridge/app/secondary_alarm.h"

#include "bridge/ingest/pipeline.h"
#include "bridge/ledger/sound.h"
#include "workers/domain/compose.h"

namespace registry::app {
namespace {

constexpr std::size_t kNameMax = 200;  // as the messages have it

// Not in the middle of a character (RFC 3629 §3).
std::string Cut(const std::string& name) {
  if (name.size() <= kNameMax) return name;
  std::size_t end = kNameMax;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xc0) == 0x80) --end;
  return name.substr(0, end);
}

}  // namespace

void SecondaryAlarm::Set(const std::map<PartyId, wire::Role>& parties) {
  const MutexLock lock(mutex_);
  operators_.clear();
  for (const auto& [party, role] : parties) {
    if (role == wire::Role::kOperator) operators_.insert(party);
  }
}

bool SecondaryAlarm::Tell(const zone::SecondaryNews& news) {
  const domain::Context context{clock_.Now(), ingest::FillFromOpenSsl};
  const UtcTime since = context.now - news.lasted;
  const std::string name = Cut(news.secondary);
  domain::Changeset changes;
  {
    const MutexLock lock(mutex_);
    for (const PartyId& party : operators_) {
      changes.notifications.push_back(
          news.left_behind ? domain::Notify(party, wire::SecondaryLagged{name, since}, context)
                           : domain::Notify(party, wire::SecondaryRecovered{name, since}, context));
    }
  }
  return changes.notifications.empty() || ledger::CommitSound(ledger_, std::move(changes)).ok();
}

}  // namespace registry::app
