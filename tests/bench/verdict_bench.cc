// What a verdict about a TLS client costs an ASP's server when its record set is cached, beside the signature check that it
// spares; and a whole mutual TLS 1.3 handshake that is decided by one, beside the same handshake decided by OpenSSL alone.
// The DNS is real (NSD, Unbound over TLS) and asked once. Both ends of a handshake run here, on one thread.
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cmath>

#include "clients/verdict/client_identity.h"
#include "clients/verdict/tls_guard.h"
#include "schemas/base/check.h"
#include "tests/bench/arguments.h"
#include "tests/bench/report.h"
#include "tests/unit/clients/verdict/client_world.h"

namespace registry::bench {
namespace {

using clients::test::ClientWorld;
using clients::test::Kind;

constexpr int kVerdictCalls = 20'000, kVerifyCalls = 5'000, kRounds = 20, kHandshakesPerRound = 50;

SSL_CTX* NewServer(const ClientWorld& world) {
  SSL_CTX* const server = SSL_CTX_new(TLS_server_method());
  SSL_CTX_use_certificate_file(server, world.server().certificate_file.c_str(), SSL_FILETYPE_PEM);
  SSL_CTX_use_PrivateKey_file(server, world.server().key_file.c_str(), SSL_FILETYPE_PEM);
  return server;
}

// As a server does without the library: the chain, and nothing of DNS or claims.
SSL_CTX* NewPlainServer(const ClientWorld& world) {
  SSL_CTX* const server = NewServer(world);
  SSL_CTX_set_min_proto_version(server, TLS1_3_VERSION);
  SSL_CTX_set_num_tickets(server, 0);
  for (const char* file : {"root.pem", "issuing.pem"}) {
    REG_CHECK(SSL_CTX_load_verify_file(server, world.folder().In(file).c_str()) == 1);
  }
  SSL_CTX_set_verify(server, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return server;
}

SSL_CTX* NewClient(const ClientWorld& world) {
  SSL_CTX* const client = SSL_CTX_new(TLS_client_method());
  const auto& device = world.device(Kind::kGood);
  SSL_CTX_use_certificate_file(client, device.certificate_file.c_str(), SSL_FILETYPE_PEM);
  SSL_CTX_use_PrivateKey_file(client, device.key_file.c_str(), SSL_FILETYPE_PEM);
  return client;
}

void Shake(SSL_CTX* client_context, SSL_CTX* server_context) {
  SSL *client = SSL_new(client_context), *server = SSL_new(server_context);
  BIO *one = nullptr, *other = nullptr;
  REG_CHECK(BIO_new_bio_pair(&one, 0, &other, 0) == 1);
  SSL_set_bio(client, one, one);
  SSL_set_bio(server, other, other);
  SSL_set_connect_state(client);
  SSL_set_accept_state(server);
  for (int i = 0; i < 6 && SSL_is_init_finished(server) != 1; ++i) {
    SSL_do_handshake(client);
    SSL_do_handshake(server);
  }
  REG_CHECK(SSL_is_init_finished(server) == 1);
  SSL_free(client);
  SSL_free(server);
  ERR_clear_error();
}

struct Handshakes {
  double judged = 0, plain = 0;  // CPU microseconds each
};

// In turn, so that what else the machine does falls on both.
Handshakes MeasureHandshakes(const ClientWorld& world, const clients::ClientCheck& check) {
  SSL_CTX *const client = NewClient(world), *const plain = NewPlainServer(world),
                 *const judged = NewServer(world);
  REG_CHECK(clients::Guard(judged, check, clients::kDefaultIdentityExtension).ok());
  Handshakes sums;
  for (int round = -1; round < kRounds; ++round) {
    const double one = MicrosPerCall(kHandshakesPerRound, [&](int) { Shake(client, plain); });
    const double other = MicrosPerCall(kHandshakesPerRound, [&](int) { Shake(client, judged); });
    if (round < 0) continue;  // to warm up
    sums.plain += one / kRounds;
    sums.judged += other / kRounds;
  }
  for (SSL_CTX* context : {client, plain, judged}) SSL_CTX_free(context);
  return sums;
}

int Run(int argc, char** argv) {
  Arguments arguments("bench_verdict");
  if (const auto end = arguments.Parse(argc, argv)) return *end;
  const auto world = ClientWorld::Start();
  REG_CHECK(world != nullptr);
  clients::OwnDevices own;
  own.Claimed(world->device(Kind::kGood).id);
  const auto check =
      *clients::ClientCheck::Create(world->trust(), &own, *clients::DaneResolver::Create(world->resolver()),
                                    {clients::Freshness::kCached, clients::NameFrom::kCertificate, 1000});
  const auto certificate = clients::test::Parsed(world->device(Kind::kGood).certificate);
  const auto judge = [&](int) { REG_CHECK(check->Judge(certificate.get(), std::nullopt).status.ok()); };
  judge(0);
  const double verdict = MicrosPerCall(kVerdictCalls, judge);
  const auto issuing = clients::test::Parsed(world->trust().issuing);
  EVP_PKEY* const key = X509_get0_pubkey(issuing.get());
  const double verify =
      MicrosPerCall(kVerifyCalls, [&](int) { REG_CHECK(X509_verify(certificate.get(), key) == 1); });
  const Handshakes handshakes = MeasureHandshakes(*world, *check);
  Report report;
  report.Add("client.verdict.cached", 1e6 / verdict, "1/s per core", 1e6 / verify,
             "OpenSSL verifies the certificate once", verify / verdict, 5000);
  report.Add("client.handshake.judged", handshakes.judged, "us CPU, both ends", handshakes.plain,
             "OpenSSL judges the chain alone", handshakes.plain / handshakes.judged,
             std::round(1.15 * handshakes.plain));
  return report.Write(arguments.json()) ? 0 : 1;
}

}  // namespace
}  // namespace registry::bench

int main(int argc, char** argv) { return registry::bench::Run(argc, argv); }
