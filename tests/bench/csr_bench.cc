// Bench (a): CSR to certificate on one core, beside one raw P-256 verification and one raw signature by OpenSSL with
// reused contexts, in the same run: the CSR alone, and the whole decision with its look-ups in the memory ledger; and the
// payload's protection beside its own four raw operations.
// The rounds of floor and measurement alternate, so that a noisy neighbour is noisy to both.
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <vector>

#include "bridge/ledger/ledger.h"
#include "bridge/signing/ca.h"
#include "bridge/signing/key_file.h"
#include "bridge/signing/signer.h"
#include "schemas/base/check.h"
#include "tests/bench/arguments.h"
#include "tests/bench/report.h"
#include "tests/support/csr_maker.h"
#include "tests/support/device_maker.h"
#include "tests/support/soft_token.h"
#include "workers/crypto/p256.h"
#include "workers/csr_sign/csr_sign.h"
#include "workers/payload_push/cms.h"

namespace {

using namespace registry;

constexpr int kRounds = 10, kCallsPerRound = 400, kRequests = 200;
const UtcTime kNow = *FromRfc3339("2026-11-23T12:00:00Z");

struct Raw {
  test::Key key = test::NewEcKey();
  std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> sign{EVP_PKEY_CTX_new(key.get(), nullptr),
                                                                   &EVP_PKEY_CTX_free};
  std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> verify{EVP_PKEY_CTX_new(key.get(), nullptr),
                                                                     &EVP_PKEY_CTX_free};
  Bytes digest = Bytes(32, 0x5a), signature = Bytes(72);
  std::size_t size = 72;

  Raw() {
    REG_CHECK(EVP_PKEY_sign_init(sign.get()) == 1 && EVP_PKEY_verify_init(verify.get()) == 1);
    Sign();
  }
  void Sign() {
    size = signature.size();
    REG_CHECK(EVP_PKEY_sign(sign.get(), signature.data(), &size, digest.data(), digest.size()) == 1);
  }
  void Verify() {
    REG_CHECK(EVP_PKEY_verify(verify.get(), signature.data(), size, digest.data(), digest.size()) == 1);
  }
};

domain::Policy PolicyOf() {
  domain::Policy policy;
  policy.zone = "iotregistry.test";
  return policy;
}

struct Issuing {
  signing::Authority root = *signing::CreateRoot("bench root", {kNow});
  signing::Authority issuing = *signing::CreateIssuing(root, "bench issuing", {kNow});
  std::unique_ptr<domain::Signer> signer = *signing::MakeSigner(issuing.key, issuing.certificate);
  domain::Context context{
      kNow, [](std::uint8_t* out, std::size_t size) { RAND_bytes(out, static_cast<int>(size)); }};
  domain::Policy policy = PolicyOf();
  csr_sign::Issuer issuer = *csr_sign::Issuer::Create(policy, *signer);
  DeviceId device = DeviceId::FromRandom({1, 2, 3});
};

std::vector<Bytes> Requests(bool with_agreement_key) {
  std::vector<Bytes> requests;
  for (int i = 0; i < kRequests; ++i) {
    test::CsrOptions options;
    if (with_agreement_key) options.agreement = test::NewEcKey();
    requests.push_back(AsBytes(ToPem("CERTIFICATE REQUEST", test::MakeCsr(options))));
  }
  return requests;
}

void Certify(const Issuing& registry, const Bytes& request) {
  const auto checked = csr_sign::CheckCsr(request);
  REG_CHECK(checked && registry.issuer.Issue(registry.device, *checked, registry.context).ok());
}

// kRequests attached devices, each with a key.generate that waits; no decision is committed, so that all are alike.
class Decisions {
 public:
  explicit Decisions(const Issuing& registry) : registry_(registry) {
    domain::Changeset changes;
    for (int i = 0; i < kRequests; ++i) {
      domain::Device device;
      device.id = DeviceId::FromRandom({static_cast<std::uint8_t>(i), 7});
      device.state = domain::State::kAttached;
      test::ProfileOf(device).mno = origin_.party;
      test::Bind(device, *PartyId::Parse("asp-a"), *EndpointName::Parse("main"));
      test::SetAttached(device);
      domain::Job job;
      job.id = *JobId::Parse(DeviceId::FromRandom({static_cast<std::uint8_t>(i), 8}).text());
      job.subject = device.id;
      job.to = origin_.party;
      devices_.push_back(device.id);
      jobs_.push_back(job.id);
      changes.devices.push_back({std::move(device), 0});
      changes.jobs_put.push_back(std::move(job));
    }
    REG_CHECK(ledger_->Commit(std::move(changes)).ok());
  }
  void Decide(std::size_t i, const Bytes& request) const {
    domain::Case at{origin_, *ledger_, registry_.context, registry_.policy, *registry_.signer};
    REG_CHECK(csr_sign::Decide({devices_[i], request, jobs_[i]}, at, registry_.issuer).ok());
  }

