// simulators/ota/script.h: the commands in a packet or in an HTTP answer, and what the card says of them. Pure, any thread.
// Expanded, definite    AA len {22 len C-APDU}…          AB len 80 01 count {23 len R-APDU}…
// Expanded, indefinite  AE 80 {22 len C-APDU}… 00 00     AF 80 {23 len R-APDU}… 00 00
// Compact               the C-APDUs one behind the other; count(1) SW(2) data of the last one
// Lengths are BER's, of one octet, 81 or 82. The card answers in the form in which it was asked.
// Errors: nullopt when the octets do not add up, or there are more than kCommandsMost commands; the card says 90 00 of such
//   a script inside its expanded answer (bad format). Commands have at most 260 octets.
// Not simulated: immediate action, error action and chaining of scripts (81, 82, 83).
// Spec: ETSI TS 102 226 §5.1 (compact), §5.2 (expanded).
#pragma once

#include <optional>
#include <vector>

#include "schemas/base/bytes.h"

namespace registry::sim::ota {

enum class ScriptForm { kCompact, kDefinite, kIndefinite };

inline constexpr std::size_t kCommandsMost = 64, kCommandMax = 260;

struct Script {
  ScriptForm form = ScriptForm::kDefinite;
  std::vector<Bytes> commands;
};

Bytes WriteScript(const Script& script);
std::optional<Script> ReadScript(const Bytes& octets);
// The form that such octets have, whether or not they are whole.
ScriptForm FormOf(const Bytes& octets);

struct ScriptAnswer {
  std::size_t count = 0;       // commands that were carried out
  std::vector<Bytes> answers;  // R-APDUs; of a compact script the last one only
  bool bad_format = false;
};

Bytes WriteAnswer(const ScriptAnswer& answer, ScriptForm form);
std::optional<ScriptAnswer> ReadAnswer(const Bytes& octets, ScriptForm form);

}  // namespace registry::sim::ota
