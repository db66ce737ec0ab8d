#include "bridge/ctl/outbox_commands.h"

#include <charconv>
#include <iostream>
#include <map>

#include "bridge/clock.h"
#include "bridge/ctl/choice.h"
#include "bridge/ctl/ledger_source.h"

namespace registry::ctl {
namespace {

struct SkipOptions {
  ReadOptions source;
  ledger::Sink sink = ledger::Sink::kMqtt;
  ledger::Seq seq = 0;
};

// What the entry was, for the dead letter; fails unless it is the very next one.
std::string Describe(const ledger::Ledger& ledger, const SkipOptions& options, ledger::Seq cursor) {
  const auto next = ledger.OutboxAfter(options.sink, cursor, 1, std::chrono::milliseconds(0));
  if (next && next->empty()) Fail("nothing waits in this outbox");
  const ledger::Seq seq = next ? next->front().seq : cursor + 1;
  if (seq != options.seq) {
    Fail("the entry this outbox waits with is " + std::to_string(seq) + "; only that one can be passed");
  }
  if (!next) return "unreadable (" + next.error().symbol + ")";
  const auto* message = std::get_if<domain::OutgoingMessage>(&next->front().item);
  return message == nullptr ? "readable" : "to " + message->topic;
}

void Skip(const SkipOptions& options) {
  auto ledger = OrFail(app::OpenLedger(LedgerPlaceOf(options.source), {}));
  ledger::SinkState state = OrFail(ledger->LoadSink(options.sink));
  const std::string what = Describe(*ledger, options, state.cursor);
  const std::string name =
      "outbox " + std::to_string(static_cast<int>(options.sink)) + " entry " + std::to_string(options.seq);
  domain::Changeset changes;
  changes.dead_letters.push_back({SystemClock().Now(), name, "", "skipped by the operator: " + what});
  OrFail(ledger->Commit(std::move(changes)));
  state.cursor = options.seq;  // the sink's own state, such as the zone's serial, stays
  OrFail(ledger->Advance(options.sink, state, true));
  std::cout << name << " passed: " << what << '\n';
}

// CLI11's own conversion takes -1 and what is too large for the largest number.
std::string ReadSeq(const std::string& text, ledger::Seq& seq) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), seq);
  const bool whole = failed == std::errc() && end == text.data() + text.size() && seq > 0;
  return whole ? "" : "'" + text + "' is no number of an entry";
}

}  // namespace

void AddOutboxCommands(CLI::App& app) {
  static const std::map<std::string, ledger::Sink> kSinks = {
      {"mqtt", ledger::Sink::kMqtt}, {"zone", ledger::Sink::kZone}, {"crl", ledger::Sink::kCrl}};
  const auto options = std::make_shared<SkipOptions>();
  auto* outbox = app.add_subcommand("outbox", "what waits to leave the ledger")->require_subcommand(1);
  auto* skip =
      outbox->add_subcommand("skip", "pass the entry an outbox cannot get over; registryd is stopped");
  AddChoice(*skip, "--sink", options->sink, kSinks, "which outbox")->required();
  skip->add_option_function<std::string>(
          "--seq", [options](const std::string& text) { ReadSeq(text, options->seq); },
          "its number, as the log says it")
      ->type_name("NUMBER")
      ->check([options](const std::string& text) { return ReadSeq(text, options->seq); })
      ->required();
  AddSourceOptions(*skip, options->source);
  skip->callback([options] { Skip(*options); });
}

}  // namespace registry::ctl
