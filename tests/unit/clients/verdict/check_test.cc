// Every verdict, by a real signed DNS behind a real resolver over TLS.
#include <gtest/gtest.h>

#include <ctime>

#include "clients/verdict/chain.h"
#include "clients/verdict/client_check.h"
#include "tests/unit/clients/verdict/client_world.h"

namespace registry::clients {
namespace {

using test::Kind;
using test::OwnedCertificate;

class CheckTest : public test::ClientWorldTest {
 protected:
  void SetUp() override {
    for (std::size_t i = 0; i < test::kKinds; ++i) {
      if (static_cast<Kind>(i) != Kind::kOther) own_.Claimed(world_->device(static_cast<Kind>(i)).id);
    }
    Open({Freshness::kCached, NameFrom::kEither, 100}, world_->resolver());
  }
  void Open(const CheckOptions& options, const ResolverTrust& trust) {
    auto resolver = DaneResolver::Create(trust);
    ASSERT_TRUE(resolver) << resolver.error().message;
    resolver_ = *resolver;
    auto check = ClientCheck::Create(world_->trust(), &own_, resolver_, options);
    ASSERT_TRUE(check) << check.error().message;
    check_ = std::move(*check);
  }
  std::string Said(const test::TestDevice& device,
                   const std::optional<std::string>& sent = std::nullopt) const {
    return std::string(
        SymbolOf(VerdictOf(check_->Judge(test::Parsed(device.certificate).get(), sent).status)));
  }
  std::string Said(Kind kind) const { return Said(world_->device(kind)); }
  // The figure of one line of the metrics; -1: there is no such line.
  double Counted(const std::string& line) const {
    const std::string text = '\n' + check_->counters().Text();
    const auto at = text.find('\n' + line + ' ');
    return at == std::string::npos ? -1 : std::stod(text.substr(at + line.size() + 2));
  }

