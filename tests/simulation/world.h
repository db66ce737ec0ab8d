// tests/simulation/world.h: the registry without its threads, disk and broker, and what its parties know. The decisions, the
// admission, the dispatch and the handling of due jobs are the product's own (bridge/ingest: Parse, Executor,
// OwnDecisions), over the memory ledger. The clock, the broker, the name servers and the parties are this file.
// What lives in memory only is thrown away by Restart; the ledger, and what the intake would have kept, stays.
// Fault model: a message may come twice, late, changed, from the wrong party or not at all; a commit may fail or find its
//   view stale; DNS shows a change late, or is told of twice; the clock goes on, far, and back.
// Repeatable: every choice and every random octet of the registry comes from the seed of the move that is played. Keys and
//   signatures do not, and nothing is decided by their octets.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "bridge/ingest/order_decisions.h"
#include "bridge/ingest/own_decisions.h"
#include "bridge/ledger/retention.h"
#include "tests/simulation/dice.h"
#include "tests/support/software_signer.h"
#include "tests/support/wrapped_ledger.h"

namespace registry::simulation {

// What stands between the decisions and the ledger: faults that a step orders, and, to prove that the rules can see, an
// error that a decision could have made (it comes behind the product's own check of a changeset).
class MeddledLedger final : public test::WrappedLedger {
 public:
  using Mutation = std::function<void(domain::Changeset&)>;
  MeddledLedger(ledger::Ledger& inner, Mutation mutation)
      : WrappedLedger(inner), mutation_(std::move(mutation)) {}
  void CommitLater(domain::Changeset changes, WhenDone done) override;
  int fail_next = 0;   // commits that the disk refuses
  int stale_next = 0;  // commits that come too late
  std::size_t commits = 0;

 private:
  const Mutation mutation_;
};

class SteppedClock final : public Clock {
 public:
  UtcTime Now() const override { return now; }
  UtcTime now{1'790'000'000'000'000};     // 2026-09-21
  UtcTime latest{1'790'000'000'000'000};  // it ever showed
  void Move(std::chrono::microseconds by) {
    now = now + by;
    latest = std::max(latest, now);
  }
};

struct Known {  // a device, from the reply to its registration
  std::string device, mno, code;
};
struct TransferCode {  // from the reply to authorisation.set
  std::string device, setter, code;
};
struct Told {  // an action that a message to an MNO asked for
  std::string job, device, mno, action;
};
struct Sent {  // a command with an identity, and its last answer
  ingest::InboundMessage message;
  std::string party, command;
  nlohmann::json envelope;
  std::string answer, outcome;
};
struct Answer {
  std::string outcome;  // of the executor, or "unmarked", "dead_letter"
  bool accepted = false;
  std::string symbol, payload;
  nlohmann::json data;
};

class World final : public ingest::Observer {
 public:
  explicit World(MeddledLedger::Mutation mutation = nullptr);

  // ---- what steps do
  Answer Ask(const std::string& party, const std::string& command, const nlohmann::json& data);
  Answer Say(const ingest::InboundMessage& message);
  void SayLeftOver();  // what could not be written, again
  void SettleDue();
  void LookForRenewals();
  void CarryOrdersOn(std::size_t most);  // up to so many devices of each
  // Up to `most` zone changes reach every secondary; those told of are told to the registry, in order.
  void ServeZone(std::size_t most);
  void TellZone();
  bool TellVisible(const domain::ZoneChange& change);
  void Restart();
  void Forget();  // event marks that are too old
  // Random octets come from here until the next call.
  void Seed(std::uint64_t seed) { random_ = Dice(seed); }

  // ---- what is looked at
  const ledger::LedgerReader& ledger() const { return meddled_; }
  MeddledLedger& meddled() { return meddled_; }
  SteppedClock clock;
  const ingest::Services& services() const { return services_; }
  const std::string& csr(std::size_t number) const;
  static std::size_t csrs();

  std::vector<Known> known;
  std::vector<TransferCode> codes;
  std::vector<Told> told;
  bool repeating = false;  // what is said now was said before: its reply is the one that was given then
  std::vector<Sent> sent;
  std::map<std::string, domain::ZoneChange> served;  // by device: what every secondary shows
  std::vector<domain::ZoneChange> seen;              // that was served, ever
  std::set<Bytes> issued;                            // serials of every certificate handed out
  std::map<std::string, std::size_t> reads;          // by name of the query: how often it was answered
  std::map<std::string, ledger::Seq> heard;          // by party: the number of its last notification
  std::vector<std::string> notes;                    // what happened, since the step began
  std::string violation;                             // found while it happened; empty: none

  void Fault(const std::string& what) {
    if (violation.empty()) violation = what;
  }
  void Note(std::string note) { notes.push_back(std::move(note)); }

 private:
  void CommandDone(const std::string&, const std::string&, const std::string&,
                   std::chrono::microseconds) override {}
  void StepDone(const std::string&, std::chrono::microseconds) override {}
  void Log(int level, const std::string& line) override;
  Answer Execute(const ingest::Request& request, const ingest::InboundMessage& message);
  Answer Refuse(const ingest::Request& request);
  void Relay(Answer* answer);
  void Deliver(const domain::OutgoingMessage& message, Answer* answer);
  void Hear(const ledger::FeedItem& item);
  void Learn(const std::string& party, const nlohmann::json& envelope);
  void CheckAudience(const std::string& party, const nlohmann::json& envelope);
  void CheckPrivacy(const domain::OutgoingMessage& message);
  void CheckRead(const PartyId& party, const std::string& payload);
  Answer Read(const ingest::Request& request);
  ingest::Verdict Answered(const ingest::Request& request);

  Dice random_{0};
  test::SoftwareSigner& signer_;
  std::unique_ptr<ledger::Ledger> memory_;
  MeddledLedger meddled_;
  csr_sign::Issuer issuer_;
  ingest::Services services_;
  std::unique_ptr<ingest::Executor> executor_;
  std::unique_ptr<ingest::OwnDecisions> own_;
  std::unique_ptr<ingest::OrderDecisions> orders_;
  std::unique_ptr<ledger::Retention> retention_;
  std::deque<ingest::InboundMessage> left_over_;
  std::string aside_;  // what was said to the last query
  ledger::Seq relayed_ = 0;
  std::deque<domain::ZoneChange> to_tell_;  // served, not yet told
  ledger::Seq zone_read_ = 0;
  std::uint64_t next_id_ = 1;
};

inline constexpr const char* kMnos[] = {"mno-a", "mno-b"};
inline constexpr const char* kAsps[] = {"asp-a", "asp-b"};
inline constexpr const char* kOperator = "operator";
inline constexpr std::size_t kEsims = 4;
inline constexpr std::chrono::hours kValidity{
    72};                              // of certificates: histories are some days, and see them end
inline constexpr int kEventDays = 1;  // few, for a history is some days

}  // namespace registry::simulation
