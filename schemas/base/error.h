// schemas/base/error.h: the one error type of the registry, as it is also said on the wire.
// A failure is a value: an EPP result code (RFC 5730 §3), a stable symbol a program can switch on, and a sentence
// for a person. Third-party exceptions and status types end at their adapter and become one of these.
// Threads: plain value. Privacy: `message` never holds an EID, ICCID, IMSI, MSISDN, IMEI or a secret.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace registry {

// RFC 5730 §3: result codes. Only those the registry uses.
enum class Code : int {
  kDone = 1000,
  kPending = 1001,
  kUnknownCommand = 2000,
  kSyntax = 2001,
  kUseError = 2002,
  kMissingParameter = 2003,
  kRange = 2004,
  kValueSyntax = 2005,
  kUnsupportedVersion = 2100,
  kUnimplemented = 2101,
  kNotAuthorised = 2201,
  kBadAuthorisationCode = 2202,
  kExists = 2302,
  kNotFound = 2303,
  kStatusProhibits = 2304,
  kAssociationProhibits = 2305,
  kPolicy = 2306,
  kFailed = 2400,
  kLimit = 2502,
};

struct Error {
  Code code = Code::kFailed;
  std::string symbol;   // stable, snake_case; every one is listed in schemas/ERRORS.md
  std::string message;  // one sentence, may change
  std::string field;    // JSON pointer into the command's data, empty when none applies
  std::string step;     // step of an activation that failed, empty when none applies
  std::optional<int> retry_after_seconds;
  std::string limit{};  // which of the sender's limits is reached, and what is left of it
  std::optional<std::uint64_t> left{};

  static Error Make(Code code, std::string_view symbol, std::string_view message,
                    std::string_view field = {}) {
    return Error{code, std::string(symbol), std::string(message), std::string(field), {}, {}};
  }
};

}  // namespace registry
