// bridge/ctl/change.h: what registryctl's changing commands have in common: they are the operator's party (send.h), say why
// (--reason: told to the device's parties, and kept in the history that `audit` shows), and can be tried first (--dry-run,
// rehearsal.h).
// Errors: a reason that holds an EID or ICCID is a wrong argument, since a reason goes to parties that must not learn it.
// Threads: the main one.
#pragma once

#include "bridge/ctl/send.h"

namespace registry::ctl {

struct ChangeOptions {
  SendOptions send;
  std::string reason;
  bool dry_run = false;
};
// kKept: optional too, and only kept in the history: it is told to nobody.
enum class Reason { kRequired, kOptional, kKept, kNone };
void AddChangeOptions(CLI::App& command, ChangeOptions& options, Reason reason);
// Sends it, or decides it without doing it. `data` gets the reason.
void Change(const ChangeOptions& options, std::string_view command, Json data);
// The reason in `data`, checked.
void PutReason(const ChangeOptions& options, Json& data);

}  // namespace registry::ctl
