#include "clients/conformance/clauses.h"

#include <algorithm>

namespace registry::conformance {

const std::vector<Clause>& Clauses() {
  static const std::vector<Clause> clauses = {
      {"P1", true, true, "A party connects with TLS 1.3, its certificate, and MQTT 5 or 3.1.1."},
      {"P2", true, true, "A party keeps its session, so it hears what was said while it was away."},
      {"P3", true, true, "A party subscribes to its own space with QoS 1 before it sends its first command."},
      {"P4", true, true, "A party publishes with QoS 1, never retained, in its own space."},
      {"P5", true, true, "A command is one CloudEvent whose source, type and data are as its schema says."},
      {"P6", true, true, "An id names one command: a repeat has the same type, time and data."},
      {"P7", true, true, "A party repeats a command with its id until the reply is there."},
      {"P8", true, true, "A party takes as the reply only what names the command in its cause."},
      {"P9", true, true, "A party does not repeat a command that was rejected for good."},
      {"P10", true, true,
       "A party repeats what was rejected with 2400 or 2502, with the same id, after retryAfterSeconds."},
      {"P11", true, true, "A party ignores members that it does not know."},
      {"P12", true, true, "A party needs nothing but the payload: other MQTT properties change nothing."},
      {"P13", true, true, "A message that a party cannot read costs it that message alone."},
      {"P14", true, true, "A party that takes batches reads each envelope as if it had come alone."},
      {"P15", true, true, "An envelope of a batch that a party cannot read costs the others nothing."},
      {"P16", true, true, "A Response Topic lies in the party's own space."},
      {"P17", true, true, "A party judges no message by its time: clocks differ."},
      {"P18", true, true, "A party repeats a command for seven days at most."},
      {"F1", true, true,
       "A party asks with feed.replay for what is missing, from the first missing number on."},
      {"F2", true, true, "A party acknowledges only up to the first missing number."},
      {"F3", true, true, "A party acknowledges what it has dealt with."},
      {"F4", true, true, "A party deals once with a notification that comes twice."},
      {"F5", true, true, "A replay of what a party has dealt with changes nothing."},
      {"F6", true, true, "A party compares seq as a number."},
      {"F7", true, true, "A party passes over a notification of a type that it does not know."},
      {"J1", true, false,
       "An MNO answers each action: key.generate with a csr.submit, the others with a do.result."},
      {"J2", true, false, "The CSR is as the contract has it, and it names the job it answers."},
      {"J3", true, false, "An MNO does a job once, and answers it as often as it is asked."},
      {"J4", true, false, "An MNO answers an action that it does not know with action_unknown."},
      {"J5", true, false, "An MNO does not carry out a wipe after its deadline."},
      {"J6", true, false, "The later of profile.disable and profile.enable holds."},
      {"J7", true, false, "Each key.generate makes another key."},
      {"J8", true, false, "The progress of a job never becomes less."},
      {"J9", true, false, "An MNO reports that a device is on the network, or has left it."},
      {"J10", true, false, "An MNO drops a wipe whose report is answered with job_unknown."},
      {"J11", true, false, "After a refused CSR an MNO sends the next one for the same job."},
      {"A1", false, true,
       "An ASP lets in the devices that it has claimed, until it hears that one is none of its own."},
      {"A2", false, true, "Of two notifications about one device the one with the higher seq counts."},
      {"A3", false, true, "A device that was transferred away is none of the ASP's own."},
      {"A4", true, true, "A party answers the request for a transfer once."},
      {"A5", false, true, "An ASP seals a passphrase for the key of the device's certificate."},
  };
  return clauses;
}

const Clause* FindClause(std::string_view number) {
  const auto& all = Clauses();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Clause& clause) { return clause.number == number; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace registry::conformance
