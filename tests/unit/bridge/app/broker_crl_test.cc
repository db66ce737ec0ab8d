// The broker's list of withdrawn parties, watched: said in good time, and aloud when nobody is let in.
#include "bridge/app/broker_crl.h"

#include <gmock/gmock.h>

#include "bridge/signing/ca.h"
#include "bridge/signing/crl.h"
#include "bridge/signing/signer.h"
#include "simulators/lab/probe.h"
#include "tests/support/openssl_tool.h"

namespace registry::app {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class BrokerCrlTest : public ::testing::Test, public Clock {
 protected:
  UtcTime Now() const override { return now_; }
  void SetUp() override { folder_.Write("ca.pem", ToPem("CERTIFICATE", ca_.certificate)); }
  void WriteCrl(UtcTime begin, UtcTime end) {
    const auto crl =
        signing::BuildCrl(**signing::MakeSigner(ca_.key, ca_.certificate), {}, begin, end, ++number_);
    folder_.Write("crl.pem", ToPem("X509 CRL", *crl));
  }
  // What is said of the file as it is: level and line, in a look.
  std::string Said() {
    std::mutex mutex;
    std::string said = "nothing";
    BrokerCrl watch({folder_.In("crl.pem"), folder_.In("ca.pem"), 24h * 30, 1ms}, *this,
                    [&](int level, const std::string& line) {
                      const std::lock_guard lock(mutex);
                      said = std::to_string(level) + " " + line;
                    });
    watch.Start();
    watch.Stop();  // not before it has looked once
    until_ = watch.until();
    return said;
  }

  const UtcTime now_ = SystemClock().Now();
  test::TemporaryFolder folder_;
  signing::Authority ca_ = *signing::CreateRoot("interface", {now_, std::chrono::days(365)});
  std::uint64_t number_ = 0;
  std::int64_t until_ = -1;
};

TEST_F(BrokerCrlTest, OneWithTimeLeftIsNoMatter) {
  WriteCrl(now_ - 1h, now_ + 24h * 31);
  EXPECT_EQ(Said(), "nothing");
  EXPECT_EQ(until_, (now_ + 24h * 31).seconds());
}

TEST_F(BrokerCrlTest, ItsLastDaysAreSaid) {
  WriteCrl(now_ - 1h, now_ + 24h * 29);
  EXPECT_THAT(Said(), testing::AllOf(HasSubstr("2 mqtt.crl_file: "), HasSubstr("ends at ")));
}

TEST_F(BrokerCrlTest, OneThatShutsEverybodyOutIsAnError) {
  WriteCrl(now_ - 2h, now_ - 1h);
  EXPECT_THAT(Said(), testing::AllOf(HasSubstr("3 mqtt.crl_file: "), HasSubstr("has ended at ")));
  WriteCrl(now_ + 1h, now_ + 24h * 99);
  EXPECT_THAT(Said(), testing::AllOf(HasSubstr("3 mqtt.crl_file: "), HasSubstr("begins at ")));
}

TEST_F(BrokerCrlTest, OneThatSaysNothingIsNamed) {
  EXPECT_THAT(Said(), HasSubstr("holds no CRL in PEM"));
  EXPECT_EQ(until_, 0);
  const auto other = signing::CreateRoot("other", {now_, std::chrono::days(365)});
  const auto crl = signing::BuildCrl(**signing::MakeSigner(other->key, other->certificate), {}, now_ - 1h,
                                     now_ + 24h * 99, 1);
  folder_.Write("crl.pem", ToPem("X509 CRL", *crl));
  EXPECT_THAT(Said(), HasSubstr("2 mqtt.crl_file: "));
  EXPECT_THAT(Said(), HasSubstr("is another CA's"));
}

// Renewed while registryd runs.
TEST_F(BrokerCrlTest, ANewOneIsSeen) {
  WriteCrl(now_ - 1h, now_ + 1h);
  BrokerCrl watch({folder_.In("crl.pem"), folder_.In("ca.pem"), 24h * 30, 1ms}, *this,
                  [](int, const std::string&) {});
  watch.Start();
  EXPECT_TRUE(lab::WaitUntil([&] { return watch.until() == (now_ + 1h).seconds(); }, 15s));
  WriteCrl(now_ - 1h, now_ + 24h * 99);
  EXPECT_TRUE(lab::WaitUntil([&] { return watch.until() == (now_ + 24h * 99).seconds(); }, 15s));
}

}  // namespace
}  // namespace registry::app
