#include "bridge/ctl/ledger_commands.h"

#include <cstdint>
#include <iostream>

#include "bridge/ctl/ledger_file_commands.h"
#include "bridge/ctl/ledger_source.h"
#include "bridge/ledger/postgres/intake.h"
#include "bridge/ledger/rocksdb/open.h"
#include "workers/domain/job_kinds.h"

namespace registry::ctl {
namespace {

constexpr std::size_t kAll = ~std::size_t{0};
constexpr int kFaultFound = 3;

void Verify(const ReadOptions& options) {
  const auto place = LedgerPlaceOf(options);
  const OpenLedger ledger(place);
  auto report = OrFail(ledger::Verify(*ledger));
  // First, since what is not there or not whole explains the rest.
  const auto whole = place.postgres ? Status(Done{}) : ledger::CheckRocksDbFiles(place.folder);
  if (!whole) report.faults.insert(report.faults.begin(), whole.error().message);
  Json out{{"history_entries", report.history_entries},
           {"devices", report.devices},
           {"indexed", report.indexed},
           {"faults", report.faults}};
  // Beside the ledger, and no fault.
  const std::uint64_t waiting = place.postgres ? OrFail(ledger::CountPostgresIntake(*place.postgres)) : 0;
  if (place.postgres) out["intake_waiting"] = waiting;
  if (options.json) {
    Print(out, true);
  } else {
    std::cout << report.history_entries << " history entries, " << report.devices << " devices, "
              << (report.faults.empty() ? "sound" : std::to_string(report.faults.size()) + " faults") << '\n';
    if (!report.indexed) std::cout << "no index of devices yet: registryd makes it when it starts\n";
    if (waiting > 0) std::cout << waiting << " acknowledged messages wait in the intake for their decision\n";
    for (const auto& fault : report.faults) std::cout << "fault: " << fault << '\n';
  }
  if (!report.faults.empty()) throw CLI::RuntimeError(kFaultFound);
}

void ListDeadLetters(const ReadOptions& options) {
  const OpenLedger ledger(options);
  Json rows = Json::array();
  const auto letters = OrFail(ledger->DeadLettersAfter(0, kAll));
  for (const auto& [seq, letter] : letters) {
    Json row{{"seq", seq}, {"at", Text(letter.at)}, {"reason", letter.reason}, {"topic", letter.topic}};
    // What nobody understood may hold anything, private identifiers included, in any encoding.
    row["octets"] = letter.payload.size();
    if (options.reveal) row["payload"] = letter.payload;
    rows.push_back(std::move(row));
  }
  // Topics and payloads are strangers' octets: JSON replaces what is not UTF-8, a terminal gets no control characters.
  rows = Json::parse(rows.dump(-1, ' ', true, Json::error_handler_t::replace));
  if (!options.json) {
    for (auto& row : rows) {
      row["topic"] = row["topic"].dump(-1, ' ', true);
      if (row.contains("payload")) row["payload"] = row["payload"].dump(-1, ' ', true);
    }
  }
  PrintList(rows, "there is no dead letter", options.json);
}

// One that waits until its MNO has room for it has been sent no time.
std::uint32_t AttemptsOf(const domain::Job& job) { return job.unsent ? 0 : job.attempt; }
std::string StageOf(const domain::Job& job) { return job.unsent ? "waits for room" : job.last_stage; }

void ListJobs(const ReadOptions& options) {
  const OpenLedger ledger(options);
  Json rows = Json::array();
  const auto add = [&rows](const std::vector<domain::Job>& jobs) {
    for (const auto& job : jobs) {
      rows.push_back({{"job", job.id.text()},
                      {"device", job.device().text()},
                      {"kind", domain::JobKindName(job.kind)},
                      {"attempt", AttemptsOf(job)},
                      {"due", Text(job.due)},
                      {"stage", StageOf(job)}});
    }
  };
  add(OrFail(ledger->JobsDue(UtcTime{INT64_MAX}, kAll)));
  for (const auto& [mno, load] : OrFail(ledger->JobLoads())) add(OrFail(ledger->JobsUnsent(mno, kAll)));
  PrintList(rows, "no job waits", options.json);
}

// Of a party that nothing was ever said to. A ledger does not know who is registered, the configuration does.
void FailUnlessRegistered(const ReadOptions& options, const std::string& name) {
  const auto registered = IsRegistered(options, name);
  if (!registered) {
    Fail("there is no feed of '" + name +
         "' in this ledger; with --config FILE it is known who is registered");
  }
  if (!*registered)
    Fail("'" + name + "' is not registered: no [[party]] of " + options.config + " has this name");
}

void ShowFeed(const ReadOptions& options, const std::string& name) {
  const auto party = PartyId::Parse(name);
  if (!party) FailWrong("'" + name + "' is not the name of a party");
  const OpenLedger ledger(options);
  const auto state = OrFail(ledger->LoadFeed(*party));
  if (state.last == 0) FailUnlessRegistered(options, name);
  Json items = Json::array();
  const auto waiting = OrFail(ledger->FeedFrom(*party, 0, kAll));
  for (const auto& item : waiting) {
    items.push_back({{"seq", item.seq},
                     {"time", Text(item.notification.time)},
                     {"type", item.notification.type},
                     {"id", item.notification.id.text()}});
  }
  if (options.json) return Print({{"last", state.last}, {"acked", state.acked}, {"items", items}}, true);
  std::cout << "last: " << state.last << "\nacked: " << state.acked << '\n';
  PrintList(items, "nothing waits to be acknowledged", false);
}

}  // namespace

void AddLedgerCommands(CLI::App& app) {
  // CLI11 keeps references; what they refer to lives as long as the commands' callbacks.
  const auto options = std::make_shared<ReadOptions>();
  const auto party = std::make_shared<std::string>();
  auto* ledger = app.add_subcommand("ledger", "the durable record")->require_subcommand(1);
  auto* verify = ledger->add_subcommand("verify", "check every file, the hash chain and every invariant");
  verify->callback([options] { Verify(*options); });
  AddLedgerFileCommands(*ledger);
  auto* letters = app.add_subcommand("dead-letter", "what could not be answered")->require_subcommand(1);
  auto* list_letters = letters->add_subcommand("list", "list dead letters");
  list_letters->add_flag("--reveal", options->reveal, "print payloads");
  list_letters->callback([options] { ListDeadLetters(*options); });
  auto* jobs = app.add_subcommand("job", "work that waits for others")->require_subcommand(1);
  auto* list_jobs = jobs->add_subcommand("list", "list waiting jobs, the next due first");
  list_jobs->callback([options] { ListJobs(*options); });
  auto* feeds = app.add_subcommand("feed", "notifications of a party")->require_subcommand(1);
  auto* show = feeds->add_subcommand("show", "what a party has not acknowledged");
  show->add_option("PARTY", *party, "name of the party")->required();
  show->callback([options, party] { ShowFeed(*options, *party); });
  for (auto* command : {verify, list_letters, list_jobs, show}) AddReadOptions(*command, *options);
}

}  // namespace registry::ctl
