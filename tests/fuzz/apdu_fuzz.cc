// Attacked: a soft card by a row of commands (op:u8 size:u8 octets): APDUs to the applet, APDUs through the issuer's door,
// power loss, an OTA session that begins and ends.
// A fault: a crash; an answer that is no answer, or says 6F00; a command that was refused and changed keys or files; a
// private key, or its half, in an answer.
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include <cstdarg>

#include "schemas/base/check.h"
#include "simulators/euicc/applet.h"
#include "simulators/euicc/ota.h"
#include "tests/fuzz/input.h"

namespace registry::sim {
namespace {

// The private scalar of every key that was made on the card. P256Key shows none, so they are taken from OpenSSL: the linker
// sends p256.cc here for new keys.
std::vector<Bytes>& Secrets() {
  static std::vector<Bytes> secrets;
  return secrets;
}

void NoteSecret(const EVP_PKEY* key) {
  BIGNUM* scalar = nullptr;
  REG_CHECK(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &scalar) == 1);
  Bytes octets(32);
  REG_CHECK(BN_bn2binpad(scalar, octets.data(), 32) == 32);
  BN_clear_free(scalar);
  Secrets().push_back(std::move(octets));
}

struct Card {
  CardMemory memory;
  Applet applet{memory};
  OtaChannel ota{memory};

  // As one leaves the factory, and one slot a device may do anything with.
  Card() {
    static const P256Key agreement = *P256Key::Generate();
    REG_CHECK(!Secrets().empty());
    memory.keys[{kSigningKey}].functions = kMaySign | kMayGenerate;
    memory.keys[{kAgreementKey}] = {kMayAgree, agreement, {}};
    memory.keys[{kPeerKey}].functions = kMayAgree;
    memory.keys[{0x0d}].functions = kMaySign | kMayGenerate | kMayAgree;
    memory.files[{0x02}] = Bytes(300, 0xab);
  }
};

bool Same(const KeySlot& a, const KeySlot& b) {
  return a.functions == b.functions && a.peer_point == b.peer_point &&
         a.pair.has_value() == b.pair.has_value() && (!a.pair || a.pair->point() == b.pair->point());
}

bool Same(const CardMemory& a, const CardMemory& b) {
  return a.files == b.files && std::equal(a.keys.begin(), a.keys.end(), b.keys.begin(), b.keys.end(),
                                          [](const auto& one, const auto& other) {
                                            return one.first == other.first && Same(one.second, other.second);
                                          });
}

void KeepsSecrets(const Bytes& answer) {
  for (const Bytes& secret : Secrets()) {
    for (const auto half : {secret.begin(), secret.begin() + 16})
      REG_CHECK(std::search(answer.begin(), answer.end(), half, half + 16) == answer.end());
  }
}

void Judge(const Bytes& answer, const CardMemory& before, const CardMemory& after) {
  REG_CHECK(answer.size() >= 2 && answer.size() <= 257);
  const int status = answer[answer.size() - 2] << 8 | answer.back();
  REG_CHECK(status != 0x6f00 && status >> 12 >= 6 && status >> 12 <= 9);
  REG_CHECK(status == 0x9000 || status == 0x6300 || Same(before, after));
  KeepsSecrets(answer);
}

void Step(Card& card, std::uint8_t op, const Bytes& octets) {
  if (op == 1) return card.applet.Reset();
  if (op == 2) return card.applet.BeginRemote();
  if (op == 3) return card.applet.EndRemote();
  const CardMemory before = card.memory;
  Judge(op == 4 ? card.ota.Transmit(octets) : card.applet.Transmit(octets), before, card.memory);
}

}  // namespace
}  // namespace registry::sim

extern "C" EVP_PKEY* __real_EVP_PKEY_Q_keygen(OSSL_LIB_CTX*, const char*, const char*, ...);
extern "C" EVP_PKEY* __wrap_EVP_PKEY_Q_keygen(OSSL_LIB_CTX* library, const char* properties, const char* type,
                                              ...) {
  std::va_list arguments;
  va_start(arguments, type);
  EVP_PKEY* const key = __real_EVP_PKEY_Q_keygen(library, properties, type, va_arg(arguments, const char*));
  va_end(arguments);
  registry::sim::NoteSecret(key);
  return key;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr int kStepsMax = 64;
  registry::sim::Card card;
  registry::sim::Secrets().resize(1);  // the agreement key, which all cards share
  registry::fuzz::Input input(data, size);
  for (int steps = 0; steps < kStepsMax && !input.AtEnd(); ++steps) {
    const std::uint8_t op = input.Octet() % 8, length = input.Octet();
    registry::sim::Step(card, op, input.Take(length));
  }
  return 0;
}
