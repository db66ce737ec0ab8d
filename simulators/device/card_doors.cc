#include "simulators/device/card_doors.h"

namespace registry::sim {

Status CardDoors::OpenModem(const std::string& path, CardPort& card, const PtyModem::Options& options) {
  auto modem = PtyModem::Start(path, card, options);
  if (!modem) return modem.error();
  modems_.push_back(std::move(*modem));
  report_.Say({{"event", "card"}, {"modem", path}});
  return Done{};
}

Status CardDoors::OpenReader(const std::string& address, CardPort& card) {
  auto reader = VpcdCard::Start(address, card, [this, address](bool in_reader) {
    report_.Say({{"event", "card"}, {"vpcd", address}, {"in_reader", in_reader}});
  });
  if (!reader) return reader.error();
  readers_.push_back(std::move(*reader));
  return Done{};
}

void CardDoors::Close() {
  modems_.clear();
  readers_.clear();
}

}  // namespace registry::sim
