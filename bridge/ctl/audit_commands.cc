#include "bridge/ctl/audit_commands.h"

#include <chrono>
#include <fstream>
#include <functional>
#include <iostream>
#include <thread>

#include "bridge/ctl/audit_line.h"
#include "bridge/ctl/device_argument.h"
#include "bridge/ledger/record_codec.h"

namespace registry::ctl {
namespace {

using ledger::HistoryRecord;
using ledger::LedgerReader;
using ledger::Seq;

constexpr std::size_t kAuditPage = 1000;
constexpr int kAuditFault = 3;
constexpr std::chrono::seconds kLookForMore{2};

[[noreturn]] void FailFault(const std::string& sentence) {
  std::cerr << "registryctl: " << sentence << '\n';
  throw CLI::RuntimeError(kAuditFault);
}

// Of the entry `seq`; empty for 0.
Bytes HashAt(const LedgerReader& ledger, Seq seq) {
  if (seq == 0) return {};
  const auto found = OrFail(ledger.HistoryAfter(seq - 1, 1));
  if (found.empty() || found.front().seq != seq)
    Fail("the ledger's history has no entry " + std::to_string(seq));
  return found.front().hash;
}

// The last entry there is: the page that is read last is small, whatever the length.
Seq LastOf(const LedgerReader& ledger) {
  Seq low = 0, high = 1;  // `low` is there (or nothing is), `high` is not
  const auto there = [&](Seq seq) { return !OrFail(ledger.HistoryAfter(seq - 1, 1)).empty(); };
  while (there(high)) {
    low = high;
    high *= 2;
  }
  while (high - low > 1) {
    const Seq middle = low + (high - low) / 2;
    (there(middle) ? low : high) = middle;
  }
  return low;
}

using OnRecord = std::function<void(const HistoryRecord& record, const Bytes& previous)>;

// Every entry behind `after` up to `until`, each held to the chain; the last one's number.
Seq EachAfter(const LedgerReader& ledger, Seq after, Seq until, const OnRecord& on_record) {
  Bytes previous = HashAt(ledger, after);
  for (;;) {
    const auto page = OrFail(ledger.HistoryAfter(after, kAuditPage));
    for (const auto& record : page) {
      if (record.seq > until) return after;
      if (record.seq != after + 1) FailFault("the history has no entry " + std::to_string(after + 1));
      if (ledger::ChainHash(previous, ledger::Encode(record.entry)) != record.hash)
        FailFault("the history's hash chain breaks at entry " + std::to_string(record.seq));
      on_record(record, previous);
      previous = record.hash;
      after = record.seq;
    }
    if (page.empty()) return after;
  }
}

struct AuditWanted {
  Seq from = 1, until = ~Seq{0}, lines = 10;
  std::string device, actor, file;
  bool follow = false;
};

bool IsWanted(const HistoryRecord& record, const AuditWanted& wanted, const std::optional<DeviceId>& device) {
  return (!device || record.entry.device == *device) &&
         (wanted.actor.empty() || record.entry.actor.text() == wanted.actor);
}

// Lines of one device or actor are for reading: they have gaps, so `audit verify` is for whole streams.
void Tail(const ReadOptions& options, const AuditWanted& wanted) {
  std::optional<DeviceId> device;
  if (!wanted.device.empty()) device = DeviceArgument(wanted.device);
  const auto print = [&](const HistoryRecord& record, const Bytes& previous) {
    if (IsWanted(record, wanted, device)) std::cout << AuditLine(record, previous).dump() << '\n';
  };
  Seq after = 0;
  {
    const OpenLedger ledger(options);
    const Seq last = LastOf(*ledger);
    after = EachAfter(*ledger, last > wanted.lines ? last - wanted.lines : 0, last, print);
  }
  // A reader sees what was there when it was opened.
  while (wanted.follow && std::cout.flush()) {
    std::this_thread::sleep_for(kLookForMore);
    const OpenLedger ledger(options);
    after = EachAfter(*ledger, after, ~Seq{0}, print);
  }
}

void Export(const ReadOptions& options, const AuditWanted& wanted) {
  const OpenLedger ledger(options);
  std::ofstream file;
  if (!wanted.file.empty()) {
    if (std::ifstream(wanted.file)) Fail(wanted.file + " is there already, and is not written over");
    file.open(wanted.file);
  }
  std::ostream& out = wanted.file.empty() ? std::cout : file;
  std::uint64_t lines = 0;
  const Seq last = EachAfter(*ledger, wanted.from - 1, wanted.until,
                             [&](const HistoryRecord& record, const Bytes& previous) {
                               out << AuditLine(record, previous).dump() << '\n';
                               ++lines;
                             });
  if (!out.flush()) Fail((wanted.file.empty() ? "standard output" : wanted.file) + " could not be written");
  if (!wanted.file.empty()) std::cout << lines << " lines, the last is entry " << last << '\n';
}

// A stream says of itself only that it is whole; the ledger says that it is the history, and that nothing was cut off before
// its end.
void HoldToLedger(const AuditCheck& check, const ReadOptions& options) {
  const OpenLedger ledger(options);
  const Bytes before = HashAt(*ledger, check.first() - 1);
  const bool begins = before.empty() || before == check.before_first();
  const auto same = [&] { return HashAt(*ledger, check.last()) == check.hash(); };
  if (!begins || !same()) FailFault("it is not the history of this ledger: their hashes differ");
}

void VerifyStream(const ReadOptions& options, const std::string& file) {
  std::ifstream opened;
  if (file != "-") opened.open(file);
  if (file != "-" && !opened) Fail(file + " cannot be read");
  std::istream& in = file == "-" ? std::cin : opened;
  AuditCheck check;
  std::uint64_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (const auto wrong = check.Take(line)) FailFault("line " + std::to_string(number) + ": " + *wrong);
  }
  if (check.lines() == 0) FailFault(file + " has no line");
  const bool with_ledger = !options.ledger.empty() || !options.config.empty();
  if (with_ledger) HoldToLedger(check, options);
  Print(Json{{"lines", check.lines()},
             {"first", check.first()},
             {"last", check.last()},
             {"hash", ToHex(check.hash())},
             {"held_to_ledger", with_ledger}},
        options.json);
}

}  // namespace

