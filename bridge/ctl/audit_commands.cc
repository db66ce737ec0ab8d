#include "bridge/ctl/audit_commands.h"

#include <chrono>
#include <fstream>
#include <functional>
#include <iostream>
#include <thread>

#include "bridge/ctl/audit_line.h"
#include "bridge/ctl/device_argument.h"
#include "bridge/ledger/history_end.h"
#include "bridge/ledger/record_codec.h"

namespace registry::ctl {
namespace {

using ledger::HistoryRecord;
using ledger::LedgerReader;
using ledger::Seq;

constexpr std::size_t kAuditPage = 1000;
constexpr int kAuditFault = 3;
constexpr char kRegistryItself[] = "registry";  // the actor behind timers and DNS
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

struct Linked {
  HistoryRecord record;
  Bytes previous;  // the hash of the entry before it
};
// The newest wanted ones, the newest first.
using NewestFirst = std::vector<Linked>;

void HoldToChain(const Linked& linked) {
  if (ledger::ChainHash(linked.previous, ledger::Encode(linked.record.entry)) != linked.record.hash)
    FailFault("the history's hash chain breaks at entry " + std::to_string(linked.record.seq));
}

NewestFirst NewestOf(const LedgerReader& ledger, const DeviceId& device, const AuditWanted& wanted,
                     Seq last) {
  auto records = OrFail(ledger.HistoryOf(device));
  if (records.empty()) Fail("there is no history of device " + device.text());
  NewestFirst found;
  for (auto record = records.rbegin(); record != records.rend() && found.size() < wanted.lines; ++record) {
    if (record->seq > last || !IsWanted(*record, wanted, device)) continue;
    found.push_back({*record, HashAt(ledger, record->seq - 1)});
    HoldToChain(found.back());
  }
  return found;
}

// From the end back, until there are enough: of an actor that did little the whole history is read.
NewestFirst NewestOfActor(const LedgerReader& ledger, const AuditWanted& wanted, Seq last) {
  NewestFirst found;
  for (Seq end = last; end > 0 && found.size() < wanted.lines;) {
    const Seq after = end > kAuditPage ? end - kAuditPage : 0;
    const auto page = OrFail(ledger.HistoryAfter(after, end - after));
    if (page.size() != end - after) FailFault("the history has a gap behind entry " + std::to_string(after));
    for (std::size_t i = page.size(); i > 0 && found.size() < wanted.lines; --i) {
      if (!IsWanted(page[i - 1], wanted, std::nullopt)) continue;
      found.push_back({page[i - 1], i > 1 ? page[i - 2].hash : HashAt(ledger, after)});
      HoldToChain(found.back());
    }
    end = after;
  }
  return found;
}

// An actor who did nothing yet is no fault, a name that nobody has is one.
void SayNothingOf(const ReadOptions& options, const AuditWanted& wanted) {
  const bool is_registry = wanted.actor == kRegistryItself;
  if (!is_registry && IsRegistered(options, wanted.actor) == false) FailUnregistered(options, wanted.actor);
  std::cerr << "registryctl: the history has no entry that " << wanted.actor << " caused"
            << (wanted.device.empty() ? "" : " of this device") << '\n';
}

// Lines of one device or actor are for reading: they have gaps, so `audit verify` is for whole streams.
void Tail(const ReadOptions& options, const AuditWanted& wanted) {
  std::optional<DeviceId> device;
  if (!wanted.device.empty()) device = DeviceArgument(wanted.device);
  if (!wanted.actor.empty() && !PartyId::Parse(wanted.actor))
    FailWrong("'" + wanted.actor + "' is not the name of a party");
  const auto print = [&](const HistoryRecord& record, const Bytes& previous) {
    if (IsWanted(record, wanted, device)) std::cout << AuditLine(record, previous).dump() << '\n';
  };
  Seq after = 0;
  {
    const OpenLedger ledger(options);
    const Seq last = OrFail(ledger::HistoryEnd(*ledger));
    if (device || !wanted.actor.empty()) {
      const auto found =
          device ? NewestOf(*ledger, *device, wanted, last) : NewestOfActor(*ledger, wanted, last);
      for (auto it = found.rbegin(); it != found.rend(); ++it) print(it->record, it->previous);
      if (found.empty() && wanted.lines > 0 && !wanted.actor.empty()) SayNothingOf(options, wanted);
      after = last;
    } else {
      after = EachAfter(*ledger, last > wanted.lines ? last - wanted.lines : 0, last, print);
    }
  }
  // A reader sees what was there when it was opened.
  while (wanted.follow && std::cout.flush()) {
    std::this_thread::sleep_for(kLookForMore);
    const OpenLedger ledger(options);
    after = EachAfter(*ledger, after, ~Seq{0}, print);
  }
}

void Export(const ReadOptions& options, const AuditWanted& wanted) {
  if (wanted.from > wanted.until)
    FailWrong("--from " + std::to_string(wanted.from) + " is behind --until " + std::to_string(wanted.until));
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
  if (wanted.until != ~Seq{0} && last < wanted.until)
    std::cerr << "registryctl: the history ends with entry " << last << ", before --until " << wanted.until
              << '\n';
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
  tail->add_option("--lines", wanted->lines, "how many of the newest (10)");
  tail->add_option("--device", wanted->device, "only what is about this device");
  tail->add_option("--actor", wanted->actor, "only what this party caused; registry: by itself");
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
