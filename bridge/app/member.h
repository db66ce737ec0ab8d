// bridge/app/member.h: the part of a node that stands by which decides commands while another one is active
// (`ledger.shared`, NODES.md): it joins the ledger when the active one takes members, hears its share of the commands,
// and joins anew when it is a member no longer. Whether it may be one is looked at by standby.h.
// It decides only by the same terms as the active one (deciding_terms.h), and says in which parts they differ.
// What it hears is kept under its membership, or waits until it has one again: then the PUBACK leaves. A message that
// waits when this ends cannot be given back to the broker, so that the process ends with it.
// Owns: one thread (`member`), the session with the broker and, one after the other, its memberships.
// Threads: construction, Stop and the end from one; the rest from any.
// Errors: none; why it does not decide is said in the log, and by says().
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "bridge/app/config.h"
#include "bridge/app/http.h"
#include "bridge/app/log.h"
#include "bridge/app/material.h"
#include "bridge/app/membership.h"
#include "bridge/app/metrics.h"
#include "bridge/app/party_reload.h"
#include "bridge/clock.h"
#include "bridge/mqtt/session.h"
#include "bridge/say_once.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::app {

class Member {
 public:
  Member(Config config, Log& log);
  ~Member();  // stops

  // Whether there is an active one that takes members, and whether this node can connect to the broker. Again and again.
  void Saw(bool admits, bool reaches_broker);
  // Leaves, within some seconds; once. Before a take-over the broker keeps the session, which is this process' again soon.
  enum class Why : std::uint8_t { kAsked, kToTakeOver };
  void Stop(Why why);
  // The configuration's file was read again (SIGHUP). What is taken of it.
  PartyReload Change(const Config& read);

  std::string says() const;              // that it decides, or why not; empty: nobody takes members
  std::optional<Sample> sample() const;  // while it decides
  std::string MetricsText(const Sample& sample, const std::optional<ZoneCopySample>& copy) {
    return metrics_.MemberText(sample, copy);
  }

 private:
  using Steady = std::chrono::steady_clock;

  void Run();
  bool Seated();
  void TrySit();
  // A sentence: why it may not decide.
  Result<std::string> Sit();
  void Beat();
  void Missed(const Error& why);
  void LeaveWithoutBroker(Steady::time_point now);
  // `unkept`: the exit status where a message waits that is kept nowhere.
  void Leave(int unkept, bool hears_out);
  void EndSession(mqtt::Session& session);
  void Unseat();  // it is a member no longer, or is to be none
  std::shared_ptr<mqtt::Session> OpenSession(const Config& config);
  std::shared_ptr<Membership> AwaitSeat();
  void Hear(const ingest::InboundMessage& message);
  bool MayConnect();
  bool MayStay() const;
  void Say(int level, const std::string& why);
  void NotBefore(std::chrono::seconds rest);

  Log& log_;
  const LogLine node_log_;
  const SystemClock clock_;
  const std::chrono::milliseconds every_;
  Metrics metrics_;
  // Of the thread.
  std::optional<Material> material_;
  DecidingTerms terms_;
  SayOnce complaints_;
  Steady::time_point not_before_{};
  int missed_ = 0;  // beats in a row
  bool was_connected_ = false;
  std::optional<Steady::time_point> without_since_;  // a broker

  Mutex ending_;  // of one that ends the session

  mutable Mutex mutex_;
  CondVar changed_;
  Config config_ GUARDED_BY(mutex_);
  bool reread_ GUARDED_BY(mutex_) = false;           // the configuration, since the terms were compared
  bool left_for_broker_ GUARDED_BY(mutex_) = false;  // until the broker can be reached
  bool admits_ GUARDED_BY(mutex_) = false, asked_ GUARDED_BY(mutex_) = false;
  std::shared_ptr<mqtt::Session> session_ GUARDED_BY(mutex_);
  std::shared_ptr<Membership> seat_ GUARDED_BY(mutex_);  // ends before the session, through which it says
  bool lost_ GUARDED_BY(mutex_) = false;                 // the seat takes no more
  int hearing_ GUARDED_BY(mutex_) = 0;                   // messages on their way into the seat
  std::shared_ptr<Node> node_ GUARDED_BY(mutex_);        // of the seat, or of the last one
  std::optional<int> unkept_ GUARDED_BY(mutex_), ends_ GUARDED_BY(mutex_);  // while it leaves; for good
  std::string says_ GUARDED_BY(mutex_);
  OwnThread thread_{mutex_, changed_};
};

}  // namespace registry::app
