// tests/unit/bridge/ctl/reading_commands.h: the operator's reading commands over a small ledger that is open elsewhere.
#pragma once

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>

#include "bridge/ctl/device_commands.h"
#include "bridge/ctl/ledger_commands.h"
#include "bridge/ctl/ledger_source.h"
#include "bridge/ctl/order_commands.h"
#include "bridge/ctl/outbox_commands.h"
#include "bridge/ctl/party_commands.h"
#include "bridge/ctl/transfer_commands.h"
#include "bridge/ledger/rocksdb/open.h"
#include "tests/support/device_maker.h"
#include "tests/support/ran_command.h"
#include "tests/support/smallest_config.h"
#include "tests/support/unprivileged.h"
#include "tests/unit/bridge/ledger/samples.h"
#include "workers/domain/job_kinds.h"

namespace registry::ctl {

using ledger::samples::DeviceOf;
using testing::HasSubstr;
using testing::Not;

using Ran = test::RanCommand;

inline Ran Ctl(std::vector<std::string> words) {
  CLI::App app("registryctl");
  AddDeviceCommands(app);
  AddOrderCommands(app);
  AddLedgerCommands(app);
  AddOutboxCommands(app);
  AddTransferCommands(app);
  AddPartyList(*app.add_subcommand("party"));
  return test::RanWith(app, std::move(words));
}

class ReadingCommands : public testing::Test {
 protected:
  ReadingCommands()
      : made_(ledger::CreateRocksDbLedger(folder_.path())),
        ledger_(*ledger::OpenRocksDbLedger({folder_.path()})) {
    domain::Changeset changes = ledger::samples::Registration(1);
    changes.notifications = {ledger::samples::Notification(1)};
    changes.devices[0].device.state = domain::State::kAttached;
    test::SetAttached(changes.devices[0].device);
    changes.jobs_put = {ledger::samples::Job(1)};
    changes.jobs_put[0].kind = domain::JobKind::kKeyGenerate;
    changes.jobs_put[0].version = 0;
    changes.dead_letters = {{ledger::samples::kNoon, "bad\x1b[2J", "secret \xff", "unknown_party"}};
    EXPECT_TRUE(ledger_->Commit(changes).ok());
  }
  Ran On(std::vector<std::string> words) {
    words.insert(words.end(), {"--ledger", folder_.path()});
    return Ctl(words);
  }

  ledger::samples::Folder folder_;
  const std::string id_ = DeviceOf(1).text();
  const std::string eid_ = ledger::samples::EidOf(1).text();
  const Status made_;
  std::unique_ptr<ledger::Ledger> ledger_;
};

}  // namespace registry::ctl