 private:
  const Issuing& registry_;
  const domain::Origin origin_{*PartyId::Parse("mno-a"), wire::Role::kMno, *EventId::Parse("bench")};
  const std::unique_ptr<ledger::Ledger> ledger_ = ledger::OpenMemoryLedger();
  std::vector<DeviceId> devices_;
  std::vector<JobId> jobs_;
};

void BenchCertificates(const Issuing& registry, Raw& raw, bench::Report& report) {
  const auto plain = Requests(false), with_agreement = Requests(true);
  const Decisions decisions(registry);
  double floor = 0, certificate = 0, agreement = 0, decision = 0;
  for (int round = 0; round < kRounds; ++round) {
    floor += bench::MicrosPerCall(kCallsPerRound, [&](int) { raw.Sign(), raw.Verify(); }) / kRounds;
    certificate += bench::MicrosPerCall(
                       kCallsPerRound,
                       [&](int i) { Certify(registry, plain[static_cast<std::size_t>(i % kRequests)]); }) /
                   kRounds;
    agreement +=
        bench::MicrosPerCall(
            kCallsPerRound,
            [&](int i) { Certify(registry, with_agreement[static_cast<std::size_t>(i % kRequests)]); }) /
        kRounds;
    decision += bench::MicrosPerCall(kCallsPerRound,
                                     [&](int i) {
                                       const auto at = static_cast<std::size_t>(i % kRequests);
                                       decisions.Decide(at, with_agreement[at]);
                                     }) /
                kRounds;
  }
  const char* const kFloor = "raw P-256 verify + sign per core";
  report.Add("csr_to_certificate", 1e6 / certificate, "certificates/s", 1e6 / floor, kFloor,
             floor / certificate);
  report.Add("csr_with_agreement_key_to_certificate", 1e6 / agreement, "certificates/s", 1e6 / floor, kFloor,
             floor / agreement);
  report.Add("csr_submit_decision", 1e6 / decision, "decisions/s", 1e6 / floor, kFloor, floor / decision);
}

// The same key once more, in a token of SoftHSM 2, which computes in this thread: what PKCS#11 and its way of keeping keys
// cost, and nothing of a real HSM.
void BenchToken(const Issuing& registry, Raw& raw, bench::Report& report) {
  const test::SoftToken token;
  REG_CHECK(registry.issuing.key.Save(token.folder().In("issuing.key")).ok());
  REG_CHECK(test::Shell("softhsm2-util --import '" + token.folder().In("issuing.key") +
                        "' --token registry --label issuing --id 01 --pin 123456 2>&1")
                .ok());
  const auto in_token =
      *signing::MakeSigner(*signing::LoadKey(token.Uri("issuing")), registry.issuing.certificate);
  csr_sign::Issuer issuer = *csr_sign::Issuer::Create(registry.policy, *in_token);
  const auto requests = Requests(false);
  const auto certify = [&](const csr_sign::Issuer& by, int i) {
    const auto checked = csr_sign::CheckCsr(requests[static_cast<std::size_t>(i % kRequests)]);
    REG_CHECK(checked && by.Issue(registry.device, *checked, registry.context).ok());
  };
  double floor = 0, signature = 0, certificate = 0;
  for (int round = 0; round < kRounds; ++round) {
    floor += bench::MicrosPerCall(kCallsPerRound, [&](int) { raw.Sign(); }) / kRounds;
    signature +=
        bench::MicrosPerCall(kCallsPerRound, [&](int) { REG_CHECK(in_token->Sign(Bytes(100)).ok()); }) /
        kRounds;
    certificate += bench::MicrosPerCall(kCallsPerRound, [&](int i) { certify(issuer, i); }) / kRounds;
  }
  report.Add("token_signature", 1e6 / signature, "signatures/s", 1e6 / floor, "raw P-256 sign per core",
             floor / signature);
  report.AddAlone("csr_to_certificate_with_token", 1e6 / certificate, "certificates/s");
}

void BenchPayload(const Issuing& registry, Raw& raw, bench::Report& report) {
  const Bytes content(2400, 'x');
  const Bytes recipient = test::PointOf(test::NewEcKey());
  double floor = 0, payload = 0;
  for (int round = 0; round < kRounds; ++round) {
    floor += bench::MicrosPerCall(kCallsPerRound,
                                  [&](int) {
                                    raw.Sign();
                                    REG_CHECK(crypto::AgreeP256(recipient).has_value());
                                  }) /
             kRounds;
    payload += bench::MicrosPerCall(
                   kCallsPerRound,
                   [&](int) {
                     const auto sealed = payload_push::Encrypt(content, recipient);
                     REG_CHECK(sealed && payload_push::SignContent(*sealed, *registry.signer, kNow).ok());
                   }) /
               kRounds;
  }
  report.Add("payload_protection", payload, "cpu us", floor, "P-256 keygen + ECDH + sign", floor / payload);
}

}  // namespace

int main(int argc, char** argv) {
  bench::Arguments arguments("bench_csr");
  if (const auto end = arguments.Parse(argc, argv)) return *end;
  const Issuing registry;
  Raw raw;
  bench::Report report;
  BenchCertificates(registry, raw, report);
  BenchPayload(registry, raw, report);
  BenchToken(registry, raw, report);
  return report.Write(arguments.json()) ? 0 : 1;
}
