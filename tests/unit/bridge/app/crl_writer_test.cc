// The CRL file, judged by openssl crl.
#include "bridge/app/crl_writer.h"

#include <gtest/gtest.h>

#include <ctime>

#include "bridge/signing/ca.h"
#include "bridge/signing/crl.h"
#include "bridge/signing/signer.h"
#include "simulators/lab/probe.h"
#include "simulators/lab/process.h"
#include "tests/support/openssl_tool.h"
#include "tests/support/wrapped_ledger.h"

namespace registry::app {
namespace {

using namespace std::chrono_literals;

class MovedClock : public Clock {
 public:
  UtcTime Now() const override { return {micros_.load()}; }
  void Advance(std::chrono::seconds by) { micros_ += by.count() * 1'000'000; }

 private:
  std::atomic<std::int64_t> micros_{SystemClock().Now().micros};
};

class CrlWriterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const signing::Validity validity{clock_.Now(), std::chrono::days(30)};
    auto root = signing::CreateRoot("root", validity);
    auto issuing = signing::CreateIssuing(*root, "issuing", validity);
    ASSERT_TRUE(issuing.ok());
    folder_.Write("issuing.pem", ToPem("CERTIFICATE", issuing->certificate));
    signer_ = *signing::MakeSigner(issuing->key, issuing->certificate);
    Open();
  }
  void Open() {
    const CrlOptions options{folder_.In("crl.pem"), 24h, gather_, 1ms, [this] { return steady_; }};
    writer_ =
        std::make_unique<CrlWriter>(options, *ledger_, *signer_, clock_, [](int, const std::string&) {});
  }
  void Revoke(std::uint8_t serial) {
    domain::Changeset changes;
    changes.revocations.push_back({Bytes{0x5a, serial}, clock_.Now(), 5, clock_.Now() + 24h * 365});
    ASSERT_TRUE(ledger_->Commit(std::move(changes)).ok());
  }
  // What openssl reads in the file, its signature checked.
  std::string Crl() {
    auto text = lab::RunToEnd({"openssl", "crl", "-in", folder_.In("crl.pem"), "-noout", "-text", "-CAfile",
                               folder_.In("issuing.pem")});
    return text ? *text : text.error().message;
  }
  // Of "lastUpdate" or "nextUpdate", in Unix time.
  std::int64_t DateOf(const std::string& which) {
    auto text = lab::RunToEnd({"openssl", "crl", "-in", folder_.In("crl.pem"), "-noout",
                               which == "lastUpdate" ? "-lastupdate" : "-nextupdate"});
    if (!text) return 0;
    std::tm at{};
    const std::string form = which + "=%b %d %H:%M:%S %Y GMT";
    return strptime(text->c_str(), form.c_str(), &at) == nullptr ? 0 : timegm(&at);
  }
  bool Eventually(const std::string& text) {
    return lab::WaitUntil([&] { return Crl().find(text) != std::string::npos; }, 15s);
  }

  bool Listed() { return Crl().find("Serial Number: 5A01") != std::string::npos; }

  std::chrono::milliseconds gather_{1};
  CarefulClock::Steady steady_{};
  test::TemporaryFolder folder_;
  MovedClock clock_;
  std::unique_ptr<ledger::Ledger> ledger_ = ledger::OpenMemoryLedger();
  std::unique_ptr<domain::Signer> signer_;
  std::unique_ptr<CrlWriter> writer_;
};

TEST_F(CrlWriterTest, ThereIsACrlBeforeTheFirstRevocation) {
  ASSERT_TRUE(writer_->WriteNow().ok());
  EXPECT_NE(Crl().find("No Revoked Certificates"), std::string::npos) << Crl();
  EXPECT_EQ(writer_->written(), clock_.Now().seconds());
}

