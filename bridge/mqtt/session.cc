#include "bridge/mqtt/session.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>

#include "bridge/mqtt/backoff.h"
#include "bridge/mqtt/connection.h"
#include "bridge/mqtt/tls_policy.h"

namespace registry::mqtt {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr milliseconds kWatch{1000};  // a second look, should Paho not have said that the connection ended
constexpr std::chrono::seconds kSettled{
    2};  // a connection that lived this long was good: backoff starts anew

}  // namespace

class Session::Impl {
 public:
  Impl(SessionOptions options, Handler handler)
      : options_(std::move(options)), handler_(std::move(handler)) {}

  void Start();
  void Stop(milliseconds deadline);
  bool connected() const { return Current() != nullptr; }
  std::uint64_t reconnects() const { return reconnects_; }
  Status Publish(Message message, Confirmed confirmed);

 private:
  void Run();
  // Connects, holds the connection until it ends; how long it was up, zero when it never was.
  SteadyClock::duration Attempt();
  void Hold(const Connection& connection);
  void Lost(const std::string& why);
  std::shared_ptr<Connection> Current() const;
  void SetCurrent(std::shared_ptr<Connection> connection);
  void Say(int level, const std::string& line) const {
    if (options_.log) options_.log(level, "mqtt: " + line);
  }

  const SessionOptions options_;
  const Handler handler_;
  std::thread thread_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::shared_ptr<Connection> current_;  // only while subscribed
  bool lost_ = false;
  std::string lost_why_;
  std::atomic<bool> stopping_{false};
  milliseconds stop_deadline_{0};
  std::atomic<std::uint64_t> connects_{0}, reconnects_{0};
};

void Session::Impl::Start() {
  REG_CHECK(!thread_.joinable());
  thread_ = std::thread([this] { Run(); });
}

void Session::Impl::Run() {
  if (auto policy = RequireTls13(); !policy) {
    Say(3, policy.error().message + "; not connecting");
    return;
  }
  Backoff backoff(options_.backoff_min, options_.backoff_max, std::random_device{}());
  while (!stopping_) {
    if (Attempt() >= kSettled) backoff.Reset();
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, backoff.Next(), [this] { return stopping_.load(); });
  }
}

SteadyClock::duration Session::Impl::Attempt() {
  {
    std::lock_guard lock(mutex_);
    lost_ = false;
  }
  auto connection = std::make_shared<Connection>(
      options_, Connection::Events{handler_, [this](const std::string& why) { Lost(why); }});
  if (auto open = connection->Open([this] { return stopping_.load(); }); !open) {
    if (!stopping_) Say(2, open.error().symbol + ": " + open.error().message);
    return {};
  }
  const auto since = SteadyClock::now();
  if (connects_++ > 0) ++reconnects_;
  Say(1, "connected");
  SetCurrent(connection);
  Hold(*connection);
  SetCurrent(nullptr);
  if (stopping_) {
    connection->Close(stop_deadline_);
  } else {
    Say(2, "disconnected: " + lost_why_);
  }
  return SteadyClock::now() - since;
}

// Paho says a DISCONNECT's reason first, and then once more that the connection is lost, without one.
void Session::Impl::Lost(const std::string& why) {
  const std::lock_guard lock(mutex_);
  if (!lost_) lost_why_ = why;
  lost_ = true;
  wake_.notify_all();
}

void Session::Impl::Hold(const Connection& connection) {
  std::unique_lock lock(mutex_);
  while (!lost_ && !stopping_) {
    wake_.wait_for(lock, kWatch);
    lock.unlock();  // alive() takes Paho's lock, and Paho calls `lost` while it holds that
    const bool alive = connection.alive();
    lock.lock();
    if (!alive && !lost_) {
      lost_ = true;
      lost_why_ = "no longer connected";
    }
  }
}

std::shared_ptr<Connection> Session::Impl::Current() const {
  std::lock_guard lock(mutex_);
  return current_;
}

void Session::Impl::SetCurrent(std::shared_ptr<Connection> connection) {
  std::lock_guard lock(mutex_);
  current_ = std::move(connection);
}

Status Session::Impl::Publish(Message message, Confirmed confirmed) {
  const std::shared_ptr<Connection> connection = Current();
  if (!connection) return Error::Make(Code::kFailed, "not_connected", "the connection to the broker is down");
  return connection->Publish(std::move(message), std::move(confirmed));
}

void Session::Impl::Stop(milliseconds deadline) {
  {
    std::lock_guard lock(mutex_);
    stop_deadline_ = deadline;
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Session::Session(SessionOptions options, Handler handler)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(handler))) {}
Session::~Session() { impl_->Stop(milliseconds(1000)); }
void Session::Start() { impl_->Start(); }
void Session::Stop(milliseconds deadline) { impl_->Stop(deadline); }
bool Session::connected() const { return impl_->connected(); }
std::uint64_t Session::reconnects() const { return impl_->reconnects(); }
Status Session::Publish(Message message, Confirmed confirmed) {
  return impl_->Publish(std::move(message), std::move(confirmed));
}

}  // namespace registry::mqtt
