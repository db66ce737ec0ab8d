// registryctl: the operator's program. Each group of commands adds itself; a command that fails has said why on stderr.
#include "bridge/ctl/device_commands.h"
#include "bridge/ctl/init_commands.h"
#include "bridge/ctl/ledger_commands.h"
#include "bridge/ctl/outbox_commands.h"
#include "bridge/ctl/zone_commands.h"

int main(int argc, char** argv) {
  CLI::App app("registryctl: sets up, reads and checks a registry");
  app.require_subcommand(1);
  registry::ctl::AddInitCommands(app);
  registry::ctl::AddDeviceCommands(app);
  registry::ctl::AddLedgerCommands(app);
  registry::ctl::AddOutboxCommands(app);
  registry::ctl::AddZoneCommands(app);
  CLI11_PARSE(app, argc, argv);
  return 0;
}
