#include "bridge/ctl/change.h"

#include <cctype>

#include "bridge/ctl/rehearsal.h"
#include "schemas/ids/ids.h"

namespace registry::ctl {
namespace {

// Whether a run of digits in it is an identifier that only its own MNO may know (design §4).
bool NamesAnEsim(const std::string& text) {
  std::string digits;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])) != 0) {
      digits += text[i];
      continue;
    }
    if (Eid::Parse(digits) || Iccid::Parse(digits)) return true;
    digits.clear();
  }
  return false;
}

}  // namespace

void AddChangeOptions(CLI::App& command, ChangeOptions& options, Reason reason) {
  if (reason != Reason::kNone) {
    command
        .add_option("--reason", options.reason,
                    "Why, for people: told to the parties and kept in the history")
        ->required(reason == Reason::kRequired)
        ->check([](const std::string& text) { return std::string(text.empty() ? "it says nothing" : ""); });
  }
  command.add_flag("--dry-run", options.dry_run, "Say what it would come to, and change nothing");
  AddSendOptions(command, options.send);
}

void PutReason(const ChangeOptions& options, Json& data) {
  if (options.reason.empty()) return;
  if (NamesAnEsim(options.reason))
    FailWrong("--reason holds an EID or ICCID; it is told to parties that must not learn it");
  data["reason"] = options.reason;
}

void Change(const ChangeOptions& options, std::string_view command, Json data) {
  PutReason(options, data);
  if (!options.dry_run) return Send(options.send, command, data);
  Print(Rehearsal(options.send.from).Decide(command, data), options.send.json);
}

}  // namespace registry::ctl
