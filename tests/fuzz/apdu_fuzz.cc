// Attacked: a soft card by a row of commands (op:u8 size:u8 octets): APDUs to the applet, APDUs through the issuer's door,
// power loss, an OTA session that begins and ends, GET RESPONSE for every answer or for none.
// A fault: a crash; an answer that is no answer, or says 6F00; a command that was refused and changed keys, secrets or
// files; a private key or a secret, or its half, in an answer.
#include "schemas/base/check.h"
#include "simulators/euicc/applet.h"
#include "simulators/euicc/ota.h"
#include "tests/fuzz/input.h"
#include "tests/support/made_keys.h"

namespace registry::sim {
namespace {

struct Card {
  CardLayout layout = *FindLayout("field");
  CardMemory memory;
  Applet applet{memory, layout};
  OtaChannel ota{memory, layout};

  // As one leaves the factory, and one slot a device may do anything with. The pair and the secrets made there are shared.
  Card() {
    static const CardMemory factory = *LayOut(layout);
    REG_CHECK(!test::MadeKeys().empty());
    memory = factory;
    memory.keys[{0x0f}].functions = kMaySign | kMayGenerate | kMayAgree;
    memory.files[{0x02}].content = Bytes(300, 0xab);
  }
};

bool Same(const ObjectHead& a, const ObjectHead& b) {
  return a.label == b.label && a.readable == b.readable && a.active == b.active && a.touched == b.touched;
}
bool Same(const KeySlot& a, const KeySlot& b) {
  return a.functions == b.functions && a.point() == b.point() && a.pair.has_value() == b.pair.has_value() &&
         a.foreign == b.foreign && Same(a.head, b.head);
}
bool Same(const Secret& a, const Secret& b) {
  return a.functions == b.functions && a.value == b.value && Same(a.head, b.head);
}
bool Same(const File& a, const File& b) { return a.content == b.content && Same(a.head, b.head); }

template <class Object>
bool Same(const Objects<Object>& a, const Objects<Object>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& one, const auto& other) {
    return one.first == other.first && Same(one.second, other.second);
  });
}
bool Same(const CardMemory& a, const CardMemory& b) {
  return Same(a.files, b.files) && Same(a.keys, b.keys) && Same(a.secrets, b.secrets);
}

// What the issuer has put on the card may be in its own answers; what the factory made is in none.
void KeepsSecrets(const Bytes& answer, const CardMemory& memory) {
  REG_CHECK(!test::HoldMadeKey(answer));
  for (const Bytes& id : {Bytes{0x0d}, Bytes{0x0e}}) {
    const auto secret = memory.secrets.find(id);
    if (secret == memory.secrets.end() || secret->second.head.touched != 0) continue;
    const Bytes& value = secret->second.value;
    if (value.size() < 16) continue;  // the issuer's own, in the place of one it has deleted
    REG_CHECK(std::search(answer.begin(), answer.end(), value.begin(), value.begin() + 16) == answer.end());
  }
}

void Judge(const Bytes& answer, const CardMemory& before, const CardMemory& after) {
  REG_CHECK(answer.size() >= 2 && answer.size() <= 257);
  const int status = answer[answer.size() - 2] << 8 | answer.back();
  REG_CHECK(status != 0x6f00 && status >> 12 >= 6 && status >> 12 <= 9);
  const bool done = status == 0x9000 || status == 0x6300 || status == 0x63cf || status >> 8 == 0x61;
  REG_CHECK(done || Same(before, after));
}

void Step(Card& card, std::uint8_t op, const Bytes& octets) {
  if (op == 1) return card.applet.Reset();
  if (op == 2) return card.applet.BeginRemote();
  if (op == 3) return card.applet.EndRemote();
  if (op == 5) {
    bool& waits = card.layout.habits.always_get_response;
    waits = !waits;
    return;
  }
  const CardMemory before = card.memory;
  const Bytes answer = op == 4 ? card.ota.Transmit(octets) : card.applet.Transmit(octets);
  Judge(answer, before, card.memory);
  KeepsSecrets(answer, before);
}

}  // namespace
}  // namespace registry::sim

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr int kStepsMax = 64;
  registry::sim::Card card;
  registry::test::MadeKeys().resize(1);  // the agreement key, which all cards share
  registry::fuzz::Input input(data, size);
  for (int steps = 0; steps < kStepsMax && !input.AtEnd(); ++steps) {
    const std::uint8_t op = input.Octet() % 8, length = input.Octet();
    registry::sim::Step(card, op, input.Take(length));
  }
  return 0;
}
