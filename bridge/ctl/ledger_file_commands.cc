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
  std::cout << OrFail(ledger::AdoptRocksDbLedger(LedgerFolder(options.source), options.accept_loss)) << '\n';
}

void DropTornTail(const FileOptions& options) {
  std::cout << OrFail(ledger::DropTornTail(LedgerFolder(options.source), options.accept_loss)) << '\n';
}

void Reindex(const FileOptions& options) {
  std::cout << OrFail(ledger::ReindexRocksDbLedger(LedgerFolder(options.source))) << '\n';
}

}  // namespace

void AddLedgerFileCommands(CLI::App& ledger) {
  const auto options = std::make_shared<FileOptions>();
  auto* create = ledger.add_subcommand("create", "make a new, empty ledger; for a new registry only");
  create->callback([options] { Create(*options); });
  auto* adopt = ledger.add_subcommand("adopt", "give its mark to a ledger from before there were marks");
  adopt->callback([options] { Adopt(*options); });
  auto* drop = ledger.add_subcommand(
      "drop-torn-tail", "cut off a last record that a power cut left in part; says what it drops");
  drop->callback([options] { DropTornTail(*options); });
  auto* reindex = ledger.add_subcommand(
      "reindex", "make the index of devices anew, should verify say that it is wrong; registryd is stopped");
  reindex->callback([options] { Reindex(*options); });
  for (auto* command : {create, adopt, drop, reindex}) AddSourceOptions(*command, options->source);
  for (auto* command : {adopt, drop}) {
    command->add_flag("--accept-loss", options->accept_loss,
                      "also give up what was acknowledged and is gone");
  }
}

}  // namespace registry::ctl
