#include "bridge/mqtt/session.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <utility>

#include "bridge/mqtt/backoff.h"
#include "bridge/mqtt/connection.h"
#include "bridge/mqtt/tls_policy.h"
#include "bridge/say_once.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"
#include "schemas/wire/topics.h"

namespace registry::mqtt {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr milliseconds kFarewell{1000};  // to a broker that answered, but not as it must
constexpr milliseconds kWatch{1000};     // a second look, should Paho not have said that the connection ended
constexpr milliseconds kAskAgain{100};   // whether it may connect, or stay connected
constexpr std::chrono::seconds kSettled{
    2};  // a connection that lived this long was good: backoff starts anew

}  // namespace

// kFromAll, narrowed to it.
std::string FilterOf(const std::string& party) { return std::string(wire::kFrom) + party + "/#"; }

std::string FilterOfAll(const std::string& share) {
  const std::string all(wire::kFromAll);
  return share.empty() ? all : "$share/" + share + "/" + all;
}

class Session::Impl {
 public:
  Impl(SessionOptions options, Handler handler)
      : options_(std::move(options)),
        handler_([this, hear = std::move(handler)](const ingest::InboundMessage& message) {
          ++heard_;
          hear(message);
        }),
        parties_(Alone(options_.parties)) {}

  void Start();
  bool HearOut(milliseconds deadline);
  void Stop(milliseconds deadline);
  void ChangeParties(std::vector<std::string> parties);
  void Stir() const {
    if (const auto connection = Current()) connection->Stir();
  }
  bool connected() const { return Current() != nullptr; }
  std::uint64_t reconnects() const { return connects_ > 0 ? connects_ - 1 : 0; }
  Traffic traffic() const { return {heard_, said_}; }
  Status Publish(Message message, Confirmed confirmed);
  std::size_t AtOnceMax() const;
  std::string trouble() const;

 private:
  void Run();
  // Connects, holds the connections until one ends; how long they were up, zero when they never were.
  SteadyClock::duration Attempt();
  // By what they hear; the first one, which hears everybody, is apart.
  struct Together {
    std::shared_ptr<Connection> first;
    std::map<std::string, std::shared_ptr<Connection>> by_party;
  };
  bool OpenAll(Together& connections);
  std::shared_ptr<Connection> Open(Connection::Part part, const std::shared_ptr<Connection>& first);
  bool OpenMissing(Together& connections);
  void CloseSurplus(Together& connections);
  std::vector<std::string> Parties() const;
  // Beside a group's one session another would take what is the group's.
  std::vector<std::string> Alone(std::vector<std::string> parties) const {
    return options_.share.empty() ? std::move(parties) : std::vector<std::string>();
  }
  // Until one ends, or all are to be given up (true).
  bool Hold(Together& connections);
  bool MayStay() const { return !options_.may_stay || options_.may_stay(); }
  bool AwaitLeave();
  bool HeardItsLast();
  static void CloseAll(const Together& connections, milliseconds deadline, bool forget = false);
  void Failed(const Connection& connection, const Error& why);
  void SayTerms(const Terms& terms);
  void SetTrouble(std::string why);
  void Lost(const std::string& why);
  std::shared_ptr<Connection> Current() const;
  void SetCurrent(std::shared_ptr<Connection> connection);
  void Say(int level, const std::string& line) const { options_.log(level, "mqtt: " + line); }

  SessionOptions
      options_;  // changed by the session's own thread only: keep_alive, as the broker wants it; not `parties`
  const Handler handler_;
  SayOnce complaints_;
  mutable Mutex mutex_;
  CondVar wake_;
  std::shared_ptr<Connection> current_ GUARDED_BY(mutex_);  // only while subscribed
  std::vector<std::string> parties_ GUARDED_BY(mutex_);
  bool changed_ GUARDED_BY(mutex_) = false;  // the parties are others than those that are heard
  bool lost_ GUARDED_BY(mutex_) = false;
  bool hears_out_ GUARDED_BY(mutex_) = false;                 // the connection there is, is the last one
  const Connection* heard_out_ GUARDED_BY(mutex_) = nullptr;  // the broker has nothing left for it
  std::string lost_why_ GUARDED_BY(mutex_), trouble_ GUARDED_BY(mutex_);
  milliseconds stop_deadline_ GUARDED_BY(mutex_){0};
  std::atomic<std::uint64_t> connects_{0}, heard_{0}, said_{0};
  OwnThread thread_{mutex_, wake_};
};

void Session::Impl::Start() {
  thread_.Start("mqtt", [this] { Run(); });
}

void Session::Impl::Run() {
  if (auto policy = RequireTls13(); !policy) {
    Say(Level::kError, policy.error().message + "; not connecting");
    return;
  }
  Backoff backoff(options_.backoff_min, options_.backoff_max, std::random_device{}());
  while (!thread_.stopping()) {
    if (Attempt() >= kSettled) backoff.Reset();
    MutexLock lock(mutex_);
    thread_.Rest(lock, backoff.Next());
  }
}

