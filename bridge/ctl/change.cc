#include "bridge/ctl/change.h"

#include <cctype>

#include "bridge/ctl/names_an_esim.h"
#include "bridge/ctl/rehearsal.h"

namespace registry::ctl {
namespace {

// RFC 5280 §5.3.1 has one spelling, and a decision hangs on it.
bool IsNearlyKeyCompromise(const std::string& text) {
  constexpr std::string_view kExact = "keyCompromise", kLetters = "keycompromise";
  std::string letters;
  for (const char c : text) {
    if (std::isalpha(static_cast<unsigned char>(c)) != 0)
      letters += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return letters == kLetters && text != kExact;
}

}  // namespace

void AddChangeOptions(CLI::App& command, ChangeOptions& options, Reason reason) {
  if (reason != Reason::kNone) {
    command
        .add_option("--reason", options.reason,
                    reason == Reason::kKept ? "Why, for people: kept in the history that `audit` shows"
                                            : "Why, for people: told to the parties and kept in the history")
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
  if (IsNearlyKeyCompromise(options.reason))
    FailWrong("--reason '" + options.reason +
              "' revokes nothing; the reason that revokes is written keyCompromise");
  data["reason"] = options.reason;
}

void Change(const ChangeOptions& options, std::string_view command, Json data) {
  PutReason(options, data);
  if (!options.dry_run) return Send(options.send, command, data);
  Print(Rehearsal(options.send.from).Decide(command, data), options.send.json);
}

}  // namespace registry::ctl
