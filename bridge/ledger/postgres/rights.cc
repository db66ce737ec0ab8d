#include "bridge/ledger/postgres/rights.h"

#include "bridge/ledger/postgres/lasting.h"

namespace registry::ledger {

const Statement kWithoutRights{
    "",
    "SELECT coalesce(string_agg(c.relname, ', ' ORDER BY c.relname), ''), (SELECT count(*) FROM pg_namespace "
    "WHERE nspname = $1 AND NOT has_schema_privilege(oid, 'USAGE')) FROM pg_class c JOIN pg_namespace n ON "
    "n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'r' AND NOT (has_table_privilege(c.oid, "
    "'SELECT') AND has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE') AND "
    "has_table_privilege(c.oid, 'DELETE'))",
    {kTextOid}};

std::string RightsMissing(const std::string& schema, const Rows& without) {
  const std::string tables(without.At(0, 0)), role = "the role of ledger.connection may not ";
  std::string missing;
  if (!tables.empty())
    missing = role + "read and write the tables " + tables +
              ": GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA " + schema;
  if (OfInt8(without.At(0, 1)) > 0)
    missing += (missing.empty() ? "" : "; ") + role + "use the schema: GRANT USAGE ON SCHEMA " + schema;
  return missing;
}

Result<std::string> MissingRights(const PostgresOptions& options) {
  const auto answers = Lasting(options).Run({{&kWithoutRights, {options.schema}}});
  if (const auto* const failed = std::get_if<Failure>(&answers))
    return failed->AsError("asking for the role's rights");
  return RightsMissing(options.schema, std::get<std::vector<Rows>>(answers).front());
}

}  // namespace registry::ledger
