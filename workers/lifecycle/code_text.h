// workers/lifecycle/code_text.h: an authorisation code as its holder reads it (RFC 9154). It is computed from a key and from
// what it was made for, so nothing has to keep it: a device's record has its hash, and a stored reply has a place-holder,
// which is filled in where the reply leaves. Whoever has neither the key nor the reply cannot know it.
// Pure, any thread.
#pragma once

#include <string>
#include <string_view>

#include "workers/domain/changeset.h"

namespace registry::lifecycle {

// What a code is made for. `cause` is the command that made it, which its setter sends once.
struct CodeMade {
  DeviceId device;
  domain::CodePurpose purpose = domain::CodePurpose::kClaim;
  PartyId set_by;
  EventId cause;
};

inline constexpr std::size_t kCodeKeySize = 32;  // octets

// 140 bits of HMAC-SHA-256 (RFC 2104) under the key, in base32 (RFC 4648 §6): seven groups of four. The same each time.
std::string CodeText(const Bytes& key, const CodeMade& made);

// SHA-256 of a code. Hyphens, and whether letters are large, say nothing in a code of this form; of any other every
// character counts, as in codes of older ledgers.
Bytes CodeHash(std::string_view given);

// Stands in a stored reply for the code, and is a code of no device.
inline constexpr std::string_view kCodePlaceholder = "----";
// A reply that was stored with the place-holder is given the code; everything else stays what it is. The place-holder
// counts only where the registry itself has put it, in the accepted reply to a command that makes a code.
void FillInCode(const Bytes& key, domain::OutgoingMessage& message);

// With every word that has the form of a code blotted out, and the value of every member that is called authorisationCode,
// whatever stands around it and be it JSON or not: for what a person is to read.
std::string WithoutCodes(std::string_view text);

}  // namespace registry::lifecycle