void AddAuditCommands(CLI::App& app) {
  const auto options = std::make_shared<ReadOptions>();
  const auto wanted = std::make_shared<AuditWanted>();
  auto* audit = app.add_subcommand("audit", "what was done, by whom and why, as hash-chained JSON lines")
                    ->require_subcommand(1);
  auto* tail = audit->add_subcommand("tail", "the newest entries");
  tail->add_option("--lines", wanted->lines, "how many of the newest are looked at (10)");
  tail->add_option("--device", wanted->device, "of those, only what is about this device");
  tail->add_option("--actor", wanted->actor, "of those, only what this party caused; registry: by itself");
  tail->add_flag("--follow", wanted->follow, "go on with what comes, until it is interrupted");
  tail->callback([options, wanted] { Tail(*options, *wanted); });
  auto* exported = audit->add_subcommand("export", "all entries, or a part without a gap");
  exported->add_option("--from", wanted->from, "number of the first entry (1)")
      ->check(CLI::Range(Seq{1}, ~Seq{0} >> 1));
  exported->add_option("--until", wanted->until, "number of the last entry")
      ->check(CLI::Range(Seq{1}, ~Seq{0} >> 1));
  exported->add_option("--to", wanted->file, "a new file (standard output)");
  exported->callback([options, wanted] { Export(*options, *wanted); });
  auto* verify =
      audit->add_subcommand("verify", "check an export; with --config or --ledger also against the ledger");
  verify->add_option("FILE", wanted->file, "what was exported; - for standard input")->required();
  verify->callback([options, wanted] { VerifyStream(*options, wanted->file); });
  for (auto* command : {tail, exported}) AddSourceOptions(*command, *options);
  AddReadOptions(*verify, *options);
}

}  // namespace registry::ctl
