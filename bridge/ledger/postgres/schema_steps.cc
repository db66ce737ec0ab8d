#include "bridge/ledger/postgres/schema_steps.h"

#include "bridge/ledger/postgres/schema_to_come.h"
#include "bridge/ledger/postgres/statements.h"

namespace registry::ledger {
namespace {

// What the broker has been told we have. Rows come and go all the time: the dead ones go after so many, however large the
// table is. A payload is sealed as a rule, and not to be compressed. Then small things that are kept (kept.h), and who may
// write to both (owner.h).
std::vector<std::string> TablesBeside(const std::string& of) {
  return {
      "CREATE TABLE IF NOT EXISTS " + of +
          "intake (key bytea PRIMARY KEY, record bytea NOT NULL) WITH (autovacuum_vacuum_scale_factor = 0, "
          "autovacuum_vacuum_threshold = 2000)",
      "ALTER TABLE " + of + "intake ALTER COLUMN record SET STORAGE EXTERNAL",
      "CREATE TABLE IF NOT EXISTS " + of + "kept (key bytea PRIMARY KEY, record bytea NOT NULL)",
      "CREATE TABLE IF NOT EXISTS " + of +
          "owner (only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one), epoch bigint NOT NULL) "
          "WITH (fillfactor = 10)",
      "INSERT INTO " + of + "owner (epoch) VALUES (0) ON CONFLICT DO NOTHING",
  };
}

// Who writes, and who waits to (nodes.h).
std::vector<std::string> NodeTables(const std::string& of) {
  return {"ALTER TABLE " + of +
              "writer ADD COLUMN IF NOT EXISTS began bigint NOT NULL DEFAULT 0, "
              "ADD COLUMN IF NOT EXISTS lease_ms bigint NOT NULL DEFAULT 0, "
              "ADD COLUMN IF NOT EXISTS node text NOT NULL DEFAULT '', "
              "ADD COLUMN IF NOT EXISTS version text NOT NULL DEFAULT '', "
              "ADD COLUMN IF NOT EXISTS acked bigint NOT NULL DEFAULT 0, "
              "ADD COLUMN IF NOT EXISTS tables bigint NOT NULL DEFAULT 3, "
              "ADD COLUMN IF NOT EXISTS since timestamptz NOT NULL DEFAULT now(), "
              "ADD COLUMN IF NOT EXISTS said timestamptz NOT NULL DEFAULT now()",
          "CREATE TABLE IF NOT EXISTS " + of +
              "standby (name text PRIMARY KEY, version text NOT NULL, tables bigint NOT NULL, "
              "reaches_broker boolean NOT NULL, "
              "since timestamptz NOT NULL DEFAULT now(), said timestamptz NOT NULL DEFAULT now()) "
              "WITH (fillfactor = 20)"};
}

// Who commits beside the one that has the ledger, and what each transaction changed (members.h). `shared` is the epoch
// whose holder lets others commit: the next opening ends that without a word.
std::vector<std::string> MemberTables(const std::string& of) {
  return {"ALTER TABLE " + of +
              "writer ADD COLUMN IF NOT EXISTS shared bigint NOT NULL DEFAULT 0, "
              "ADD COLUMN IF NOT EXISTS beats bigint NOT NULL DEFAULT 0",
          "CREATE TABLE IF NOT EXISTS " + of +
              "member (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, epoch bigint NOT NULL, "
              "name text NOT NULL, version text NOT NULL, beats bigint NOT NULL DEFAULT 0, "
              "ended boolean NOT NULL DEFAULT false, since timestamptz NOT NULL DEFAULT now(), "
              "said timestamptz NOT NULL DEFAULT now()) WITH (fillfactor = 20)",
          "CREATE TABLE IF NOT EXISTS " + of +
              "changes (number bigint PRIMARY KEY, member bigint NOT NULL, record bytea NOT NULL) WITH "
              "(autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)"};
}

std::vector<SchemaStep> AllSteps() {
  std::vector<SchemaStep> all = {{2, &TablesBeside}, {3, &NodeTables}, {4, &MemberTables}};
  const auto more = StepsToCome();
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace

std::uint64_t SchemaVersion() { return AllSteps().back().version; }

std::vector<std::string> StepsAfter(std::uint64_t version, const std::string& schema) {
  std::vector<std::string> all;
  for (const SchemaStep& step : AllSteps()) {
    if (step.version <= version) continue;
    for (std::string& statement : step.statements(Quoted(schema) + ".")) all.push_back(std::move(statement));
  }
  return all;
}

}  // namespace registry::ledger