SteadyClock::duration Session::Impl::Attempt() {
  {
    const MutexLock lock(mutex_);
    lost_ = false;
    changed_ = false;
  }
  if (!AwaitLeave()) return {};
  Together connections;
  if (!OpenAll(connections) || !MayStay()) {
    CloseAll(connections, kFarewell);
    return {};
  }
  const std::shared_ptr<Connection> connection = connections.first;
  const auto since = SteadyClock::now();
  SayTerms(connection->terms());
  ++connects_;
  Say(Level::kInfo, "connected");
  SetTrouble("");
  SetCurrent(connection);
  const bool gives_up = Hold(connections);
  SetCurrent(nullptr);
  MutexLock lock(mutex_);
  const bool stopping = thread_.stopping();  // asked before the deadline is read, which Stop sets first
  const milliseconds deadline = stop_deadline_;
  const bool forget = heard_out_ == connection.get();
  const std::string why = "disconnected: " + lost_why_;
  lock.Unlock();
  if (stopping) {
    CloseAll(connections, deadline, forget);
  } else {
    Say(Level::kWarning, why);
    SetTrouble(why);
    if (gives_up) CloseAll(connections, kFarewell);
  }
  return SteadyClock::now() - since;
}

// On the caller's thread: the session's own goes on watching the connection. What was said before is in the handler when
// the broker's answers come (connection.h).
bool Session::Impl::HearOut(milliseconds deadline) {
  const auto until = SteadyClock::now() + deadline;
  std::shared_ptr<Connection> connection;
  {
    const MutexLock lock(mutex_);
    if (options_.share.empty()) return false;
    hears_out_ = true;
    connection = current_;
  }
  if (!connection) return false;
  const bool all =
      connection->HearOut({FilterOfAll(options_.share)}, [until] { return SteadyClock::now() >= until; });
  const MutexLock lock(mutex_);
  if (all) heard_out_ = connection.get();
  return all;
}

// The last connection it was to have has ended: there is nothing to do until the stop.
bool Session::Impl::HeardItsLast() {
  MutexLock lock(mutex_);
  if (!hears_out_) return false;
  thread_.Wait(lock, [] { return false; });
  return true;
}

// False: it is to stop.
bool Session::Impl::AwaitLeave() {
  if (HeardItsLast()) return false;
  if (!options_.may_connect) return true;
  while (!thread_.stopping() && !options_.may_connect()) {
    SetTrouble("waits for the ledger to say that it is still this node's");
    MutexLock lock(mutex_);
    thread_.Rest(lock, kAskAgain);
  }
  return !thread_.stopping();
}

std::vector<std::string> Session::Impl::Parties() const {
  const MutexLock lock(mutex_);
  return parties_;
}

void Session::Impl::ChangeParties(std::vector<std::string> parties) {
  const MutexLock lock(mutex_);
  parties_ = Alone(std::move(parties));
  changed_ = true;
  wake_.NotifyAll();
}

// Null when it does not open; why is said.
std::shared_ptr<Connection> Session::Impl::Open(Connection::Part part,
                                                const std::shared_ptr<Connection>& first) {
  auto connection = std::make_shared<Connection>(
      options_, std::move(part), Connection::Events{handler_, [this](const std::string& why) { Lost(why); }});
  const auto look = [&] {
    if (first) first->Stir();
    return thread_.stopping();
  };
  if (auto open = connection->Open(look); !open) {
    if (!thread_.stopping()) Failed(*connection, open.error());
    connection->Close(kFarewell);
    return nullptr;
  }
  return connection;
}

// The one that hears everybody comes first. When a session comes back Mosquitto throws away what it has queued there and
// may not deliver now, and while the parties' own sessions are away it may deliver everything.
bool Session::Impl::OpenAll(Together& connections) {
  connections.first = Open({options_.client_id, FilterOfAll(options_.share)}, nullptr);
  return connections.first && OpenMissing(connections);
}

bool Session::Impl::OpenMissing(Together& connections) {
  for (const std::string& party : Parties()) {
    if (connections.by_party.contains(party)) continue;
    auto own = Open({options_.client_id + "/" + party, FilterOf(party)}, connections.first);
    if (!own) return false;
    connections.by_party.emplace(party, std::move(own));
  }
  return true;
}

void Session::Impl::CloseSurplus(Together& connections) {
  const std::vector<std::string> wanted = Parties();
  std::erase_if(connections.by_party, [&](const auto& own) {
    if (std::find(wanted.begin(), wanted.end(), own.first) != wanted.end()) return false;
    own.second->Close(kFarewell, true);  // what it says meanwhile is not for a later party of its name
    return true;
  });
}

void Session::Impl::CloseAll(const Together& connections, milliseconds deadline, bool forget) {
  const auto until = SteadyClock::now() + deadline;
  const auto left = [until] {
    return std::max(milliseconds(1), std::chrono::duration_cast<milliseconds>(until - SteadyClock::now()));
  };
  if (connections.first) connections.first->Close(left(), forget);
  for (const auto& [party, connection] : connections.by_party) connection->Close(left());
}

