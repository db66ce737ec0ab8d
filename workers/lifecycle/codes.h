// workers/lifecycle/codes.h: who may do something with a device because its holder has given them a code (RFC 9154): made,
// asked for, used up. The text of a code is code_text.h's.
// Who gives a code that is not valid learns nothing: one answer for a wrong one, one that is used up or has ended, a device
// that has none, and one that does not exist; locked or not. Five wrong ones in an hour lock a device's codes for the rest
// of it, and only who gives the right one is told so; a code that is set meanwhile is not locked, so that no stranger keeps
// a device's holder from handing it on.
// Pure, any thread.
#pragma once

#include "workers/domain/decision.h"

namespace registry::lifecycle {

// For whoever may use it: a claim is an ASP's, a transfer an MNO's or an ASP's; of role operator it serves either.
// Replaces the one that was set for the same, and answers what stands in the stored reply (code_text.h).
// `expires` is its end. The case names the party and command that set it.
std::string GiveCode(domain::Device& device, domain::CodePurpose purpose, wire::Role role, UtcTime expires,
                     const domain::Case& at);

// The device that this party may do this with, the code used up, for the caller to put. A refusal leaves the code as it is.
// 2202 authorisation_invalid; authorisation_locked. A wrong one is counted although the command is refused.
Result<domain::Device> Authorise(const DeviceId& device, domain::CodePurpose purpose, std::string_view given,
                                 domain::Case& at);
// The same of an eUICC's device.
Result<domain::Device> AuthoriseByEid(const Eid& eid, domain::CodePurpose purpose, std::string_view given,
                                      domain::Case& at);

}  // namespace registry::lifecycle
