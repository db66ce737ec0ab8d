// registryctl: the operator's program. Each group of commands adds itself; a command that fails has said why on stderr.
// Exit: 0 done; 1 failed; 2 for a wrong command line; 3 when `ledger verify`, `audit` or `doctor` found a fault.
#include "bridge/app/command_line.h"
#include "bridge/ctl/anchor_commands.h"
#include "bridge/ctl/audit_commands.h"
#include "bridge/ctl/authorisation_commands.h"
#include "bridge/ctl/backup_commands.h"
#include "bridge/ctl/ca_commands.h"
#include "bridge/ctl/crl_commands.h"
#include "bridge/ctl/device_commands.h"
#include "bridge/ctl/device_verbs.h"
#include "bridge/ctl/doctor.h"
#include "bridge/ctl/init_commands.h"
#include "bridge/ctl/key_commands.h"
#include "bridge/ctl/ledger_commands.h"
#include "bridge/ctl/ledger_lines_commands.h"
#include "bridge/ctl/ledger_step.h"
#include "bridge/ctl/node_commands.h"
#include "bridge/ctl/order_commands.h"
#include "bridge/ctl/order_verbs.h"
#include "bridge/ctl/outbox_commands.h"
#include "bridge/ctl/party_commands.h"
#include "bridge/ctl/party_life_commands.h"
#include "bridge/ctl/secondary_config.h"
#include "bridge/ctl/transfer_commands.h"
#include "bridge/ctl/transfer_decisions.h"
#include "bridge/ctl/zone_commands.h"
#include "bridge/secret.h"
#include "schemas/base/standard_descriptors.h"

int main(int argc, char** argv) {
  registry::OpenStandardDescriptors();
  registry::ProtectSecrets();
  CLI::App app("sets up, reads and checks a registry", "registryctl");
  app.require_subcommand(1);
  registry::ctl::AddInitCommands(app);
  registry::ctl::AddPartyLife(app);
  registry::ctl::AddBrokerCommands(app);
  registry::ctl::AddPartyList(*app.get_subcommand("party"));
  registry::ctl::AddDeviceCommands(app);
  registry::ctl::AddDeviceVerbs(*app.get_subcommand("device"));
  registry::ctl::AddOrderCommands(app);
  registry::ctl::AddOrderVerbs(*app.get_subcommand("order"));
  registry::ctl::AddTransferCommands(app);
  registry::ctl::AddTransferDecisions(*app.get_subcommand("transfer"));
  registry::ctl::AddLedgerCommands(app);
  registry::ctl::AddAuditCommands(app);
  registry::ctl::AddLedgerLines(*app.get_subcommand("ledger"));
  registry::ctl::AddLedgerStep(*app.get_subcommand("ledger"));
  registry::ctl::AddNodeCommands(app);
  registry::ctl::AddOutboxCommands(app);
  registry::ctl::AddZoneCommands(app);
  registry::ctl::AddCrlCommands(app);
  registry::ctl::AddSecondaryConfig(app);
  registry::ctl::AddAuthorisationCommands(app);
  registry::ctl::AddDoctor(app);
  registry::ctl::AddBackupCommands(app);
  registry::ctl::AddKeyCommands(app);
  registry::ctl::AddCaCommands(app);
  registry::ctl::AddAnchorCommands(app);
  return registry::app::TakeCommandLine(app, argc, argv).value_or(0);
}
