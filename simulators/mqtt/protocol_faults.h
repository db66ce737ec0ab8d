// simulators/mqtt/protocol_faults.h: what a party's simulator does wrong towards the registry because it was told to, so
// that a program that looks for such faults can be tried (clients/conformance). Each is one fault, and none is on by
// itself. Plain values, any thread.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace registry::sim {

enum class ProtocolFault {
  kNoRepeat,
  kNewId,
  kOtherTime,
  kCleanSession,
  kQos0,
  kBatchStops,
  kUnknownMemberRefused,
  kCauseIgnored,
  kFinalRepeated,
  kRetryAtOnce,
  kSkewRefused,
  kAckBeyond,
  kGapIgnored,
  kSeqAsText,
  kDuplicatesDealtWith,
  // of an MNO
  kJobDoneTwice,
  kJobForgotten,
  kOtherJob,
  kLateWipeDone,
  kUnknownActionIgnored,
  kOldCsr,
  kRefusedCsrKept,
  // of an ASP
  kSuspendedServed,
  kOrderIgnored,
  kTransferIgnored,
};

struct ProtocolFaultRow {
  ProtocolFault fault;
  std::string_view name, what;
  bool mno = false, asp = false;
};
const std::vector<ProtocolFaultRow>& ProtocolFaultRows();
std::optional<ProtocolFault> ProtocolFaultOf(std::string_view name);

using ProtocolFaults = std::set<ProtocolFault>;

}  // namespace registry::sim
