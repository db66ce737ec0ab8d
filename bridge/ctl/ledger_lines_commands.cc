#include "bridge/ctl/ledger_lines_commands.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>

#include "bridge/clock.h"
#include "bridge/ctl/ledger_lines.h"
#include "bridge/ctl/ledger_source.h"
#include "bridge/ledger/postgres/intake.h"

namespace registry::ctl {
namespace {

namespace fs = std::filesystem;

struct LinesGiven {
  ReadOptions source;
  std::string to, from;
};

void Say(std::ostream& out, const LedgerCounts& counts, const std::string& where, bool as_json) {
  const Json said{{"history", counts.point.history},
                  {"history_hash", ToHex(counts.point.chain)},
                  {"records", counts.all()},
                  {"counts", counts.records}};
  if (as_json) {
    out << said.dump(2) << '\n';
  } else {
    out << counts.all() << " records" << where << ", history entry " << counts.point.history << '\n';
  }
}

// An export is of the ledger: what waits for a decision is beside it.
void SayWhatWaits(const app::LedgerPlace& place) {
  if (!place.postgres) return;
  const std::uint64_t waiting = OrFailNamed(ledger::CountPostgresIntake(*place.postgres));
  if (waiting == 0) return;
  std::cerr
      << "registryctl: " << waiting
      << " acknowledged messages wait in the intake and are not exported: a registryd that starts on this "
         "ledger decides them\n";
}

// A file that is there by half has another name.
void Export(const LinesGiven& given) {
  ::umask(077);
  const auto scratch = OrFail(ScratchFolder::Make());  // for what a reader beside a ledger writes itself
  const ExportSource source{LedgerPlaceOf(given.source), scratch.path(), "registryctl " REGISTRY_VERSION,
                            SystemClock().Now()};
  SayWhatWaits(source.place);
  if (given.to == "-")
    return Say(std::cerr, OrFailNamed(ExportLines(source, std::cout)), "", given.source.json);
  if (fs::exists(given.to)) Fail(given.to + " exists; nothing is overwritten");
  const std::string part = given.to + ".part";
  std::ofstream file(part, std::ios::binary | std::ios::trunc);
  auto counts = ExportLines(source, file);
  file.close();
  std::error_code failed;
  if (counts && file) fs::rename(part, given.to, failed);
  if (!counts || !file || failed) fs::remove(part, failed);
  if (counts && (!file || failed)) Fail(given.to + ": cannot be written");
  Say(std::cout, OrFailNamed(std::move(counts)), " are in " + given.to, given.source.json);
}

void Import(const LinesGiven& given) {
  if (given.to.empty() && given.source.config.empty())
    FailWrong("say where the ledger is to be made: --to FOLDER or --config FILE");
  ::umask(077);
  const auto scratch = OrFail(ScratchFolder::Make());  // for what a reader beside a ledger writes itself
  std::ifstream file;
  if (given.from != "-") file.open(given.from, std::ios::binary);
  if (!file) Fail(given.from + ": cannot be read");
  std::istream& lines = given.from == "-" ? std::cin : file;
  const auto to = given.to.empty() ? LedgerPlaceOf(given.source) : app::LedgerPlace{given.to, std::nullopt};
  Say(std::cout, OrFailNamed(ImportLines(lines, to, scratch.path())), " are in the new ledger " + to.text(),
      given.source.json);
}

}  // namespace

void AddLedgerLines(CLI::App& ledger) {
  const auto given = std::make_shared<LinesGiven>();
  auto* to_lines = ledger.add_subcommand("export", "every record as a line of JSON; registryd may run");
  AddReadOptions(*to_lines, given->source);
  to_lines->add_option("--to", given->to, "file to make; - is standard output")->required();
  to_lines->callback([given] { Export(*given); });
  auto* from_lines = ledger.add_subcommand("import", "make a new ledger of an export, and verify it");
  from_lines->add_option("FILE", given->from, "the export; - is standard input")->required();
  auto* folder =
      from_lines->add_option("--to", given->to, "folder of the ledger to make; must not exist, or be empty");
  from_lines
      ->add_option("--config", given->source.config,
                   "configuration of registryd; the ledger is made where it says")
      ->excludes(folder);
  from_lines->add_flag("--json", given->source.json, "print JSON");
  from_lines->callback([given] { Import(*given); });
}

}  // namespace registry::ctl
