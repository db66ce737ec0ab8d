// The feed of notifications, of MNOs and ASPs.
#include "clients/conformance/bench.h"
#include "schemas/wire/codec.h"

namespace registry::conformance {
namespace {

std::optional<Command> ReplayAsked(Bench& bench, std::size_t from) {
  return bench.desk().First(wire::FeedReplay::kName, from);
}

void AskNotification(Bench& bench) {
  const Saying news = bench.News();
  bench.desk().Say(news);
  const bool acked = bench.WaitAcked(*news.envelope.seq);
  bench.desk().Check("F3", acked, acked ? "feed.ack came" : "no feed.ack of a notification came");
}

// "10" stands before "9" as a text. A replay that is asked for is one more sign.
void AskDigits(Bench& bench) {
  const std::size_t from = bench.desk().heard().size();
  while (bench.desk().last_seq() < 12) bench.desk().Say(bench.News());
  const bool acked = bench.WaitAcked(bench.desk().last_seq());
  const bool asked = ReplayAsked(bench, from).has_value();
  bench.desk().Check(
      "F6", acked && !asked,
      acked && !asked ? "9, 10 and on were taken in their order" : "10 was not taken as what follows 9");
}

// The replay is held back for a moment, in which nothing beyond the gap may be acknowledged.
void AskGap(Bench& bench) {
  Desk& desk = bench.desk();
  const std::size_t from = desk.heard().size();
  const Saying missing = bench.News(), next = bench.News();
  const std::uint64_t first = *missing.envelope.seq;
  desk.SetAnswering([](const Command& command) {
    return command.name == wire::FeedReplay::kName ? std::optional(Answer{}) : std::nullopt;
  });
  desk.Say(next);
  bench.Wait([&] { return ReplayAsked(bench, from).has_value(); });
  desk.Quiet(bench.options().quiet);
  const bool beyond = desk.acked() >= first;
  desk.Check("F2", !beyond,
             beyond ? "it acknowledged beyond a missing number"
                    : "it acknowledged nothing beyond the missing number");
  desk.SetAnswering(nullptr);
  const auto replay = ReplayAsked(bench, from);
  const std::string what = "the number " + std::to_string(first) + " was missing";
  if (!replay) {
    desk.Check("F1", false, what + ", and no feed.replay came");
    desk.Say(missing);
    bench.WaitAcked(*next.envelope.seq);
    return;
  }
  const std::uint64_t seq = ReplayFrom(replay->data);
  desk.Check("F1", seq <= first, what + ": feed.replay from " + std::to_string(seq));
  desk.AnswerNow(*replay);
  const bool whole = bench.WaitAcked(*next.envelope.seq);
  desk.Check("F1", whole,
             whole ? "after the replay the feed was whole"
                   : "after the replay the feed was not acknowledged as whole");
}

void AskDuplicate(Bench& bench) {
  Desk& desk = bench.desk();
  const Saying news = bench.News();
  desk.Say(news);
  bench.WaitAcked(*news.envelope.seq);
  const std::size_t from = desk.heard().size();
  desk.Say(news);
  const Saying next = bench.News();
  desk.Say(next);
  const bool acked = bench.WaitAcked(*next.envelope.seq);
  const bool asked = ReplayAsked(bench, from).has_value();
  desk.Check("F4", acked && !asked,
             acked && !asked ? "the second one changed nothing" : "the second one disturbed the feed");
}

void AskReplayFromZero(Bench& bench) {
  Desk& desk = bench.desk();
  const std::size_t from = desk.heard().size();
  const auto feed = desk.feed();
  for (const auto& [seq, saying] : feed) desk.Say(saying);
  const Saying next = bench.News();
  desk.Say(next);
  const bool acked = bench.WaitAcked(*next.envelope.seq);
  desk.Quiet(bench.options().quiet);
  std::string also;
  for (std::size_t i = from; i < desk.heard().size(); ++i) {
    const Command& command = desk.heard()[i];
    if (command.name != wire::FeedAck::kName && !command.again) also = command.name;
  }
  desk.Check("F5", acked && also.empty(),
             !acked         ? "the feed did not go on behind the replay"
             : also.empty() ? "nothing was done again"
                            : also + " came because of it");
}

void AskUnknownNotification(Bench& bench) {
  Desk& desk = bench.desk();
  const std::size_t from = desk.heard().size();
  desk.Say(desk.Notification("device.polished", bench.DeviceData()));
  const Saying next = bench.News();
  desk.Say(next);
  const bool acked = bench.WaitAcked(*next.envelope.seq);
  const bool asked = ReplayAsked(bench, from).has_value();
  desk.Check("F7", acked && !asked,
             acked && !asked ? "it was passed over, and counted" : "the feed did not go on behind it");
}

}  // namespace

const std::vector<Case>& FeedCases() {
  static const std::vector<Case> cases = {
      {"notification", "A notification comes.", {"F3"}, true, true, AskNotification},
      {"digits", "The numbers of the feed pass 9.", {"F6"}, true, true, AskDigits},
      {"gap", "A number of the feed is missing.", {"F1", "F2"}, true, true, AskGap},
      {"duplicate", "A notification comes twice.", {"F4"}, true, true, AskDuplicate},
      {"replay-from-zero", "Every notification so far comes again.", {"F5"}, true, true, AskReplayFromZero},
      {"unknown-notification",
       "A notification has a type that no schema knows.",
       {"F7"},
       true,
       true,
       AskUnknownNotification},
  };
  return cases;
}

}  // namespace registry::conformance
