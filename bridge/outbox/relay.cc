#include "bridge/outbox/relay.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "bridge/outbox/window.h"

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

std::optional<Publisher::Message> Render(const ledger::OutboxEntry& entry) {
  if (const auto* message = std::get_if<domain::OutgoingMessage>(&entry.item)) {
    return Publisher::Message{message->topic, message->payload, message->correlation_data};
  }
  if (const auto* item = std::get_if<ledger::FeedItem>(&entry.item)) return RenderFeedItem(*item);
  return std::nullopt;
}

}  // namespace

class MqttRelay::Impl {
 public:
  Impl(ledger::Ledger& ledger, Publisher& publisher, RelayOptions options)
      : ledger_(ledger), publisher_(publisher), options_(options) {
    // Without an answer everything still in the outbox is carried again, which receivers tell by its ids.
    const auto sink = ledger_.LoadSink(ledger::Sink::kMqtt);
    failed_at_ = stored_ = durable_ = sink ? sink->cursor : 0;
    window_ = std::make_shared<Window>(stored_);
  }

  void Start();
  void Stop();
  std::uint64_t Depth() const;

 private:
  void Run();
  void CarrySome();
  bool Carry(const ledger::OutboxEntry& entry);
  void Recover();
  void StoreCursor(bool last);
  bool Stopping() const;
  void Pause(milliseconds time);

  ledger::Ledger& ledger_;
  Publisher& publisher_;
  const RelayOptions options_;
  std::shared_ptr<Window> window_;
  std::thread thread_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  int failures_ = 0;
  ledger::Seq failed_at_ = 0;
  ledger::Seq stored_ = 0, durable_ = 0;
  SteadyClock::time_point stored_at_, durable_at_;
};

void MqttRelay::Impl::Start() {
  REG_CHECK(!thread_.joinable());
  stored_at_ = durable_at_ = SteadyClock::now();
  thread_ = std::thread([this] { Run(); });
}

bool MqttRelay::Impl::Stopping() const {
  std::lock_guard lock(mutex_);
  return stopping_;
}

void MqttRelay::Impl::Pause(milliseconds time) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, time, [this] { return stopping_; });
}

void MqttRelay::Impl::Run() {
  while (!Stopping()) {
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

void MqttRelay::Impl::CarrySome() {
  const std::size_t room = window_->WaitForRoom(options_.in_flight_max, SteadyClock::now() + kReadWait);
  if (room == 0) return;
  auto entries =
      ledger_.OutboxAfter(ledger::Sink::kMqtt, window_->last(), std::min(room, kReadMax), kReadWait);
  if (!entries) return Pause(options_.retry_after);
  for (const ledger::OutboxEntry& entry : *entries) {
    if (!Carry(entry)) return;
  }
}

// False when nothing more is to be handed over for now.
bool MqttRelay::Impl::Carry(const ledger::OutboxEntry& entry) {
  auto message = Render(entry);
  REG_CHECK(message.has_value());  // the ledger sorts entries by sink
  if (!window_->Sent(entry.seq)) return false;
  const auto answered = [window = window_, seq = entry.seq](bool confirmed) {
    window->Answered(seq, confirmed);
  };
  if (publisher_.Publish(std::move(*message), answered)) return true;
  window_->NotTaken();
  return false;
}

void MqttRelay::Impl::Recover() {
  if (!window_->WaitUntilAnswered(SteadyClock::now() + kReadWait)) return;
  const ledger::Seq cursor = window_->cursor();
  // Whatever got through since the last failure is progress: the way was open, so waiting starts small again.
  failures_ = cursor > failed_at_ ? 0 : std::min(failures_ + 1, kBackoffDoublings);
  failed_at_ = cursor;
  Pause(options_.retry_after * (1 << failures_));
  window_->Rewind();
}

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
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  ledger_.WakeAll();
  if (thread_.joinable()) thread_.join();
}

std::uint64_t MqttRelay::Impl::Depth() const {
  const auto last = ledger_.OutboxLast(ledger::Sink::kMqtt);
  const ledger::Seq cursor = window_->cursor();
  return last && *last > cursor ? *last - cursor : 0;
}

MqttRelay::MqttRelay(ledger::Ledger& ledger, Publisher& publisher, RelayOptions options)
    : impl_(std::make_unique<Impl>(ledger, publisher, options)) {}
MqttRelay::~MqttRelay() { impl_->Stop(); }
void MqttRelay::Start() { impl_->Start(); }
void MqttRelay::Stop() { impl_->Stop(); }
std::uint64_t MqttRelay::Depth() const { return impl_->Depth(); }

}  // namespace registry::outbox