// RFC 5280 §5: whoever issued a certificate revokes it.
TEST_F(CrlWriterTest, AFormerCaGoesOnWithACrlOfItsOwn) {
  const auto former = *signing::CreateRoot("former", {clock_.Now(), std::chrono::days(30)});
  folder_.Write("former.pem", ToPem("CERTIFICATE", former.certificate));
  const auto former_signer = *signing::MakeSigner(former.key, former.certificate);
  CrlOptions options{folder_.In("crl.pem"), 24h, gather_, 1ms, [this] { return steady_; }};
  options.former = {{former_signer.get(), folder_.In("former-crl.pem")}};
  Revoke(1);
  CrlWriter writer(options, *ledger_, *signer_, clock_, [](int, const std::string&) {});
  ASSERT_TRUE(writer.WriteNow().ok());
  EXPECT_TRUE(Listed());
  const auto text = lab::RunToEnd({"openssl", "crl", "-in", folder_.In("former-crl.pem"), "-noout", "-text",
                                   "-CAfile", folder_.In("former.pem")});
  ASSERT_TRUE(text.ok()) << text.error().message;
  EXPECT_NE(text->find("Serial Number: 5A01"), std::string::npos) << *text;
  EXPECT_NE(text->find("Issuer: CN = former"), std::string::npos) << *text;
}

// Above the limit each shard tells of its own certificates, and all together of every one; the whole CRL goes on.
TEST_F(CrlWriterTest, AboveItsLimitTheCrlIsInShardsBesideTheWholeOne) {
  CrlOptions options{folder_.In("crl.pem"), 24h, gather_, 1ms, [this] { return steady_; }};
  options.url = "http://crl.test/crl.pem";
  options.shards = 2;
  options.shard_above = 1;
  const auto write = [&] {
    CrlWriter writer(options, *ledger_, *signer_, clock_, [](int, const std::string&) {});
    ASSERT_TRUE(writer.WriteNow().ok());
  };
  const auto text = [&](const std::string& file) {
    auto said = lab::RunToEnd(
        {"openssl", "crl", "-in", folder_.In(file), "-noout", "-text", "-CAfile", folder_.In("issuing.pem")});
    return said ? *said : said.error().message;
  };
  Revoke(1);
  write();
  for (const char* file : {"crl.pem", "crl-0-of-2.pem", "crl-1-of-2.pem"})
    EXPECT_NE(text(file).find("Serial Number: 5A01"), std::string::npos) << file << " is whole";
  Revoke(2);
  write();
  EXPECT_NE(text("crl.pem").find("Serial Number: 5A01"), std::string::npos);
  EXPECT_NE(text("crl.pem").find("Serial Number: 5A02"), std::string::npos);
  EXPECT_EQ(text("crl.pem").find("Issuing Distribution Point"), std::string::npos);
  const std::string even = text("crl-0-of-2.pem"), odd = text("crl-1-of-2.pem");
  EXPECT_NE(even.find("URI:http://crl.test/crl-0-of-2.pem"), std::string::npos) << even;
  EXPECT_NE(odd.find("URI:http://crl.test/crl-1-of-2.pem"), std::string::npos) << odd;
  EXPECT_NE(even.find("Serial Number: 5A02"), std::string::npos);
  EXPECT_EQ(even.find("Serial Number: 5A01"), std::string::npos);
  EXPECT_NE(odd.find("Serial Number: 5A01"), std::string::npos);
  EXPECT_EQ(odd.find("Serial Number: 5A02"), std::string::npos);
}

TEST_F(CrlWriterTest, FollowsRevocationsAndKeepsThem) {
  ASSERT_TRUE(writer_->WriteNow().ok());
  writer_->Start();
  Revoke(1);
  EXPECT_TRUE(Eventually("Serial Number: 5A01")) << Crl();
  Revoke(2);
  EXPECT_TRUE(Eventually("Serial Number: 5A02")) << Crl();
  EXPECT_NE(Crl().find("Serial Number: 5A01"), std::string::npos);
  const auto reached = [&] {
    return ledger_->LoadSink(ledger::Sink::kCrl)->cursor == *ledger_->OutboxLast(ledger::Sink::kCrl);
  };
  EXPECT_TRUE(lab::WaitUntil(reached, 60s));
}

