#include "bridge/ctl/ledger_step.h"

#include <memory>

#include "bridge/ctl/ledger_source.h"
#include "bridge/ledger/postgres/step.h"
#include "bridge/ledger/rocksdb/backup.h"
#include "bridge/zone/serials.h"

namespace registry::ctl {
namespace {

// RFC 1982 §3.1: a serial is ahead of another by less than 2^31. More versions than this no zone has had since its backup.
constexpr std::uint32_t kSerialStep = 100'000'000;

Status StepSerial(const app::LedgerPlace& place, std::uint32_t& above) {
  const auto ledger = app::OpenLedger(place, {});
  if (!ledger) return ledger.error();
  const auto state = (*ledger)->LoadSink(ledger::Sink::kZone);
  if (!state) return state.error();
  if (state->state.empty()) return Done{};
  zone::Serials serials(**ledger);
  if (auto opened = serials.Open(); !opened) return opened;
  const auto next = serials.Next();
  if (!next) return next.error();
  above = *next + kSerialStep;
  return serials.Pass(above);
}

}  // namespace

Result<SteppedOn> StepOn(const app::LedgerPlace& place) {
  auto open = place;
  if (open.postgres) open.postgres->mark_file.clear();  // it knows more than is there
  const auto numbers =
      open.postgres ? ledger::StepPostgresNumbers(*open.postgres) : ledger::StepNumbers(open.folder);
  if (!numbers) return numbers.error();
  SteppedOn stepped{*numbers, 0};
  if (auto serial = StepSerial(open, stepped.serial_above); !serial) return serial.error();
  // Last: until here the marks refuse every start, and the same again does no harm.
  if (place.postgres) {
    if (auto passed = ledger::PassPostgresMarks(*place.postgres); !passed) return passed.error();
  }
  return stepped;
}

void AddLedgerStep(CLI::App& ledger) {
  const auto source = std::make_shared<ReadOptions>();
  auto* step = ledger.add_subcommand("step",
                                     "let feeds, payloads and the zone's serial go on further, after the "
                                     "ledger's database was set back to an "
                                     "earlier state; registryd is stopped");
  AddReadOptions(*step, *source);
  step->callback([source] {
    const auto stepped = OrFailNamed(StepOn(LedgerPlaceOf(*source)));
    Print({{"feeds", stepped.numbers.feeds},
           {"devices", stepped.numbers.devices},
           {"zone_serial_above", stepped.serial_above}},
          source->json);
  });
}

}  // namespace registry::ctl
