// bridge/ingest/refusals.h: what becomes of messages that are not decided: their answer on the reply topic, or a dead
// letter where there is nobody to answer to. None of them leaves a mark in the ledger (unmarked.h).
// Limits: of one party's messages that found its share taken, kLoad wait to be refused, each with its own answer. What is
//   more is only counted, and one rejection a second says for all of them how many there were.
// Owns: the thread of its answers from Start to Stop. Ledger, intake and observer outlive it; what `give_back` uses
//   outlives its Stop.
// Threads: Take, RefuseUnread and CountSurplus from the thread that hears, Bury and Reject from those that parse; none
//   waits.
#pragma once

#include "bridge/ingest/parsers.h"
#include "bridge/ingest/pipeline.h"
#include "bridge/ingest/shares.h"
#include "bridge/ingest/unmarked.h"

namespace registry::ingest {

struct Request;

class Refusals {
 public:
  static constexpr Load kLoad{2048, 4u << 20};
  using Now = std::function<domain::Context()>;
  using GiveBack = std::function<void()>;  // called once the answer is kept: the share the message took

  Refusals(ledger::Ledger& ledger, Intake& intake, Observer& observer, std::chrono::milliseconds retry_after,
           Backlog backlog, Now now);
  void Start() { unmarked_.Start(); }
  void Stop() { unmarked_.Stop(); }

  // Cannot even be answered.
  void Bury(const Arrived& arrived, const InboundMessage& message, const Error& why, GiveBack give_back);
  void Reject(const Arrived& arrived, const Request& request, const Error& why, GiveBack give_back);

  // Of a message that found its sender's share taken: whether it can be kept until it is refused.
  bool Take(const Arrived& arrived) { return shares_.Take(arrived.sender, arrived.octets); }
  void RefuseUnread(Arrived arrived);
  // Not even kept: what it asks is not looked at, and the one answer for all of its kind follows within seconds.
  void CountSurplus(const std::string& sender, const InboundMessage& message);

 private:
  void Add(const Arrived& arrived, Unmarked::Refusal refusal, GiveBack give_back);
  Unmarked::Refusal RefuseSurplus(const Surplus::Group& group) const;
  Unmarked::Refusal Buried(const InboundMessage& message, const Error& why) const;
  Unmarked::Refusal Rejection(const Request& request, const Error& why) const;

  Observer& observer_;
  const Now now_;
  Shares shares_{kLoad};
  Unmarked unmarked_;
};

}  // namespace registry::ingest
