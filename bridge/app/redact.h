// bridge/app/redact.h: the last fence between private identifiers, authorisation codes and the log (design §4). No room
// puts an EID, ICCID, IMSI, MSISDN, IMEI or code into a log line; should one slip through inside a foreign sentence, it
// ends here. Pure.
#pragma once

#include <string>
#include <string_view>

namespace registry::app {

// A word with a run of 11 or more decimal digits becomes "[digits]"; with 18 or more where the whole word is
// hexadecimal and not decimal, as serials, digests and UUIDs are. All of the identifiers above are that long
// (E.164, E.118, SGP.29, TS 23.003), and DNS serials and ports are not.
// An authorisation code becomes "[code]" (workers/lifecycle/code_text.h).
std::string Redact(std::string_view line);

}  // namespace registry::app