void Session::Impl::Failed(const Connection& connection, const Error& why) {
  const std::string line = why.symbol + ": " + why.message;
  if (complaints_.Due(line, SteadyClock::now()))
    Say(why.symbol == Connection::kShorterKeepAlive ? Level::kInfo : Level::kWarning, line);
  SetTrouble(line);
  if (why.symbol == Connection::kShorterKeepAlive) options_.keep_alive = *connection.terms().keep_alive;
}

// What an operator should know of terms that can be lived with.
void Session::Impl::SayTerms(const Terms& terms) {
  const auto say = [this](const std::string& line) {
    if (complaints_.Due(line, SteadyClock::now())) Say(Level::kWarning, line);
  };
  // §3.2.2.3.2
  if (const auto& kept = terms.session_expiry; kept && *kept < options_.session_expiry) {
    say("while the registry is away the broker keeps commands for " + std::to_string(kept->count()) +
        " s, not " + std::to_string(options_.session_expiry.count()));
  }
  // §3.2.2.1.1; the first connection of a process may be the first of all. One that shares what it hears may have had an
  // heir, who has heard what was there.
  if (!terms.session_present && connects_ > 0 && options_.share.empty()) {
    say("the broker no longer had the registry's session: commands said meanwhile come only if their senders "
        "repeat them");
  }
}

void Session::Impl::SetTrouble(std::string why) {
  const MutexLock lock(mutex_);
  trouble_ = std::move(why);
}

std::string Session::Impl::trouble() const {
  const MutexLock lock(mutex_);
  return current_ ? "" : trouble_;
}

// Paho says a DISCONNECT's reason first, and then once more that the connection is lost, without one.
void Session::Impl::Lost(const std::string& why) {
  const MutexLock lock(mutex_);
  if (!lost_) lost_why_ = why;
  lost_ = true;
  wake_.NotifyAll();
}

// A connection that a new party is to have and that does not open ends all of them: they are opened anew, with backoff.
bool Session::Impl::Hold(Together& connections) {
  bool stays = true;
  MutexLock lock(mutex_);
  while (!lost_ && !thread_.stopping()) {
    thread_.WaitFor(lock, options_.may_stay ? kAskAgain : kWatch,
                    [this]() REQUIRES(mutex_) { return lost_ || changed_; });
    const bool changed = std::exchange(changed_, false);
    lock.Unlock();  // alive() takes Paho's lock, and Paho calls `lost` while it holds that
    if (changed) CloseSurplus(connections);
    stays = MayStay();
    const bool complete = !changed || OpenMissing(connections);
    const bool alive =
        connections.first->alive() && std::all_of(connections.by_party.begin(), connections.by_party.end(),
                                                  [](const auto& own) { return own.second->alive(); });
    lock.Lock();
    if ((!alive || !complete || !stays) && !lost_) {
      lost_ = true;
      lost_why_ = !stays     ? "the ledger may be another node's by now"
                  : complete ? "no longer connected"
                             : "a party's own connection did not open";
    }
  }
  return !stays;
}

std::shared_ptr<Connection> Session::Impl::Current() const {
  const MutexLock lock(mutex_);
  return current_;
}

void Session::Impl::SetCurrent(std::shared_ptr<Connection> connection) {
  const MutexLock lock(mutex_);
  current_ = std::move(connection);
}

Status Session::Impl::Publish(Message message, Confirmed confirmed) {
  const std::shared_ptr<Connection> connection = Current();
  if (!connection) return Error::Make(Code::kFailed, "not_connected", "the connection to the broker is down");
  const Status given = connection->Publish(std::move(message), std::move(confirmed));
  if (given) ++said_;
  return given;
}

std::size_t Session::Impl::AtOnceMax() const {
  const std::shared_ptr<Connection> connection = Current();
  return connection ? connection->in_flight_max() : static_cast<std::size_t>(options_.in_flight_max);
}

void Session::Impl::Stop(milliseconds deadline) {
  {
    const MutexLock lock(mutex_);
    stop_deadline_ = deadline;
  }
  thread_.Stop();
}

Session::Session(SessionOptions options, Handler handler)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(handler))) {}
Session::~Session() { impl_->Stop(milliseconds(1000)); }
void Session::Start() { impl_->Start(); }
void Session::Stop(milliseconds deadline) { impl_->Stop(deadline); }
void Session::ChangeParties(std::vector<std::string> parties) { impl_->ChangeParties(std::move(parties)); }
bool Session::HearOut(std::chrono::milliseconds deadline) { return impl_->HearOut(deadline); }
void Session::Stir() const { impl_->Stir(); }
bool Session::connected() const { return impl_->connected(); }
std::string Session::trouble() const { return impl_->trouble(); }
std::size_t Session::AtOnceMax() const { return impl_->AtOnceMax(); }
std::uint64_t Session::reconnects() const { return impl_->reconnects(); }
Session::Traffic Session::traffic() const { return impl_->traffic(); }
Status Session::Publish(Message message, Confirmed confirmed) {
  return impl_->Publish(std::move(message), std::move(confirmed));
}

}  // namespace registry::mqtt
