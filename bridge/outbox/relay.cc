#include "bridge/outbox/relay.h"

#include <algorithm>
#include <atomic>

#include "bridge/outbox/on_the_way.h"
#include "bridge/outbox/parcels.h"
#include "bridge/outbox/patience.h"
#include "bridge/outbox/window.h"
#include "bridge/say_once.h"
#include "schemas/base/own_thread.h"

namespace registry::outbox {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kReadMax = 256;      // entries per read, a bound on memory
constexpr milliseconds kReadWait{100};     // how late a confirmation may move the cursor while nothing is new
constexpr ledger::Seq kCursorEvery = 256;  // entries between two moves of the stored cursor
constexpr milliseconds kCursorWithin{100};        // or this long after a confirmation
constexpr std::chrono::seconds kDurableEvery{5};  // what power loss may repeat
constexpr int kBackoffDoublings = 4;
constexpr std::size_t kOnTheWayPerParty =
    2;  // messages to parties that take batches: one is handled, one travels

// Of a batch that is refused nobody knows which entry is to blame: they leave one by one then (patience.h).
Publisher::Receipt OfEach(Publisher::Receipt of_batch) {
  using Fate = Publisher::Fate;
  if (of_batch.fate == Fate::kRefused || of_batch.fate == Fate::kImpossible) of_batch.fate = Fate::kCutOff;
  return of_batch;
}

}  // namespace

class MqttRelay::Impl {
 public:
  Impl(ledger::Ledger& ledger, Publisher& publisher, RelayOptions options)
      : ledger_(ledger),
        publisher_(publisher),
        options_(std::move(options)),
        parcels_(std::make_shared<const Parcels>(options_.takes_batches)) {
    // Without an answer everything still in the outbox is carried again, which receivers tell by its ids.
    const auto sink = ledger_.LoadSink(ledger::Sink::kMqtt);
    failed_at_ = stored_ = durable_ = sink ? sink->cursor : 0;
    window_ = std::make_shared<Window>(stored_);
  }

  void Start();
  void Stop();
  std::uint64_t Depth() const;
  void ChangeBatches(const std::set<PartyId>& takes_batches) {
    auto parcels = std::make_shared<const Parcels>(takes_batches);
    const MutexLock lock(parcels_mutex_);
    parcels_ = std::move(parcels);
  }
  MqttRelay::Batched batched() const { return {batches_, batched_entries_}; }

 private:
  void Run();
  std::shared_ptr<const Parcels> Now() const {
    const MutexLock lock(parcels_mutex_);
    return parcels_;
  }
  void CarrySome();
  void FillIn(std::vector<ledger::OutboxEntry>& entries) const;
  void SayUnreadable(const Error& why);
  void Carry(std::vector<Parcel> parcels);
  bool HandOver(Parcel& parcel);
  void Recover();
  bool Deal(const Window::Stuck& stuck);
  bool Bury(const Window::Stuck& stuck);
  void StoreCursor(bool last);
  void Pause(milliseconds time);

  ledger::Ledger& ledger_;
  Publisher& publisher_;
  const RelayOptions options_;
  mutable Mutex parcels_mutex_;
  std::shared_ptr<const Parcels> parcels_ GUARDED_BY(parcels_mutex_);
  std::shared_ptr<Window> window_;
  const std::shared_ptr<OnTheWay> on_the_way_ = std::make_shared<OnTheWay>();
  std::atomic<std::uint64_t> batches_{0}, batched_entries_{0};
  Mutex mutex_;
  CondVar wake_;
  int failures_ = 0;
  ledger::Seq failed_at_ = 0;
  Patience patience_;
  SayOnce unreadable_;  // about an entry that cannot be read
  ledger::Seq stored_ = 0, durable_ = 0;
  SteadyClock::time_point stored_at_, durable_at_;
  OwnThread thread_{mutex_, wake_};  // the rest is its own
};

void MqttRelay::Impl::Start() {
  stored_at_ = durable_at_ = SteadyClock::now();
  thread_.Start("relay", [this] { Run(); });
}

void MqttRelay::Impl::Pause(milliseconds time) {
  MutexLock lock(mutex_);
  thread_.Rest(lock, time);
}

