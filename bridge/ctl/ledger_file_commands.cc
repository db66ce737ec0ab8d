#include "bridge/ctl/ledger_file_commands.h"

#include <iostream>
#include <memory>

#include "bridge/ctl/ledger_source.h"
#include "bridge/ledger/rocksdb/open.h"

namespace registry::ctl {
namespace {

struct FileOptions {
  ReadOptions source;
  bool accept_loss = false;
};

void Create(const FileOptions& options) {
  const std::string folder = LedgerFolder(options.source);
  OrFail(ledger::CreateRocksDbLedger(folder));
  std::cout << "a new ledger, which knows no device, is in " << folder << '\n';
}

void Adopt(const FileOptions& options) {
  const auto place = LedgerPlaceOf(options.source);
  std::cout << OrFail(place.postgres ? ledger::AdoptPostgresLedger(*place.postgres, options.accept_loss)
                                     : ledger::AdoptRocksDbLedger(place.folder, options.accept_loss))
            << '\n';
}

void DropTornTail(const FileOptions& options) {
  std::cout << OrFail(ledger::DropTornTail(LedgerFolder(options.source), options.accept_loss)) << '\n';
}

void Reindex(const FileOptions& options) {
  const auto place = LedgerPlaceOf(options.source);
  std::cout << OrFail(place.postgres ? ledger::ReindexPostgresLedger(*place.postgres)
                                     : ledger::ReindexRocksDbLedger(place.folder))
            << '\n';
}

void Migrate(const ReadOptions& source) {
  const auto place = LedgerPlaceOf(source);
  if (!place.postgres)
    FailWrong(
        "only a ledger in PostgreSQL is migrated (ledger.backend = \"postgres\"); registryd raises one in a "
        "folder "
        "when it starts");
  std::cout << OrFailNamed(ledger::MigratePostgresLedger(*place.postgres)) << '\n';
}

}  // namespace

void AddLedgerFileCommands(CLI::App& ledger) {
  const auto options = std::make_shared<FileOptions>();
  auto* create = ledger.add_subcommand("create", "make a new, empty ledger; for a new registry only");
  create->callback([options] { Create(*options); });
  auto* adopt =
      ledger.add_subcommand("adopt", "give its mark to a ledger from before there were marks, or anew");
  adopt->callback([options] { Adopt(*options); });
  auto* drop = ledger.add_subcommand(
      "drop-torn-tail", "cut off a last record that a power cut left in part; says what it drops");
  drop->callback([options] { DropTornTail(*options); });
  auto* reindex = ledger.add_subcommand(
      "reindex", "make the index of devices anew, should verify say that it is wrong; registryd is stopped");
  reindex->callback([options] { Reindex(*options); });
  for (auto* command : {create, adopt, drop, reindex}) AddSourceOptions(*command, options->source);
  auto* migrate = ledger.add_subcommand(
      "migrate",
      "make the tables of a ledger in PostgreSQL, or bring them to this release, beside nodes that run");
  migrate->add_option("--config", options->source.config, "configuration of registryd")->required();
  migrate->callback([options] { Migrate(options->source); });
  for (auto* command : {adopt, drop}) {
    command->add_flag("--accept-loss", options->accept_loss,
                      "also give up what was acknowledged and is gone");
  }
}

}  // namespace registry::ctl
