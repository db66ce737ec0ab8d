// Attacked: a card's remote administration by a row of messages (op:u8 size:u8 octets): short messages as they come from the
// air, packets of somebody who has the keys, with any security parameters and any script, the answers of HTTP sessions, and
// the proofs that a platform reads.
// A fault: a crash; files that changed without a packet that was sealed with the card's keys; a counter that fell; more
// parts held than there may be; user data of a message beyond 140 octets.
#include "schemas/base/check.h"
#include "simulators/ota/card_agent.h"
#include "simulators/ota/http_message.h"
#include "simulators/ota/platform.h"
#include "tests/fuzz/input.h"

namespace registry::sim::ota {
namespace {

using Clock = CardAgent::Clock;

KeySet FuzzKeys() {
  KeySet keys;
  keys.kic = Bytes(16, 0x11);
  keys.kid = Bytes(16, 0x22);
  keys.kik = keys.psk = Bytes(16, 0x33);
  return keys;
}

struct Card {
  std::unique_ptr<Euicc> euicc = Euicc::Make();
  CardAgent agent{*euicc, FuzzKeys()};
  Platform platform{PlatformOptions(), [](const std::string&, const Bytes& user_data) {
                      REG_CHECK(user_data.size() <= kUserDataMax);
                    }};
  Clock::time_point now{std::chrono::hours(1)};
  std::uint8_t reference = 0;

  Card() {
    REG_CHECK(euicc != nullptr);
    platform.AddCard("card", FuzzKeys());
    (void)platform.Deliver("card", "job", WipeParcel("job"), now);
  }
  // What the issuer can read shows whether anything was written.
  Bytes Head() { return euicc->ota().Transmit(StoreDataBlocks(ReadHeadScript()).front()); }
};

void Judge(const CardAgent::Outcome& outcome) {
  REG_CHECK(outcome.submits.size() <= kPartsMost);
  for (const Bytes& sent : outcome.submits) REG_CHECK(sent.size() <= kUserDataMax);
  REG_CHECK(outcome.report.size() <= kUserDataMax);
}

// By somebody with the keys: first two octets the security parameters, one the counter's step, the rest the data.
void SaySealed(Card& card, const Bytes& octets) {
  if (octets.size() < 3) return;
  const auto spi = Spi::Decode(octets[0], octets[1]);
  if (!spi) return;
  const Bytes data(octets.begin() + 3, octets.end());
  const auto sealed = Seal({*spi, kDomainTar, card.agent.counter() + octets[2], data}, FuzzKeys());
  REG_CHECK(sealed.has_value());
  const auto parts = Parts(*sealed, PacketKind::kCommand, ++card.reference);
  REG_CHECK(parts.has_value());
  for (const Bytes& part : *parts) Judge(card.agent.Take(part, card.now));
}

void Read(const Bytes& octets) {
  for (const auto form : {ScriptForm::kCompact, ScriptForm::kDefinite, ScriptForm::kIndefinite}) {
    const auto answer = ReadAnswer(octets, form);
    if (answer && form != ScriptForm::kCompact && !answer->bad_format)
      REG_CHECK(ReadAnswer(WriteAnswer(*answer, form), form).has_value());
  }
  if (const auto script = ReadScript(octets)) REG_CHECK(ReadScript(WriteScript(*script)).has_value());
  std::string text(octets.begin(), octets.end());
  HttpMessage message;
  while (ReadHttp(text, message) == HttpRead::kWhole) continue;
}

void Step(Card& card, std::uint8_t op, const Bytes& octets) {
  const std::uint64_t counter = card.agent.counter();
  if (op == 0) {  // from the air
    const Bytes before = card.Head();
    Judge(card.agent.Take(octets, card.now));
    REG_CHECK(card.Head() == before);
  } else if (op == 1) {
    SaySealed(card, octets);
  } else if (op == 2) {
    card.platform.Heard("card", octets, card.now);
  } else if (op == 3) {
    card.now += std::chrono::seconds(octets.size());
    card.platform.Turn(card.now);
  } else if (op == 4) {
    if (const auto script = ReadScript(octets)) (void)card.agent.CarryOut(*script);
  } else {
    Read(octets);
  }
  REG_CHECK(card.agent.counter() >= counter);
}

}  // namespace
}  // namespace registry::sim::ota

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr int kStepsMax = 32;
  registry::sim::ota::Card card;
  registry::fuzz::Input input(data, size);
  for (int steps = 0; steps < kStepsMax && !input.AtEnd(); ++steps) {
    const std::uint8_t op = input.Octet() % 6, length = input.Octet();
    registry::sim::ota::Step(card, op, input.Take(length));
  }
  return 0;
}
