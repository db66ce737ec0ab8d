// simulators/euicc/issuer_script.h: what an issuer has done on its card, as TLVs one behind the other. IoT.05 leaves this
// side open. 74, 76, 77, 7B, 7D, 7E and 7F are as one vendor describes its applet; 70, 78 and 79 are this simulator's own.
//   70 {84 [74] | 85 [75] | 86 [76], 61 functions, [4B type, D1 value]}  a slot for a pair, for a peer's key, or a secret
//   74 {83, 20 size, [73 label], [21 usage]}   a file of so many 00
//   76 {83 | 73 | 84 | 74 | 85 | 75 | 86 | 76} deletes one object
//   77 {83 | 73, 53 content}                   writes a file; by id also one that was not there
//   78 {as 76}                                deletes one object, if it is there
//   79 {as 76, [60 access], [4A state]}        who may read it, whether it may be used: bit 1 of each
//   7B {85 | 75}                               answers the public key
//   7D {84 | 74, 50 subject}                   makes a CSR of a pair; a file with the label "CertificateSigningRequest"
//   7E {83 | 73}                               answers the file
//   7F 08 "clearall"                           every file, every pair the device can generate anew, every peer's key
// Errors: status words; a script is carried out whole or not at all. Answers of more than 255 octets together: 6A84.
// Threads: pure, any thread.
#pragma once

#include "simulators/euicc/apdu.h"
#include "simulators/euicc/memory.h"

namespace registry::sim {

inline constexpr std::string_view kCsrLabel = "CertificateSigningRequest";

ResponseApdu CarryOut(const Bytes& script, CardMemory& memory);

Bytes WriteFileScript(std::uint8_t id, const Bytes& content);
Bytes DeleteFileScript(std::uint8_t id);
Bytes RemoveFileScript(std::uint8_t id);  // if it is there
Bytes ReadFileScript(std::uint8_t id);
Bytes ClearAllScript();

}  // namespace registry::sim
