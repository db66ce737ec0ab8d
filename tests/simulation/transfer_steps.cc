#include "tests/simulation/transfer_steps.h"

#include "tests/support/test_registry.h"
#include "workers/domain/standing.h"

namespace registry::simulation {
namespace {

using nlohmann::json;

constexpr std::size_t kSpares = 6;  // ICCIDs beyond those that devices are registered with

std::string AnyOf(const char* const (&parties)[2], Dice& dice) { return parties[dice.Below(2)]; }
std::string SpareIccid(Dice& dice) { return test::IccidOf(kEsims + 1 + dice.Below(kSpares)); }

std::optional<domain::Device> AnyDevice(World& world, Dice& dice) {
  const auto devices = world.ledger().DevicesAfter(std::nullopt, ~std::size_t{0});
  if (devices->empty()) return std::nullopt;
  return (*devices)[dice.Below(devices->size())];
}

// Mostly the party that may set it.
std::string Setter(const domain::Device& device, bool mno, Dice& dice) {
  if (dice.Chance(8)) return kOperator;
  if (mno) return dice.Chance(95) ? domain::Sponsor(device).text() : AnyOf(kMnos, dice);
  const auto claimer = domain::Claimer(device);
  return claimer && dice.Chance(95) ? claimer->text() : AnyOf(kAsps, dice);
}

// Mostly the latest.
const TransferCode* AnyCode(const World& world, Dice& dice) {
  if (world.codes.empty()) return nullptr;
  return dice.Chance(70) ? &world.codes.back() : &world.codes[dice.Below(world.codes.size())];
}

std::string CodeText(const TransferCode& code, Dice& dice) {
  return dice.Chance(95) ? code.code : "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF-GGGG";
}

std::string EidOf(World& world, const std::string& device) {
  const auto found = world.ledger().LoadDevice(*DeviceId::Parse(device));
  return *found ? (*found)->eid.text() : test::EidOf(1);
}

}  // namespace

void SetCode(World& world, Dice& dice) {
  const auto device = AnyDevice(world, dice);
  if (!device) return;
  const bool to_claim = dice.Chance(40);
  const std::string party = Setter(*device, dice.Chance(to_claim ? 85 : 50), dice);
  json data = {{"device", device->id.text()}, {"purpose", to_claim ? "claim" : "transfer"}};
  if (dice.Chance(50)) data["validDays"] = 1 + dice.Below(20);
  const Answer answer = world.Ask(party, "authorisation.set", data);
  if (answer.accepted && !to_claim)
    world.codes.push_back({device->id.text(), party, answer.data.at("authorisationCode")});
}

void RequestTransfer(World& world, Dice& dice) {
  const TransferCode* const found = AnyCode(world, dice);
  if (found == nullptr) return SetCode(world, dice);
  const TransferCode code = *found;
  json data = {{"authorisationCode", CodeText(code, dice)}};
  const bool by_mno = code.setter.starts_with("mno") || (code.setter == kOperator && dice.Chance(50));
  std::string party = by_mno ? AnyOf(kMnos, dice) : AnyOf(kAsps, dice);
  if (by_mno && dice.Chance(50)) {
    data["eid"] = EidOf(world, code.device);
  } else {
    data["device"] = code.device;
  }
  if (by_mno) {
    data["iccid"] = dice.Chance(90) ? SpareIccid(dice) : test::IccidOf(1);
  } else {
    data["endpoint"] = dice.Chance(85) ? "main" : "other";
  }
  world.Ask(party, "transfer.request", data);
}

void AnswerTransfer(World& world, Dice& dice) {
  const auto devices = world.ledger().DevicesAfter(std::nullopt, ~std::size_t{0});
  std::vector<domain::Transfer> transfers;
  for (const domain::Device& device : *devices) {
    if (device.transfer && (domain::InTransfer(device) || dice.Chance(5)))
      transfers.push_back(*device.transfer);
  }
  if (transfers.empty()) return RequestTransfer(world, dice);
  const domain::Transfer transfer = dice.Pick(transfers);
  const std::size_t which = dice.Below(10);
  const char* const command = which < 6   ? "transfer.approve"
                              : which < 8 ? "transfer.reject"
                                          : "transfer.cancel";
  const PartyId& concerned = which < 8 ? transfer.from : transfer.to;
  const std::string party = dice.Chance(85)   ? concerned.text()
                            : dice.Chance(50) ? kOperator
                            : dice.Chance(50) ? AnyOf(kAsps, dice)
                                              : AnyOf(kMnos, dice);
  world.Ask(party, command, {{"transfer", transfer.id.text()}});
}

void ListTransfers(World& world, Dice& dice) {
  const std::string party = dice.Chance(20)   ? std::string(kOperator)
                            : dice.Chance(50) ? AnyOf(kAsps, dice)
                                              : AnyOf(kMnos, dice);
  json data = json::object();
  if (dice.Chance(30)) data["state"] = dice.Chance(50) ? "pending" : "completed";
  world.Ask(party, "transfer.list", data);
}

void AddProfile(World& world, Dice& dice) {
  const TransferCode* const found = AnyCode(world, dice);
  if (found == nullptr) return;
  const TransferCode code = *found;
  world.Ask(AnyOf(kMnos, dice), "esim.register",
            {{"eid", EidOf(world, code.device)},
             {"iccid", SpareIccid(dice)},
             {"authorisationCode", CodeText(code, dice)}});
}

}  // namespace registry::simulation