// Entries leave in order, many at once, and are confirmed in any order; the cursor is what is confirmed without a gap. While
// all goes well this reads behind what was handed over last and hands over more. The first failure stops that: what is out
// there is waited for, then all behind the cursor is carried again (window.h says why not only the one that failed).
void MqttRelay::Impl::Run() {
  while (!thread_.stopping()) {
    if (window_->failed()) {
      Recover();
    } else {
      CarrySome();
    }
    StoreCursor(false);
  }
  window_->WaitUntilAnswered(SteadyClock::now() + options_.stop_deadline);
  StoreCursor(true);
}

// Each wait ends within kReadWait, for confirmations that come meanwhile have a cursor to move.
void MqttRelay::Impl::CarrySome() {
  const std::size_t crowd = kOnTheWayPerParty * Now()->parties();
  if (crowd > 0 && !on_the_way_->WaitBelow(crowd, SteadyClock::now() + kReadWait)) return;
  const std::size_t both = std::min(options_.in_flight_max, publisher_.AtOnceMax());
  const std::size_t limit = patience_.OneByOne(window_->cursor()) ? 1 : both;
  const std::size_t room = window_->WaitForRoom(limit, SteadyClock::now() + kReadWait);
  if (room == 0) return;
  auto entries =
      ledger_.OutboxAfter(ledger::Sink::kMqtt, window_->last(), std::min(room, kReadMax), kReadWait);
  if (!entries) {
    SayUnreadable(entries.error());
    return Pause(options_.retry_after);
  }
  unreadable_.Forget();
  FillIn(*entries);
  // As it is now: who takes batches may have changed while this waited for something to carry.
  if (!entries->empty()) Carry(Now()->Pack(std::move(*entries)));
}

void MqttRelay::Impl::FillIn(std::vector<ledger::OutboxEntry>& entries) const {
  if (!options_.fill_in) return;
  for (ledger::OutboxEntry& entry : entries) {
    if (auto* const message = std::get_if<domain::OutgoingMessage>(&entry.item)) options_.fill_in(*message);
  }
}

void MqttRelay::Impl::SayUnreadable(const Error& why) {
  const std::string line = "nothing more leaves after entry " + std::to_string(window_->last()) +
                           ", the next cannot be read: " + why.symbol + ": " + why.message;
  if (unreadable_.Due(line, SayOnce::Steady::now())) options_.log.Error(line);
}

// Counted as sent before they are handed over: a confirmation may come on another thread before Publish returns.
void MqttRelay::Impl::Carry(std::vector<Parcel> parcels) {
  std::vector<ledger::Seq> left;
  for (const Parcel& parcel : parcels) left.insert(left.end(), parcel.entries.begin(), parcel.entries.end());
  std::sort(left.begin(), left.end());
  if (!window_->Sent(left)) return;
  auto parcel = parcels.begin();
  while (parcel != parcels.end() && !window_->failed() && HandOver(*parcel)) ++parcel;
  left.clear();
  for (; parcel != parcels.end(); ++parcel) {
    left.insert(left.end(), parcel->entries.begin(), parcel->entries.end());
  }
  if (!left.empty()) window_->NotTaken(left);
}

bool MqttRelay::Impl::HandOver(Parcel& parcel) {
  const bool batch = parcel.entries.size() > 1;
  const std::uint64_t entries = parcel.entries.size();
  const auto on_the_way = parcel.for_batcher ? on_the_way_ : nullptr;
  auto answered = [window = window_, on_the_way, batch,
                   seqs = parcel.entries](const Publisher::Receipt& answer) {
    if (on_the_way) on_the_way->Answered();
    window->Answered(seqs, batch ? OfEach(answer) : answer);
  };
  if (on_the_way) on_the_way->Left();
  if (!publisher_.Publish(std::move(parcel.message), std::move(answered))) {
    if (on_the_way) on_the_way->Answered();
    return false;
  }
  if (batch) ++batches_, batched_entries_ += entries;
  return true;
}

