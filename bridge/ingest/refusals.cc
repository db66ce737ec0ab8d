#include "bridge/ingest/refusals.h"

#include "bridge/ingest/admission.h"
#include "bridge/ingest/replies.h"
#include "workers/lifecycle/code_text.h"

namespace registry::ingest {
namespace {

constexpr int kTooBusySeconds = 5;

Error TooBusy(const std::string& message) {
  Error busy = Error::Make(Code::kLimit, "too_busy", message);
  busy.retry_after_seconds = kTooBusySeconds;
  return busy;
}

}  // namespace

Refusals::Refusals(ledger::Ledger& ledger, Intake& intake, Observer& observer,
                   std::chrono::milliseconds retry_after, Backlog backlog, Now now)
    : observer_(observer),
      now_(std::move(now)),
      unmarked_(ledger, intake, observer, retry_after, std::move(backlog),
                [this](const Surplus::Group& group) { return RefuseSurplus(group); }) {}

void Refusals::Bury(const Arrived& arrived, const InboundMessage& message, const Error& why,
                    GiveBack give_back) {
  Add(arrived, Buried(message, why), std::move(give_back));
}

void Refusals::Reject(const Arrived& arrived, const Request& request, const Error& why, GiveBack give_back) {
  Add(arrived, Rejection(request, why), std::move(give_back));
}

void Refusals::Add(const Arrived& arrived, Unmarked::Refusal refusal, GiveBack give_back) {
  unmarked_.Add({arrived.ticket, arrived.sender, [refusal = std::move(refusal)] { return refusal; },
                 std::move(give_back)});
}

void Refusals::RefuseUnread(Arrived arrived) {
  const Intake::Ticket ticket = arrived.ticket;
  const std::string sender = arrived.sender;
  auto make = [this, message = std::move(arrived.message)] {
    const auto request = ParseUnread(message);
    if (!request) return Buried(message, request.error());
    return Rejection(
        *request, TooBusy("too many commands of this party wait; send the command again with the same id"));
  };
  unmarked_.Add({ticket, sender, std::move(make),
                 [this, sender, octets = arrived.octets] { shares_.GiveBack(sender, octets); }});
}

void Refusals::CountSurplus(const std::string& sender, const InboundMessage& message) {
  observer_.CommandDone("", "rejected", "too_busy", std::chrono::microseconds(0));
  unmarked_.AddSurplus(sender, message.topic.substr(0, domain::kDeadLetterTopicMax));
}

Unmarked::Refusal Refusals::RefuseSurplus(const Surplus::Group& group) const {
  const std::string text =
      std::to_string(group.messages) +
      " commands of this party were not looked at and have no answer of their own; send each "
      "command that has none again, with the same id";
  observer_.Log(Level::kWarning, (group.sender.empty() ? "somebody" : group.sender) + ": " + text);
  const auto request = ParseUnread({group.topic, "", "", ""});
  if (!request) return Buried({group.topic, text, "", ""}, request.error());
  return Rejection(*request, TooBusy(text));
}

Unmarked::Refusal Refusals::Buried(const InboundMessage& message, const Error& why) const {
  domain::DeadLetter letter;
  letter.at = now_().now;
  letter.topic = message.topic.substr(0, domain::kDeadLetterTopicMax);
  letter.payload = lifecycle::WithoutCodes(message.payload.substr(0, domain::kDeadLetterMax));
  letter.reason = why.symbol;
  return {"", "dead_letter", why.symbol, std::move(letter)};
}

Unmarked::Refusal Refusals::Rejection(const Request& request, const Error& why) const {
  return {request.topic.command, "rejected", why.symbol, Rejected(request, why, now_())};
}

}  // namespace registry::ingest
