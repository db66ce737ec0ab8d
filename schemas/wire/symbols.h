// schemas/wire/symbols.h: every result code and every symbol that may be said on the wire; schemas/ERRORS.md
// is the same list for people, and a test holds the two equal and every Error made anywhere inside the list.
// A symbol never changes its meaning; one code per symbol. Plain values, any thread.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "schemas/base/error.h"

namespace registry::wire {

inline constexpr std::array kCodes{
    Code::kDone,
    Code::kPending,
    Code::kUnknownCommand,
    Code::kSyntax,
    Code::kUseError,
    Code::kMissingParameter,
    Code::kRange,
    Code::kValueSyntax,
    Code::kUnsupportedVersion,
    Code::kUnimplemented,
    Code::kNotAuthorised,
    Code::kBadAuthorisationCode,
    Code::kExists,
    Code::kNotFound,
    Code::kStatusProhibits,
    Code::kAssociationProhibits,
    Code::kPolicy,
    Code::kFailed,
    Code::kLimit,
};

struct SymbolRow {
  // Which section of ERRORS.md it stands in.
  enum class Said { kEnvelope, kData, kAdmission, kDecision, kReported, kOperator } said;
  Code code;
  std::string_view symbol;
  std::string_view meaning;
};
const std::vector<SymbolRow>& Symbols();

}  // namespace registry::wire