  OwnDevices own_;
  std::shared_ptr<DaneResolver> resolver_;
  std::unique_ptr<ClientCheck> check_;
};

TEST_F(CheckTest, AnActiveDeviceOfOursIsAccepted) {
  EXPECT_EQ(Said(Kind::kGood), "accepted");
  EXPECT_EQ(Said(Kind::kByKey), "accepted") << "TLSA 3 1 1";
  const auto judged =
      check_->Judge(test::Parsed(world_->device(Kind::kGood).certificate).get(), std::nullopt);
  EXPECT_EQ(judged.device, world_->device(Kind::kGood).id);
  EXPECT_EQ(judged.name, world_->device(Kind::kGood).name);
}

// Then the registry says device.expired.
TEST_F(CheckTest, ACertificateHasEndedWhenItsLastSecondBegins) {
  const auto trust = world_->trust();
  const auto chain = Chain::Create(trust.root, trust.issuing, 8);
  ASSERT_TRUE(chain) << chain.error().message;
  const auto certificate = test::Parsed(world_->device(Kind::kGood).certificate);
  std::tm parts{};
  ASSERT_EQ(ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &parts), 1);
  const std::time_t end = timegm(&parts);
  const auto said = [&](std::time_t now) {
    return std::string(SymbolOf(VerdictOf((*chain)->Judge(certificate.get(), "its digest", now))));
  };
  EXPECT_EQ(said(end - 1), "accepted");
  EXPECT_EQ(said(end), "certificate_expired");
}

TEST_F(CheckTest, EverythingElseIsRefusedWithItsReason) {
  EXPECT_EQ(Said(Kind::kOther), "device_not_claimed");
  EXPECT_EQ(Said(Kind::kHeld), "tlsa_missing");
  EXPECT_EQ(Said(Kind::kGone), "name_absent");
  EXPECT_EQ(Said(Kind::kReplaced), "tlsa_mismatch");
  EXPECT_EQ(Said(Kind::kExpired), "certificate_expired");
  EXPECT_EQ(Said(Kind::kBogus), "dns_bogus");
  EXPECT_EQ(Said(Kind::kInsecure), "dns_insecure");
  EXPECT_EQ(SymbolOf(VerdictOf(check_->Judge(nullptr, std::nullopt).status)), "certificate_required");
  EXPECT_EQ(Counted("registry_client_verdicts_total{verdict=\"dns_bogus\"}"), 1);
  EXPECT_EQ(Counted("registry_client_verdicts_total{verdict=\"accepted\"}"), 0);
}

// While the registry changes its issuing CA there are two, in any order.
TEST_F(CheckTest, EachOfSeveralIssuingCasWillDo) {
  const sim::test::TestRegistry another;
  const Bytes own_ca = world_->trust().issuing, other = another.issuing();
  const auto joined = [](Bytes first, const Bytes& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
  };
  for (const Bytes& issuing : {joined(own_ca, other), joined(other, own_ca)}) {
    ClientCheck::Trust trust = world_->trust();
    trust.issuing = issuing;
    const auto check = ClientCheck::Create(trust, &own_, resolver_);
    ASSERT_TRUE(check);
    const auto judged =
        (*check)->Judge(test::Parsed(world_->device(Kind::kGood).certificate).get(), std::nullopt);
    EXPECT_TRUE(judged.status) << judged.status.error().message;
  }
  EXPECT_FALSE(Chain::Create(world_->trust().root, joined(own_ca, Bytes{1, 2}), 8));
}

// The registry's root says so, and the resolver is believed in nothing: another registry's device is nobody here.
TEST_F(CheckTest, AnotherRegistrysDeviceIsRefusedByItsChain) {
  const sim::test::TestRegistry another;
  ClientCheck::Trust trust = world_->trust();
  trust.root = another.root();
  trust.issuing = another.issuing();
  const auto check = ClientCheck::Create(trust, &own_, resolver_);
  ASSERT_TRUE(check);
  const auto judged =
      (*check)->Judge(test::Parsed(world_->device(Kind::kGood).certificate).get(), std::nullopt);
  ASSERT_FALSE(judged.status);
  EXPECT_EQ(judged.status.error().symbol, "chain_invalid");
}

TEST_F(CheckTest, NamesOutsideTheAllowedZonesCauseNoLookUp) {
  for (const char* name : {"5672476c-e9aa-4aa3-9cfd-000000000000._device.evil.test", "iot.test",
                           "x._device.iot.test", "5672476c-e9aa-4aa3-9cfd-000000000000.iot.test"}) {
    EXPECT_EQ(Said(world_->Make("stranger", name)), "name_not_allowed") << name;
  }
  EXPECT_EQ(Counted("registry_client_lookups_total"), 0);
}

TEST_F(CheckTest, WithoutItsResolverNobodyIsLetIn) {
  ResolverTrust trust = world_->resolver();
  trust.port = test::FreePort();
  Open({Freshness::kCached, NameFrom::kEither, 100}, trust);
  EXPECT_EQ(Said(Kind::kGood), "resolver_unreachable");
  trust = world_->resolver();
  trust.spki_pin[0] ^= 1;
  Open({Freshness::kCached, NameFrom::kEither, 100}, trust);
  EXPECT_EQ(Said(Kind::kGood), "resolver_unreachable") << "another key is another resolver";
}

TEST_F(CheckTest, ACachedAnswerNeedsNoResolver) {
  ASSERT_EQ(Said(Kind::kGood), "accepted");
  EXPECT_EQ(Said(Kind::kGood), "accepted");
  EXPECT_EQ(Counted("registry_client_lookups_total"), 1);
  EXPECT_EQ(Counted("registry_client_cache_hits_total"), 1);
  EXPECT_EQ(Said(Kind::kHeld), "tlsa_missing");
  EXPECT_EQ(Said(Kind::kHeld), "tlsa_missing");
  EXPECT_EQ(Counted("registry_client_lookups_total"), 3) << "an absence is not cached";
}

TEST_F(CheckTest, ARecordIsBelievedForItsTimeToLive) {
  ASSERT_EQ(Said(Kind::kByKey), "accepted");
  ASSERT_EQ(Counted("registry_client_lookups_total"), 1);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (Counted("registry_client_lookups_total") < 2 && std::chrono::steady_clock::now() < deadline) {
    ASSERT_EQ(Said(Kind::kByKey), "accepted");
  }
  EXPECT_EQ(Counted("registry_client_lookups_total"), 2) << "asked again once its second was over";
}

TEST_F(CheckTest, WhatIsHeardOfADeviceEndsWhatIsCached) {
  ASSERT_EQ(Said(Kind::kGood), "accepted");
  own_.Heard("device.deactivated", world_->device(Kind::kGood).id, 5);
  check_->Forget(world_->device(Kind::kGood).id);
  EXPECT_EQ(Said(Kind::kGood), "device_not_active");
  EXPECT_EQ(Counted("registry_client_lookups_total"), 2) << "it was looked up again";
  own_.Heard("device.reactivated", world_->device(Kind::kGood).id, 6);
  EXPECT_EQ(Said(Kind::kGood), "accepted");
}

TEST_F(CheckTest, UncachedEveryVerdictAsks) {
  Open({Freshness::kNow, NameFrom::kEither, 100}, world_->resolver());
  EXPECT_EQ(Said(Kind::kGood), "accepted");
  EXPECT_EQ(Said(Kind::kGood), "accepted");
  EXPECT_EQ(Counted("registry_client_lookups_total"), 2);
}

// draft-ietf-dance-client-auth-13: no fallback to the certificate's name unless the configuration asks for it.
TEST_F(CheckTest, TheNameComesFromWhereTheConfigurationSays) {
  const test::TestDevice& good = world_->device(Kind::kGood);
  Open({Freshness::kCached, NameFrom::kExtension, 100}, world_->resolver());
  EXPECT_EQ(Said(good), "identity_missing");
  EXPECT_EQ(Said(good, ""), "identity_missing");
  EXPECT_EQ(Said(good, good.name), "accepted");
  std::string shouted = good.name;
  for (char& c : shouted) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  EXPECT_EQ(Said(good, shouted), "accepted") << "RFC 4343";
  EXPECT_EQ(Said(good, good.name + "."), "identity_malformed");
  EXPECT_EQ(Said(good, "a b"), "identity_malformed");
  EXPECT_EQ(Said(good, world_->device(Kind::kByKey).name), "identity_mismatch");
  Open({Freshness::kCached, NameFrom::kCertificate, 100}, world_->resolver());
  EXPECT_EQ(Said(good), "accepted");
  EXPECT_EQ(Said(good, world_->device(Kind::kByKey).name), "accepted") << "what is sent does not matter";
  Open({Freshness::kCached, NameFrom::kEither, 100}, world_->resolver());
  EXPECT_EQ(Said(good), "accepted");
  EXPECT_EQ(Said(good, world_->device(Kind::kByKey).name), "identity_mismatch");
}

TEST_F(CheckTest, ExplainsStepByStep) {
  const auto answers = [&](Kind kind) {
    std::string text;
    const OwnedCertificate certificate = test::Parsed(world_->device(kind).certificate);
    for (const Finding& finding : check_->Explain(certificate.get(), std::nullopt)) {
      text += finding.question + '=' +
              (!finding.answer   ? "?"
               : *finding.answer ? "+"
                                 : finding.answer->error().symbol) +
              ' ';
    }
    return text;
  };
  EXPECT_EQ(answers(Kind::kGood), "name=+ chain=+ dnssec=+ tlsa=+ own=+ ");
  EXPECT_EQ(answers(Kind::kOther), "name=+ chain=+ dnssec=+ tlsa=+ own=device_not_claimed ");
  EXPECT_EQ(answers(Kind::kExpired), "name=+ chain=certificate_expired dnssec=+ tlsa=+ own=+ ");
  EXPECT_EQ(answers(Kind::kHeld), "name=+ chain=+ dnssec=+ tlsa=tlsa_missing own=+ ");
  EXPECT_EQ(answers(Kind::kGone), "name=+ chain=+ dnssec=+ tlsa=name_absent own=+ ");
  EXPECT_EQ(answers(Kind::kBogus), "name=+ chain=+ dnssec=dns_bogus tlsa=? own=+ ");
}

TEST_F(CheckTest, ManyThreadsAtOnce) {
  std::atomic<int> accepted{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 25; ++j) {
        accepted += Said(Kind::kGood) == "accepted";
        if (j % 5 == 0) check_->Forget(world_->device(Kind::kGood).id);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(accepted, 100);
}

}  // namespace
}  // namespace registry::clients
