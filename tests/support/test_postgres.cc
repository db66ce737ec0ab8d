#include "tests/support/test_postgres.h"

#include <cctype>
#include <cstdio>
#include <cstdlib>

namespace registry::test {

lab::PostgresServer& SharedPostgres() {
  static const std::unique_ptr<lab::PostgresServer> server = [] {
    auto started = lab::PostgresServer::Start({});
    if (!started) {
      std::fprintf(stderr, "%s\n", started.error().message.c_str());
      std::abort();
    }
    return std::move(*started);
  }();
  return *server;
}

ledger::PostgresOptions PostgresOptionsFor(const lab::PostgresServer& server, const std::string& name) {
  ledger::PostgresOptions options;
  options.connection = server.connection();
  options.password = Secret(AsBytes(server.password()));
  options.schema = "of";
  for (const char c : name) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
    options.schema += plain ? static_cast<char>(std::tolower(static_cast<unsigned char>(c))) : '_';
  }
  constexpr std::size_t kNameMax = 63;
  if (options.schema.size() > kNameMax) options.schema.erase(0, options.schema.size() - kNameMax);
  return options;
}

}  // namespace registry::test
