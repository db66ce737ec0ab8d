#include "bridge/mqtt/heir.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <random>
#include <utility>

#include "bridge/mqtt/backoff.h"
#include "bridge/mqtt/connection.h"
#include "bridge/mqtt/tls_policy.h"
#include "bridge/say_once.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::mqtt {
namespace {

constexpr std::chrono::milliseconds kGoodbye{1000};
// After a connection that ended: its node may be back. Whoever calls Spare finds out within this time.
constexpr std::chrono::seconds kMayBeBack{3};

SessionOptions WithoutOwnName(SessionOptions terms) {
  terms.client_id.clear();
  terms.parties.clear();
  return terms;
}

// What the session may have subscribed to; a party's own of a registryd that hears alone is called "CLIENT_ID/PARTY".
std::vector<std::string> FiltersOf(const std::string& client_id, const std::string& share) {
  std::vector<std::string> filters = {FilterOfAll(share), FilterOfAll("")};
  if (const std::size_t party = client_id.rfind('/'); party != std::string::npos)
    filters.push_back(FilterOf(client_id.substr(party + 1)));
  return filters;
}

}  // namespace

class Heir::Impl {
 public:
  Impl(SessionOptions terms, Session::Handler handler, Ended ended, std::function<void()> stir)
      : terms_(WithoutOwnName(std::move(terms))),
        handler_(std::move(handler)),
        ended_(std::move(ended)),
        stir_(std::move(stir)) {}

  void Start() {
    thread_.Start("heir", [this] { Run(); });
  }
  void Inherit(const std::string& client_id) {
    const MutexLock lock(mutex_);
    if (Waits(client_id)) return;
    waiting_.push_back(client_id);
    changed_.NotifyAll();
  }
  void Spare(const std::string& client_id) {
    const MutexLock lock(mutex_);
    std::erase(waiting_, client_id);
    changed_.NotifyAll();
  }
  std::vector<std::string> waiting() const {
    const MutexLock lock(mutex_);
    return {waiting_.begin(), waiting_.end()};
  }
  void Stop() { thread_.Stop(); }

 private:
  bool Waits(const std::string& client_id) const REQUIRES(mutex_) {
    return std::find(waiting_.begin(), waiting_.end(), client_id) != waiting_.end();
  }
  void Run();
  std::optional<std::string> Next();
  bool Settle(const std::string& client_id);
  bool Attempt(const std::string& client_id);
  bool GivesUp(const std::string& client_id) const;
  bool MayConnect() const { return !terms_.may_connect || terms_.may_connect(); }
  void Failed(const Connection& connection, const std::string& client_id, const Error& why);

  SessionOptions terms_;  // its keep_alive is changed by the heir's own thread only, as the broker wants it
  const Session::Handler handler_;
  const Ended ended_;
  const std::function<void()> stir_;
  SayOnce complaints_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<std::string> waiting_ GUARDED_BY(mutex_);  // the first one's turn it is
  OwnThread thread_{mutex_, changed_};
};

void Heir::Impl::Run() {
  if (auto policy = RequireTls13(); !policy) {
    terms_.log.Error("mqtt: " + policy.error().message + "; inheriting nothing");
    return;
  }
  Backoff backoff(terms_.backoff_min, terms_.backoff_max, std::random_device{}());
  while (const auto client_id = Next()) {
    if (MayConnect() && Attempt(*client_id) && Settle(*client_id)) {
      backoff.Reset();
      continue;
    }
    MutexLock lock(mutex_);
    // One that cannot be had keeps nobody else waiting.
    if (!waiting_.empty() && waiting_.front() == *client_id)
      std::rotate(waiting_.begin(), waiting_.begin() + 1, waiting_.end());
    thread_.Rest(lock, backoff.Next());
  }
}

std::optional<std::string> Heir::Impl::Next() {
  MutexLock lock(mutex_);
  thread_.Wait(lock, [this]() REQUIRES(mutex_) { return !waiting_.empty(); });
  if (thread_.stopping()) return std::nullopt;
  return waiting_.front();
}

// False: it was to be spared in the meantime.
bool Heir::Impl::Settle(const std::string& client_id) {
  {
    const MutexLock lock(mutex_);
    if (std::erase(waiting_, client_id) == 0) return false;
  }
  terms_.log.Info("mqtt: what the broker kept for " + client_id + ", which is gone, was heard");
  ended_(client_id);
  return true;
}

bool Heir::Impl::GivesUp(const std::string& client_id) const {
  if (thread_.stopping() || (terms_.may_stay && !terms_.may_stay())) return true;
  const MutexLock lock(mutex_);
  return !Waits(client_id);
}

// False: it goes on later.
bool Heir::Impl::Attempt(const std::string& client_id) {
  const auto give_up = [&] { return GivesUp(client_id); };
  Connection connection(terms_, {client_id, ""}, {handler_, [](const std::string&) {}});
  const auto look = [&] {
    stir_();
    return give_up();
  };
  if (const auto open = connection.Open(look); !open) {
    if (!give_up()) Failed(connection, client_id, open.error());
    connection.Close(kGoodbye);
    return false;
  }
  const bool all = connection.HearOut(FiltersOf(client_id, terms_.share), give_up);
  connection.Close(kGoodbye, all);
  if (all || give_up()) return all;
  terms_.log.Info("mqtt: the connection for " + client_id + " ended, perhaps because it is back");
  MutexLock lock(mutex_);
  thread_.WaitFor(lock, kMayBeBack, [&]() REQUIRES(mutex_) { return !Waits(client_id); });
  return false;
}

void Heir::Impl::Failed(const Connection& connection, const std::string& client_id, const Error& why) {
  if (why.symbol == Connection::kShorterKeepAlive) {
    terms_.keep_alive = *connection.terms().keep_alive;
    return;
  }
  const std::string line =
      "mqtt: what the broker keeps for " + client_id + " is heard later: " + why.symbol + ": " + why.message;
  if (complaints_.Due(line, SayOnce::Steady::now())) terms_.log.Warning(line);
}

Heir::Heir(SessionOptions terms, Session::Handler handler, Ended ended, std::function<void()> stir)
    : impl_(std::make_unique<Impl>(std::move(terms), std::move(handler), std::move(ended), std::move(stir))) {
}
Heir::~Heir() { Stop(); }
void Heir::Start() { impl_->Start(); }
void Heir::Inherit(const std::string& client_id) { impl_->Inherit(client_id); }
void Heir::Spare(const std::string& client_id) { impl_->Spare(client_id); }
std::vector<std::string> Heir::waiting() const { return impl_->waiting(); }
void Heir::Stop() { impl_->Stop(); }

}  // namespace registry::mqtt