// RFC 5280 §3.3: on one CRL beyond the validity at least; then it leaves the CRL, and the ledger behind it.
TEST_F(CrlWriterTest, WhatHasEndedLeavesTheCrlAndThenTheLedger) {
  Revoke(1);
  ASSERT_TRUE(writer_->WriteNow().ok());
  const auto pass = [this](std::chrono::hours time) {
    clock_.Advance(time);
    steady_ += time;
    ASSERT_TRUE(writer_->WriteNow().ok());
  };
  pass(24h * 365 + 12h);
  EXPECT_TRUE(Listed()) << "it has ended, and this says so for the last time";
  pass(24h);
  EXPECT_FALSE(Listed());
  EXPECT_TRUE(ledger_->Revocations()->empty());
}

TEST_F(CrlWriterTest, AClockSetForwardTakesNothingFromTheLedger) {
  Revoke(1);
  ASSERT_TRUE(writer_->WriteNow().ok());
  clock_.Advance(24h * 400);
  steady_ += 1h;
  ASSERT_TRUE(writer_->WriteNow().ok());
  EXPECT_FALSE(Listed());
  EXPECT_EQ(ledger_->Revocations()->size(), 1u);
  clock_.Advance(-24h * 400);
  ASSERT_TRUE(writer_->WriteNow().ok());
  EXPECT_TRUE(Listed());
}

TEST_F(CrlWriterTest, AStartWaitsAnHourBeforeItForgets) {
  Revoke(1);
  clock_.Advance(24h * 400);
  ASSERT_TRUE(writer_->WriteNow().ok());
  EXPECT_EQ(ledger_->Revocations()->size(), 1u);
  steady_ += 2h;
  ASSERT_TRUE(writer_->WriteNow().ok());
  EXPECT_TRUE(ledger_->Revocations()->empty());
}

TEST_F(CrlWriterTest, NumbersGrowAcrossRestarts) {
  ASSERT_TRUE(writer_->WriteNow().ok());
  const auto first = std::stoull(ledger_->LoadSink(ledger::Sink::kCrl)->state);
  Open();
  ASSERT_TRUE(writer_->WriteNow().ok());
  EXPECT_GT(std::stoull(ledger_->LoadSink(ledger::Sink::kCrl)->state), first);
}

// `registryctl init` leaves one, and a restored ledger is older than the file: RFC 5280 §5.2.3.
TEST_F(CrlWriterTest, NumbersGoOnBehindTheFileThatIsThere) {
  const auto left = signing::BuildCrl(*signer_, {}, clock_.Now(), clock_.Now() + 24h, 41);
  folder_.Write("crl.pem", ToPem("X509 CRL", *left));
  ASSERT_TRUE(writer_->WriteNow().ok());
  EXPECT_NE(Crl().find("X509v3 CRL Number: \n                42\n"), std::string::npos) << Crl();
  EXPECT_EQ(ledger_->LoadSink(ledger::Sink::kCrl)->state, "42");
  folder_.Write("crl.pem", "no CRL");
  Open();
  ASSERT_TRUE(writer_->WriteNow().ok());
  EXPECT_EQ(ledger_->LoadSink(ledger::Sink::kCrl)->state, "43");
}

TEST_F(CrlWriterTest, IsRenewedAtHalfItsLife) {
  ASSERT_TRUE(writer_->WriteNow().ok());
  const auto first = writer_->written();
  writer_->Start();
  clock_.Advance(13h);
  EXPECT_TRUE(lab::WaitUntil([&] { return writer_->written() == first + 13 * 3600; }, 15s));
}

// As certificates, by five minutes: a relying party's clock may be behind.
TEST_F(CrlWriterTest, IsValidAlreadyForWhoseClockIsBehind) {
  ASSERT_TRUE(writer_->WriteNow().ok());
  EXPECT_EQ(DateOf("lastUpdate"), clock_.Now().seconds() - 300);
  EXPECT_EQ(DateOf("nextUpdate"), clock_.Now().seconds() + 86400);
}

