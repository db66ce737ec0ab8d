// simulators/device/card_doors.h: where software by others finds a card: an AT modem, or the virtual reader of vsmartcard.
// Owns: the modems and cards in readers, each with a thread. Borrows the card ports and the report, which outlive it.
// Threads: Open and the destructor from one. Errors: of pty_modem.h and vpcd_card.h.
// It says {"event":"card","modem":PATH}, and {"event":"card","vpcd":ADDRESS,"in_reader":BOOL} whenever that changes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "simulators/console/report.h"
#include "simulators/terminal/pty_modem.h"
#include "simulators/terminal/vpcd_card.h"

namespace registry::sim {

class CardDoors {
 public:
  explicit CardDoors(Report& report) : report_(report) {}
  Status OpenModem(const std::string& path, CardPort& card, const PtyModem::Options& options = {});
  Status OpenReader(const std::string& address, CardPort& card);
  void Close();

 private:
  Report& report_;
  std::vector<std::unique_ptr<PtyModem>> modems_;
  std::vector<std::unique_ptr<VpcdCard>> readers_;
};

}  // namespace registry::sim
