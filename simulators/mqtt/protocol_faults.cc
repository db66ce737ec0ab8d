#include "simulators/mqtt/protocol_faults.h"

namespace registry::sim {

const std::vector<ProtocolFaultRow>& ProtocolFaultRows() {
  using Fault = ProtocolFault;
  static const std::vector<ProtocolFaultRow> rows = {
      {Fault::kNoRepeat, "no_repeat", "says a command once, and waits for ever", true, true},
      {Fault::kNewId, "new_id", "repeats a command under a new id", true, true},
      {Fault::kOtherTime, "other_time", "repeats a command with the time of the repetition", true, true},
      {Fault::kCleanSession, "clean_session", "connects with Clean Start 1", true, true},
      {Fault::kQos0, "qos0", "publishes with QoS 0", true, true},
      {Fault::kBatchStops, "batch_stops", "reads a batch up to the first envelope that it cannot read", true,
       true},
      {Fault::kUnknownMemberRefused, "unknown_member_refused",
       "drops a message with a member that it does not know", true, true},
      {Fault::kCauseIgnored, "cause_ignored", "takes any reply for the one that it waits for", true, true},
      {Fault::kFinalRepeated, "final_repeated", "goes on repeating a command that was rejected", true, true},
      {Fault::kRetryAtOnce, "retry_at_once", "does not wait for retryAfterSeconds", true, true},
      {Fault::kSkewRefused, "skew_refused", "drops a message whose time is an hour off its own clock", true,
       true},
      {Fault::kAckBeyond, "ack_beyond", "acknowledges the highest number that it has seen", true, true},
      {Fault::kGapIgnored, "gap_ignored", "never asks for a replay", true, true},
      {Fault::kSeqAsText, "seq_as_text", "compares seq as a text", true, true},
      {Fault::kDuplicatesDealtWith, "duplicates_dealt_with", "deals with a notification as often as it comes",
       true, true},
      {Fault::kJobDoneTwice, "job_done_twice", "does a job anew when it comes again", true, false},
      {Fault::kJobForgotten, "job_forgotten", "says nothing to a job that it has done", true, false},
      {Fault::kOtherJob, "other_job", "reports a payload under another job's id", true, false},
      {Fault::kLateWipeDone, "late_wipe_done", "carries out a wipe after its deadline", true, false},
      {Fault::kUnknownActionIgnored, "unknown_action_ignored",
       "says nothing to an action that it does not know", true, false},
      {Fault::kOldCsr, "old_csr", "answers each key.generate with the first CSR", true, false},
      {Fault::kRefusedCsrKept, "refused_csr_kept", "sends a refused CSR again", true, false},
      {Fault::kSuspendedServed, "suspended_served", "goes on serving a suspended device", false, true},
      {Fault::kOrderIgnored, "order_ignored", "takes the notification that came last for the newest", false,
       true},
      {Fault::kTransferIgnored, "transfer_ignored", "goes on serving a device that was transferred away",
       false, true},
  };
  return rows;
}

std::optional<ProtocolFault> ProtocolFaultOf(std::string_view name) {
  for (const ProtocolFaultRow& row : ProtocolFaultRows()) {
    if (row.name == name) return row.fault;
  }
  return std::nullopt;
}

}  // namespace registry::sim
