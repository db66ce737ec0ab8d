#include "bridge/ledger/postgres/schema.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <deque>
#include <map>

#include "bridge/ledger/keyed/keys.h"
#include "bridge/ledger/postgres/nodes.h"
#include "bridge/ledger/postgres/schema_steps.h"

namespace registry::ledger {
namespace {

using std::chrono::steady_clock;

Error Refuse(std::string_view symbol, const PostgresOptions& options, const std::string& what) {
  return Error::Make(Code::kFailed, symbol, "the ledger in " + NameOfPlace(options) + " " + what);
}

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using ParsedOptions = std::unique_ptr<PQconninfoOption, FreeOptions>;

// Null: `why` says it.
ParsedOptions Parse(const std::string& connection, std::string& why) {
  char* message = nullptr;
  ParsedOptions parsed(PQconninfoParse(connection.c_str(), &message));
  if (message != nullptr) {
    why = message;
    PQfreemem(message);
  }
  return parsed;
}

using Values = std::map<std::string, std::string>;

// Laid over `values`. An empty one counts: it keeps libpq from looking into the environment.
void Take(const PQconninfoOption* options, Values& values) {
  for (; options != nullptr && options->keyword != nullptr; ++options) {
    if (options->val != nullptr) values[options->keyword] = options->val;
  }
}

std::string ValueOf(const Values& values, const char* name, const std::string& otherwise = "") {
  const auto found = values.find(name);
  return found == values.end() || found->second.empty() ? otherwise : found->second;
}

std::vector<std::string> Listed(const std::string& list) {
  std::vector<std::string> all;
  for (std::size_t from = 0; from <= list.size();) {
    const std::size_t to = std::min(list.find(',', from), list.size());
    all.push_back(list.substr(from, to - from));
    from = to + 1;
  }
  return all;
}

// A socket in the file system, or loopback. A name that begins as an address does is a name.
bool StaysHere(const std::string& host) {
  if (host.empty() || host[0] == '/' || host[0] == '@' || host == "localhost") return true;
  in_addr four{};
  if (::inet_pton(AF_INET, host.c_str(), &four) == 1) return (ntohl(four.s_addr) >> 24) == IN_LOOPBACKNET;
  in6_addr six{};
  return ::inet_pton(AF_INET6, host.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six) != 0;
}

// Several stand behind each other with commas. Where there is an address, the name is not looked up (libpq's manual,
// 34.1.2).
bool AllStayHere(const Values& values) {
  const auto hosts = Listed(ValueOf(values, "host")), addresses = Listed(ValueOf(values, "hostaddr"));
  for (std::size_t i = 0; i < std::max(hosts.size(), addresses.size()); ++i) {
    const std::string host = i < hosts.size() ? hosts[i] : "";
    if (!StaysHere(i < addresses.size() && !addresses[i].empty() ? addresses[i] : host)) return false;
  }
  return true;
}

// What libpq will go by: the connection, and for what it does not say the environment (PGHOST, PGSERVICE and so on).
Values InEffect(const ParsedOptions& connection) {
  Values values;
  const ParsedOptions defaults(PQconndefaults());
  Take(defaults.get(), values);
  Take(connection.get(), values);
  return values;
}

// Who owns a schema need not be allowed to make one, not even with IF NOT EXISTS.
std::vector<std::string> Tables(const std::string& schema, bool schema_is_there) {
  const std::string of = Quoted(schema) + ".";
  std::vector<std::string> all;
  if (!schema_is_there) all.push_back("CREATE SCHEMA " + Quoted(schema));
  for (const char* const name : kColumnNames) {
    // What is written again and again gets room beside it on its page, and its dead rows go soon.
    all.push_back("CREATE TABLE " + of + Quoted(name) +
                  " (key bytea PRIMARY KEY, record bytea NOT NULL) WITH (fillfactor = 80, "
                  "autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.1)");
  }
  all.push_back("CREATE TABLE " + of +
                "writer (only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one), epoch bigint NOT NULL, "
                "number bigint NOT NULL) WITH (fillfactor = 10)");
  all.push_back("INSERT INTO " + of + "writer (epoch, number) VALUES (0, 0)");
  for (std::string& statement : StepsAfter(1, schema)) all.push_back(std::move(statement));
  return all;
}

// In one transaction.
Status Apply(Connection& connection, std::vector<std::string> all, std::chrono::milliseconds within) {
  std::deque<Statement> statements;
  std::vector<Request> requests = {{&Statements::kBegin}};
  for (std::string& sql : all) {
    statements.push_back({"", std::move(sql), {}});
    requests.push_back({&statements.back()});
  }
  requests.push_back({&Statements::kCommit});
  const auto answers = connection.Run(requests, steady_clock::now() + within);
  const auto* const failed = std::get_if<Failure>(&answers);
  return failed != nullptr ? Status(failed->AsError("migrating")) : Status(Done{});
}

Result<std::unique_ptr<Connection>> ConnectToMigrate(const PostgresOptions& options) {
  auto made = Connection::Open(options, Connection::Server::kWritable);
  if (const auto* const failed = std::get_if<Failure>(&made)) return failed->AsError("migrating");
  return std::get<std::unique_ptr<Connection>>(std::move(made));
}

// In SQL, for what has no parameters.
std::string Literal(std::string_view octets) { return "'\\x" + ToHex(AsBytes(octets)) + "'::bytea"; }

// Who has the ledger, or has stood by within the last minute, and does not know the tables of this release.
std::string EarlierNodes(const NodesSeen& nodes) {
  constexpr std::int64_t kStoodBy = 60'000'000;  // microseconds
  std::vector<std::string> names;
  const auto add = [&](const std::string& name, const std::string& version) {
    names.push_back("node '" + name + "' (" + version + ")");
  };
  if (nodes.lease.process != 0 && nodes.lease.tables < SchemaVersion())
    add(nodes.lease.node, nodes.lease.version);
  for (const StandbySeen& one : nodes.standing_by) {
    if (one.tables < SchemaVersion() && nodes.lease.now.micros - one.said.micros < kStoodBy)
      add(one.name, one.version);
  }
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

Result<std::optional<std::uint64_t>> NumberAt(const Store& store, const char* key) {
  const auto stored = store.Get(Column::kMeta, key);
  if (!stored) return stored.error();
  if (!*stored) return std::optional<std::uint64_t>();
  if ((*stored)->size() != 8)
    return Error::Make(Code::kFailed, kLedgerDamaged, std::string("the number '") + key + "' is malformed");
  return std::optional(Fixed64(**stored));
}

}  // namespace

Status CheckPostgresOptions(const PostgresOptions& options) {
  const auto wrong = [](const std::string& what) { return Error::Make(Code::kFailed, kLedgerFailed, what); };
  std::string why;
  const auto parsed = Parse(options.connection, why);
  if (!parsed) return wrong("is no connection of libpq: " + why);
  Values own;
  Take(parsed.get(), own);
  if (!ValueOf(own, "service").empty())
    return wrong("names a service, whose file says the rest unseen: say host, port and the like here");
  if (!ValueOf(own, "password").empty())
    return wrong("holds a password, which belongs into a file of its own");
  const Values values = InEffect(parsed);
  if (!AllStayHere(values) && ValueOf(values, "sslmode") != "verify-full")
    return wrong("leaves this machine, so it has to say sslmode=verify-full");
  const bool named = !options.schema.empty() && options.schema.size() <= 63 &&
                     std::all_of(options.schema.begin(), options.schema.end(), [](char c) {
                       return c == '_' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
                     });
  if (!named) return wrong("the schema's name is of 1 to 63 characters out of a-z, 0-9 and _");
  return Done{};
}

std::string NameOfPlace(const PostgresOptions& options) {
  std::string why;
  const Values values = InEffect(Parse(options.connection, why));
  return "database " + ValueOf(values, "dbname", "of the user's name") + " on " +
         ValueOf(values, "host", "this machine") + ", schema " + options.schema;
}

Status CheckSchema(const Store& store, const PostgresOptions& options) {
  const auto version = NumberAt(store, kSchemaKey);
  if (!version && version.error().symbol == kLedgerMissing)
    return Refuse(kLedgerMissing, options, "is not there: `registryctl ledger migrate` makes it");
  if (!version) return version.error();
  const auto format = NumberAt(store, keys::kFormat);
  if (!format) return format.error();
  const auto import = store.Get(Column::kMeta, kImportKey);
  if (!import) return import.error();
  if (*import)
    return Refuse(kLedgerUnmarked, options, "is being imported: `registryctl ledger import` goes on with it");
  if (!*version || !*format) return Refuse(kLedgerUnmarked, options, "has no version");
  if (**version > SchemaVersion() || **format > kLedgerFormat)
    return Refuse(kLedgerNewer, options, "was written by a newer release");
  if (**version < kOldestSchema || **format < kLedgerFormat)
    return Refuse(kLedgerFailed, options, "is of an earlier release: `registryctl ledger migrate` raises it");
  if (**version == SchemaVersion()) return Done{};
  const auto prepared = NumberAt(store, kPreparedKey);
  if (!prepared) return prepared.error();
  if (prepared->value_or(0) < SchemaVersion())
    return Refuse(kLedgerFailed, options,
                  "is of an earlier release: `registryctl ledger migrate` prepares it, also beside a "
                  "registry that runs");
  return Done{};
}

Result<bool> IsPreparedOnly(const Store& store, const PostgresOptions& options) {
  if (!CheckSchema(store, options)) return false;
  const auto version = NumberAt(store, kSchemaKey);
  if (!version) return version.error();
  return **version < SchemaVersion();
}

Result<bool> MakeTables(const PostgresOptions& options) {
  const auto connection = ConnectToMigrate(options);
  if (!connection) return connection.error();
  const Statement there{
      "", "SELECT to_regclass($1) IS NOT NULL, to_regnamespace($2) IS NOT NULL", {kTextOid, kTextOid}};
  const std::string schema = Quoted(options.schema), table = schema + ".writer";
  const Statement named{"", "SELECT record FROM " + schema + ".meta WHERE key = $1", {kByteaOid}};
  const auto ask = [&](const Request& request) {
    return (*connection)->Run({request}, steady_clock::now() + options.answer_within);
  };
  const auto seen = ask({&there, {table, schema}});
  if (const auto* const failed = std::get_if<Failure>(&seen)) return failed->AsError("migrating");
  const Rows& is_there = std::get<std::vector<Rows>>(seen).front();
  const std::string_view yes("\1", 1);
  if (is_there.At(0, 0) != yes) {
    auto made = Apply(**connection, Tables(options.schema, is_there.At(0, 1) == yes), options.answer_within);
    return made ? Result<bool>(true) : Result<bool>(made.error());
  }
  const auto version = ask({&named, {kSchemaKey}});
  if (const auto* const failed = std::get_if<Failure>(&version)) return failed->AsError("migrating");
  const Rows& number = std::get<std::vector<Rows>>(version).front();
  const std::uint64_t from = number.size() > 0 ? Fixed64(number.At(0, 0)) : 1;
  if (from >= SchemaVersion()) return false;
  const auto prepared = ask({&named, {kPreparedKey}});
  if (const auto* const failed = std::get_if<Failure>(&prepared)) return failed->AsError("migrating");
  const Rows& done = std::get<std::vector<Rows>>(prepared).front();
  if (done.size() > 0 && Fixed64(done.At(0, 0)) >= SchemaVersion()) return false;
  auto steps = StepsAfter(from, options.schema);
  steps.push_back("INSERT INTO " + schema + ".meta VALUES (" + Literal(kPreparedKey) + ", " +
                  Literal(keys::OfSeq(SchemaVersion())) +
                  ") ON CONFLICT (key) DO UPDATE SET record = excluded.record");
  if (auto made = Apply(**connection, std::move(steps), options.answer_within); !made) return made.error();
  return false;
}

Result<std::string> RaiseBesideNodes(const PostgresOptions& options) {
  const auto nodes = NodesOfPostgres(options);
  if (!nodes) return nodes.error();
  const std::string to = std::to_string(SchemaVersion()), place = "the ledger in " + NameOfPlace(options);
  const std::string earlier = EarlierNodes(*nodes);
  if (!earlier.empty())
    return "the tables of " + place + " have what version " + to +
           " needs, and stay of the earlier version: " + earlier +
           " knows no other. Upgrade it, and run `registryctl ledger migrate` again";
  const auto connection = ConnectToMigrate(options);
  if (!connection) return connection.error();
  const std::string schema = Quoted(options.schema), epoch = Int8(nodes->lease.epoch);
  // Nobody has opened the ledger since the nodes were looked at: it could be one of the earlier release.
  const Statement raise{"",
                        "UPDATE " + schema +
                            ".meta SET record = $1 WHERE key = $2 AND EXISTS (SELECT 1 FROM " + schema +
                            ".writer WHERE epoch = $3 FOR UPDATE)",
                        {kByteaOid, kByteaOid, kInt8Oid}};
  const std::string record = keys::OfSeq(SchemaVersion()), key = kSchemaKey;
  const auto answers =
      (*connection)->Run({{&raise, {record, key, epoch}}}, steady_clock::now() + options.answer_within);
  if (const auto* const failed = std::get_if<Failure>(&answers)) return failed->AsError("migrating");
  if (std::get<std::vector<Rows>>(answers).front().changed() != 1)
    return Error::Make(Code::kFailed, kLedgerInUse,
                       "a registry has opened " + place + " meanwhile; run it again");
  return "the tables of " + place + " were brought to version " + to;
}

Result<std::optional<std::uint64_t>> RaiseTables(PostgresStore& store) {
  const auto version = NumberAt(store, kSchemaKey);
  if (!version) return version.error();
  if (!*version || **version >= SchemaVersion()) return std::optional<std::uint64_t>();
  OrderedWrites writes;
  writes.Put(Column::kMeta, kSchemaKey, writes.Keep(keys::OfSeq(SchemaVersion())));
  if (auto raised = store.Write(writes, true); !raised) return raised.error();
  return *version;
}

}  // namespace registry::ledger