// One step towards carrying again; Run comes back until it is done. Waiting gets longer only while nothing at all gets
// through: the cursor tells, not the number of failures, since one lost connection fails a whole window at once.
void MqttRelay::Impl::Recover() {
  if (!window_->WaitUntilAnswered(SteadyClock::now() + kReadWait)) return;
  const auto stuck = window_->Head();
  if (stuck && Deal(*stuck)) return window_->Rewind();
  const ledger::Seq cursor = window_->cursor();
  // Whatever got through since the last failure is progress: the way was open, so waiting starts small again.
  failures_ = cursor > failed_at_ ? 0 : std::min(failures_ + 1, kBackoffDoublings);
  failed_at_ = cursor;
  Pause(options_.retry_after * (1 << failures_));
  window_->Rewind();
}

// True when the entry is out of the way, so that the next one need not wait.
bool MqttRelay::Impl::Deal(const Window::Stuck& stuck) {
  switch (patience_.Failed(stuck)) {
    case Patience::Verdict::kCarryOn:
      return false;
    case Patience::Verdict::kBury:
      return Bury(stuck);
    case Patience::Verdict::kComplain:
      options_.log.Error("entry " + std::to_string(stuck.seq) + " was handed over " +
                         std::to_string(Patience::kLossesComplained) +
                         " times and the connection ended each time (" + stuck.answer.reason +
                         "); it is not dropped for that, and everything behind it waits");
  }
  return false;
}

// The letter first: a crash in between writes it twice, which is better than never.
bool MqttRelay::Impl::Bury(const Window::Stuck& stuck) {
  auto entries = ledger_.OutboxAfter(ledger::Sink::kMqtt, stuck.seq - 1, 1, milliseconds(0));
  if (!entries || entries->empty() || entries->front().seq != stuck.seq) return false;
  const Publisher::Message message = Render(entries->front());
  const std::string why = "undeliverable: outbox entry " + std::to_string(stuck.seq) + " of " +
                          std::to_string(message.payload.size()) + " octets: " + stuck.answer.reason;
  domain::Changeset changes;
  // Without the payload: it was meant for one party, and what it said is in the feed or under its command.
  changes.dead_letters.push_back({options_.now ? options_.now() : UtcTime{}, message.topic, "", why});
  if (auto kept = ledger_.Commit(std::move(changes)); !kept) return false;
  window_->Pass(stuck.seq);
  options_.log.Error(why + "; to " + message.topic + "; a dead letter, what follows goes on");
  return true;
}

// The stored cursor follows the true one at a distance: a write for each confirmation would cost more than carrying a few
// entries again after a crash. Most writes are not synced either; what power loss may repeat is bounded by kDurableEvery.
void MqttRelay::Impl::StoreCursor(bool last) {
  const ledger::Seq cursor = window_->cursor();
  const auto now = SteadyClock::now();
  const bool durable = last ? cursor > durable_ : cursor > durable_ && now - durable_at_ >= kDurableEvery;
  const bool due =
      cursor >= stored_ + kCursorEvery || (cursor > stored_ && now - stored_at_ >= kCursorWithin);
  if (!durable && !due) return;
  // A failure is harmless here: entries are carried again, and the ledger says its own troubles.
  if (!ledger_.Advance(ledger::Sink::kMqtt, {cursor, ""}, durable)) return;
  stored_ = cursor;
  stored_at_ = now;
  if (durable) {
    durable_ = cursor;
    durable_at_ = now;
  }
}

void MqttRelay::Impl::Stop() {
  thread_.Stop([this] { ledger_.WakeAll(); });
}

std::uint64_t MqttRelay::Impl::Depth() const {
  const auto last = ledger_.OutboxLast(ledger::Sink::kMqtt);
  const ledger::Seq cursor = window_->cursor();
  return last && *last > cursor ? *last - cursor : 0;
}

MqttRelay::MqttRelay(ledger::Ledger& ledger, Publisher& publisher, RelayOptions options)
    : impl_(std::make_unique<Impl>(ledger, publisher, std::move(options))) {}
MqttRelay::~MqttRelay() { impl_->Stop(); }
void MqttRelay::Start() { impl_->Start(); }
void MqttRelay::ChangeBatches(std::set<PartyId> takes_batches) { impl_->ChangeBatches(takes_batches); }
void MqttRelay::Stop() { impl_->Stop(); }
std::uint64_t MqttRelay::Depth() const { return impl_->Depth(); }
MqttRelay::Batched MqttRelay::batched() const { return impl_->batched(); }

}  // namespace registry::outbox
