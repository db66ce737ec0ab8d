#include "simulators/device/own_cards.h"

namespace registry::sim {
namespace {

class OwnCard : public CardPort {
 public:
  explicit OwnCard(std::unique_ptr<Euicc> euicc) : euicc_(std::move(euicc)) {}
  Bytes Transmit(const Bytes& apdu) override { return euicc_->applet().Transmit(apdu); }
  void Reset() override { euicc_->applet().Reset(); }

 private:
  const std::unique_ptr<Euicc> euicc_;
};

class RunningCards : public OwnCards {
 public:
  RunningCards(CardLayout layout, Report& report) : layout_(std::move(layout)), doors_(report) {}
  ~RunningCards() override { doors_.Close(); }
  Status Add(const OwnCardPlan& plan) {
    auto euicc = Euicc::Make(layout_);
    if (!euicc) return Error::Make(Code::kFailed, "card_unavailable", "no randomness for a card");
    cards_.push_back(std::make_unique<OwnCard>(std::move(euicc)));
    return plan.modem.empty() ? doors_.OpenReader(plan.vpcd, *cards_.back())
                              : doors_.OpenModem(plan.modem, *cards_.back(), plan.modem_options);
  }

 private:
  const CardLayout layout_;
  std::vector<std::unique_ptr<OwnCard>> cards_;
  CardDoors doors_;
};

}  // namespace

Result<std::unique_ptr<OwnCards>> OwnCards::Start(const std::vector<OwnCardPlan>& plans, CardLayout layout,
                                                  Report& report) {
  auto cards = std::make_unique<RunningCards>(std::move(layout), report);
  for (const OwnCardPlan& plan : plans) {
    if (auto added = cards->Add(plan); !added) return added.error();
  }
  return std::unique_ptr<OwnCards>(std::move(cards));
}

}  // namespace registry::sim
