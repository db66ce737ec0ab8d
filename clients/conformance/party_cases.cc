// What binds every party: how it connects, repeats, and takes what is unusual.
#include <random>

#include "clients/conformance/bench.h"
#include "schemas/wire/batch.h"
#include "schemas/wire/codec.h"
#include "schemas/wire/topics.h"

namespace registry::conformance {
namespace {

using nlohmann::json;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

void AskConnect(Bench& bench) {
  Desk& desk = bench.desk();
  const auto seen = bench.broker().Connections(desk.party().text());
  if (seen.empty()) return;  // a run without one does not come here
  const SeenConnection& last = seen.back();
  desk.Check("P1", last.version >= 4,
             "MQTT version number " + std::to_string(last.version) + " over TLS 1.3");
  desk.Check("P2", !last.clean,
             last.clean ? "it connects with Clean Start 1" : "it connects with Clean Start 0");
  const int qos = bench.broker().SubscribedQos(last.client_id, wire::OwnSpaceOf(desk.party()) + "#");
  if (qos < 0) {
    desk.Note("P3", Finding::kNotObservable, "it has subscribed to something else than its whole space");
  } else {
    desk.Check("P3", qos >= 1, "it has subscribed to its own space with QoS " + std::to_string(qos));
  }
}

// ---- repeating

std::optional<Command> Provoked(Bench& bench, const Answer& first, const char* clause) {
  const auto command = bench.Provoke(first);
  if (!command) bench.desk().Note(clause, Finding::kNotRun, "the party sent no command to answer");
  return command;
}

void AskLostReply(Bench& bench) {
  const auto command = Provoked(bench, {}, "P7");
  if (!command) return;
  std::optional<Command> other;
  const auto again = bench.WaitAgain(*command, &other);
  bench.repeats = again.has_value();
  if (again) bench.repeat_after = duration_cast<milliseconds>(again->at - command->at);
  bench.desk().Check(
      "P7", again.has_value(),
      again   ? command->name + " came again after " + std::to_string(bench.repeat_after.count()) + " ms"
      : other ? command->name + " came again under another id"
              : command->name + " did not come again");
}

// True: it can be asked.
bool Repeats(Bench& bench, const char* clause) {
  if (!bench.repeats) bench.desk().Note(clause, Finding::kNotObservable, "this party repeats nothing");
  return bench.repeats;
}

void AskOtherCause(Bench& bench) {
  if (!Repeats(bench, "P8")) return;
  const Answer foreign{Answer::Kind::kAccepted, {{"job", NewUuid()}}, "no-command-of-yours"};
  const Answer status{
      Answer::Kind::kAccepted, {{"lastSeq", 0}, {"ackedSeq", 0}, {"replayed", 0}}, "no-command-of-yours"};
  const auto command = Provoked(bench, bench.mno() ? foreign : status, "P8");
  if (!command) return;
  std::optional<Command> other;
  const bool again = bench.WaitAgain(*command, &other).has_value();
  bench.desk().Check("P8", again,
                     again ? "it went on waiting" : "it took another command's reply for its own");
}

void AskRejected(Bench& bench) {
  const Error error =
      bench.mno() ? Error::Make(Code::kNotFound, "job_unknown", "no such job is waiting")
                  : Error::Make(Code::kExists, "event_conflict", "the id was used for another command");
  const auto command = Provoked(bench, {Answer::Kind::kRejected, wire::EncodeError(error)}, "P9");
  if (!command) return;
  const std::size_t from = bench.desk().heard().size();
  bench.desk().Quiet(bench.Silence());
  bool again = false;
  for (std::size_t i = from; i < bench.desk().heard().size(); ++i)
    again = again || bench.desk().heard()[i].id == command->id;
  bench.desk().Check(
      "P9", !again,
      command->name + (again ? " came again after " : " did not come again after ") + error.symbol);
}

void AskPutOff(Bench& bench) {
  if (!Repeats(bench, "P10")) return;
  constexpr milliseconds kAfter{1000}, kSlack{50};  // clocks of two processes
  Error error = Error::Make(Code::kFailed, "registry_failed", "not now");
  error.retry_after_seconds = 1;
  const auto command = Provoked(bench, {Answer::Kind::kRejected, wire::EncodeError(error)}, "P10");
  if (!command) return;
  std::optional<Command> other;
  const auto again = bench.WaitAgain(*command, &other);
  if (!again) {
    bench.desk().Check("P10", false, other ? "it came again under another id" : "it did not come again");
    return;
  }
  const auto after = duration_cast<milliseconds>(again->at - command->at);
  bench.desk().Check("P10", after + kSlack >= kAfter,
                     "it came again after " + std::to_string(after.count()) + " ms of 1000");
}

// ---- away and back

void AskAway(Bench& bench) {
  Relay& relay = bench.broker().relay();
  relay.SetAway(true);
  bench.Cut();
  const std::size_t from = bench.desk().heard().size();
  const Saying saying = bench.Probe();
  bench.desk().Say(saying);
  relay.SetAway(false);
  const bool handled = bench.Handled(saying, from);
  bench.desk().Check(
      "P2", handled,
      handled ? "it heard what was said while it was away" : "what was said while it was away is lost");
}

// MQTT 5.0 §4.4: without a PUBACK the broker sends again, with DUP.
void AskCut(Bench& bench) {
  Relay& relay = bench.broker().relay();
  const std::size_t sent = bench.broker().SentTo(bench.client_id);
  const std::size_t from = bench.desk().heard().size();
  relay.SetDeaf(true);
  const Saying saying = bench.Probe();
  bench.desk().Say(saying);
  bench.desk().Until(std::chrono::seconds(2), [&] { return bench.broker().SentTo(bench.client_id) > sent; });
  bench.desk().Quiet(milliseconds(200));  // for the party to begin
  bench.Cut();
  relay.SetDeaf(false);
  const bool handled = bench.Handled(saying, from);
  bench.desk().Check(
      "P7", handled,
      handled ? "its answer came over the next connection" : "its answer was lost with the connection");
}

// ---- what is unusual, and still good

void AskUnknownMember(Bench& bench) {
  const std::size_t from = bench.desk().heard().size();
  const Saying saying = bench.Probe();
  json text = json::parse(wire::EncodeEnvelope(saying.envelope));
  text["laterattribute"] = "of a version to come";
  text["data"]["laterMember"] = {{"one", 1}, {"many", {1, 2, 3}}};
  bench.desk().SayText(saying.topic, text.dump(),
                       {.content_type = std::string(wire::kContentType), .correlation_data = {}, .user = {}});
  const bool handled = bench.Handled(saying, from);
  bench.desk().Check("P11", handled,
                     handled ? "it was dealt with" : "a message with unknown members was not dealt with");
}

void AskProperties(Bench& bench) {
  const std::size_t from = bench.desk().heard().size();
  const Saying saying = bench.Probe();
  bench.desk().Say(saying, {.content_type = "application/cloudevents+json; charset=utf-8",
                            .correlation_data = std::string("\x00\xff\x01", 3),
                            .user = {{"id", "another"}, {"priority", "low"}, {"priority", "high"}}});
  const bool handled = bench.Handled(saying, from);
  bench.desk().Check("P12", handled,
                     handled ? "it was dealt with" : "a message with other properties was not dealt with");
}

void AskClock(Bench& bench) {
  for (const auto skew : {std::chrono::hours(26), std::chrono::hours(-26)}) {
    const std::size_t from = bench.desk().heard().size();
    Saying saying = bench.Probe();
    saying.envelope.time = WallClock() + skew;
    bench.desk().Say(saying);
    const std::string ahead = skew.count() > 0 ? "a time 26 hours ahead" : "a time 26 hours behind";
    const bool handled = bench.Handled(saying, from);
    bench.desk().Check("P17", handled, ahead + (handled ? " was taken" : " was not dealt with"));
    if (!handled) return;
  }
}

// ---- what cannot be read

std::vector<std::string> Rubbish(std::uint64_t seed) {
  std::mt19937_64 dice(seed);
  std::string noise;
  for (int i = 0; i < 512; ++i) noise += static_cast<char>(dice());
  return {"",
          "{",
          "[]",
          "null",
          "\xff\xfe\xfd",
          noise,
          R"({"specversion":"2.0","id":"1","source":"registry","type":"x","data":{}})",
          R"({"specversion":"1.0","id":7,"source":[],"type":{},"data":"text"})",
          std::string(2000, '['),
          "{\"specversion\":\"1.0\",\"filler\":\"" + std::string(300000, 'x') + "\"}"};
}

void AskRubbish(Bench& bench) {
  const std::size_t from = bench.desk().heard().size();
  const Saying saying = bench.Probe();
  for (const std::string& text : Rubbish(bench.options().seed)) bench.desk().SayText(saying.topic, text);
  bench.desk().Say(saying);
  const bool handled = bench.Handled(saying, from);
  bench.desk().Check(
      "P13", handled,
      handled ? "what came behind it was dealt with" : "what came behind it was not dealt with");
}

// ---- batches

void SayBatch(Bench& bench, const std::vector<std::string>& items) {
  wire::BatchWriter batch;
  for (const std::string& item : items) batch.Add(item);
  bench.desk().SayText(
      wire::BatchTopic(bench.desk().party()), std::move(batch).Take(),
      {.content_type = std::string(wire::kBatchContentType), .correlation_data = {}, .user = {}});
}

bool TakesBatches(Bench& bench, const char* clause) {
  if (!bench.options().batches)
    bench.desk().Note(clause, Finding::kNotObservable,
                      "this party takes no batches (--batches says that it does)");
  return bench.options().batches;
}

void AskBatch(Bench& bench) {
  if (!TakesBatches(bench, "P14")) return;
  const std::size_t from = bench.desk().heard().size();
  const Saying one = bench.Probe(), two = bench.Probe();
  SayBatch(bench, {wire::EncodeEnvelope(one.envelope), wire::EncodeEnvelope(two.envelope)});
  const bool handled = bench.Handled(one, from) && bench.Handled(two, from);
  bench.desk().Check(
      "P14", handled,
      handled ? "both envelopes were dealt with" : "an envelope of a batch was not dealt with");
}

void AskBadItem(Bench& bench) {
  if (!TakesBatches(bench, "P15")) return;
  const std::size_t from = bench.desk().heard().size();
  const Saying one = bench.Probe(), two = bench.Probe();
  SayBatch(bench, {wire::EncodeEnvelope(one.envelope), R"({"specversion":"1.0"})", "7",
                   wire::EncodeEnvelope(two.envelope)});
  const bool handled = bench.Handled(one, from) && bench.Handled(two, from);
  bench.desk().Check("P15", handled,
                     handled ? "the others were dealt with" : "an envelope beside it was not dealt with");
}

// ---- transfers

void AskTransfer(Bench& bench) {
  Desk& desk = bench.desk();
  const std::size_t from = desk.heard().size();
  const Saying asked = desk.Notification(wire::TransferRequested::kName, bench.TransferData("pending"));
  const std::string transfer = asked.envelope.data.at("transfer");
  desk.Say(asked);
  desk.Say(asked);
  bench.WaitAcked(*asked.envelope.seq);
  desk.Quiet(bench.options().quiet);
  std::vector<std::string> ids;
  for (std::size_t i = from; i < desk.heard().size(); ++i) {
    const Command& command = desk.heard()[i];
    const bool decides =
        command.name == wire::TransferApprove::kName || command.name == wire::TransferReject::kName;
    if (decides && !command.again && TextIn(command.data, "transfer") == transfer) ids.push_back(command.id);
  }
  if (ids.empty())
    return desk.Note("A4", Finding::kNotObservable,
                     "it leaves transfers to the registry's policy, or to people");
  desk.Check("A4", ids.size() == 1, "it answered with " + std::to_string(ids.size()) + " commands");
}

}  // namespace

const std::vector<Case>& PartyCases() {
  static const std::vector<Case> cases = {
      {"connect", "How does the party connect and subscribe?", {"P1", "P2", "P3"}, true, true, AskConnect},
      {"lost-reply", "The reply to a command is lost.", {"P7"}, true, true, AskLostReply},
      {"other-cause", "A reply names another command in its cause.", {"P8"}, true, true, AskOtherCause},
      {"rejected", "A command is rejected for good.", {"P9"}, true, true, AskRejected},
      {"put-off", "A command is rejected with 2400 and retryAfterSeconds 1.", {"P10"}, true, true, AskPutOff},
      {"away", "Something is said while the party is not connected.", {"P2"}, true, true, AskAway},
      {"cut",
       "The connection breaks before the broker hears the PUBACK, and the message comes again.",
       {"P7"},
       true,
       true,
       AskCut},
      {"unknown-member",
       "A message has an attribute and a member that no schema knows.",
       {"P11"},
       true,
       true,
       AskUnknownMember},
      {"properties",
       "A message has Correlation Data and user properties.",
       {"P12"},
       true,
       true,
       AskProperties},
      {"clock",
       "The time of a message is 26 hours ahead, then 26 hours behind.",
       {"P17"},
       true,
       true,
       AskClock},
      {"rubbish",
       "What is no message comes: no JSON, another version, noise, 300,000 octets.",
       {"P13"},
       true,
       true,
       AskRubbish},
      {"batch", "Two envelopes come in one message.", {"P14"}, true, true, AskBatch},
      {"batch-bad-item",
       "A batch holds two envelopes that cannot be read, between two good ones.",
       {"P15"},
       true,
       true,
       AskBadItem},
      {"transfer",
       "Another party asks for a device, and the notification comes twice.",
       {"A4"},
       true,
       true,
       AskTransfer},
  };
  return cases;
}

}  // namespace registry::conformance