TEST_F(CrlWriterTest, IsMadeAgainWhenTheClockWasAhead) {
  clock_.Advance(24h);
  Revoke(1);
  ASSERT_TRUE(writer_->WriteNow().ok());
  writer_->Start();
  clock_.Advance(-24h);
  EXPECT_TRUE(lab::WaitUntil([&] { return DateOf("lastUpdate") == clock_.Now().seconds() - 300; }, 15s));
  // Nor is anything said to be revoked only tomorrow, which some take for not revoked.
  char today[16];
  const std::time_t now = clock_.Now().seconds();
  std::strftime(today, sizeof today, "%b %e ", std::gmtime(&now));
  const std::string crl = Crl();
  EXPECT_NE(crl.find(std::string("Revocation Date: ") + today), std::string::npos) << crl;
  EXPECT_NE(crl.find("Serial Number: 5A01"), std::string::npos) << crl;
}

TEST_F(CrlWriterTest, AClockThatIsCorrectedALittleBringsNoNewCrl) {
  ASSERT_TRUE(writer_->WriteNow().ok());
  const auto first = writer_->written();
  writer_->Start();
  clock_.Advance(-299s);
  Revoke(1);  // this does
  EXPECT_TRUE(lab::WaitUntil([&] { return writer_->written() != first; }, 15s));
  EXPECT_EQ(ledger_->LoadSink(ledger::Sink::kCrl)->state, "2");
}

TEST_F(CrlWriterTest, ACrlThatCannotBeWrittenIsAnErrorAndStaysOwed) {
  Revoke(1);
  CrlWriter blind(CrlOptions{folder_.In("missing/crl.pem"), 24h, 1ms, 1ms}, *ledger_, *signer_, clock_,
                  [](int, const std::string&) {});
  EXPECT_FALSE(blind.WriteNow().ok());
  EXPECT_EQ(ledger_->LoadSink(ledger::Sink::kCrl)->cursor, 0u);
}

TEST_F(CrlWriterTest, WhatIsRevokedJustBeforeTheStopIsInTheList) {
  gather_ = 1h;  // the stop comes first
  Open();
  ASSERT_TRUE(writer_->WriteNow().ok());
  writer_->Start();
  Revoke(7);
  writer_->Stop();
  EXPECT_NE(Crl().find("Serial Number: 5A07"), std::string::npos) << Crl();
  EXPECT_EQ(ledger_->LoadSink(ledger::Sink::kCrl)->cursor, 1u);
}

class DamagedRevocations : public test::WrappedLedger {
 public:
  using WrappedLedger::WrappedLedger;
  Result<std::vector<ledger::OutboxEntry>> OutboxAfter(ledger::Sink, ledger::Seq, std::size_t,
                                                       std::chrono::milliseconds) const override {
    ++reads_;
    return Error::Make(Code::kFailed, ledger::kLedgerDamaged, "entry 1 of outbox 3: scripted");
  }
  int reads() const { return reads_; }

 private:
  mutable std::atomic<int> reads_{0};
};

TEST_F(CrlWriterTest, RevocationsThatCannotBeReadAreSaidOnce) {
  DamagedRevocations damaged(*ledger_);
  std::atomic<int> said{0};
  CrlWriter writer(CrlOptions{folder_.In("crl.pem"), 24h, 1ms, 1ms}, damaged, *signer_, clock_,
                   [&](int level, const std::string& line) {
                     said += level == 3 && line.find("entry 1 of outbox 3") != std::string::npos;
                   });
  writer.Start();
  EXPECT_TRUE(lab::WaitUntil([&] { return damaged.reads() >= 5; }, 15s));
  writer.Stop();
  EXPECT_EQ(said, 1);
}

}  // namespace
}  // namespace registry::app
