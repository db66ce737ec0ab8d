// Withdrawn certificates, as openssl sees them; what the broker does with the list is tests/integration/mqtt's.
#include "bridge/ctl/withdraw.h"

#include <gmock/gmock.h>

#include <ctime>
#include <fstream>
#include <thread>

#include "bridge/clock.h"
#include "bridge/ctl/folder_lock.h"
#include "bridge/ctl/party_life.h"
#include "bridge/ctl/registry_folder.h"
#include "bridge/signing/crl.h"
#include "tests/support/openssl_tool.h"

namespace registry::ctl {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class WithdrawTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(CreateFolder({registry_, "iotregistry.test", {"127.0.0.1"}, now_}).ok());
    Add("mno-a");
  }
  void Add(const std::string& name) {
    const auto added = AddParty({registry_, name, wire::Role::kMno, now_});
    ASSERT_TRUE(added.ok()) << added.error().message;
  }
  // Kept beside, since withdrawing moves it.
  std::string KeepCertificate(const std::string& name) {
    const std::string copy = name + "-kept-" + std::to_string(++kept_) + ".pem";
    fs::copy(registry_ + "/interface/parties/" + name + ".pem", folder_.In(copy));
    return copy;
  }
  std::string Judge(const std::string& certificate) {
    return test::OpenSsl(folder_,
                         "verify -crl_check -purpose sslclient -CAfile reg/interface/ca.pem -CRLfile "
                         "reg/interface/crl.pem " +
                             certificate)
        .output;
  }
  std::string Serial(const std::string& certificate) {
    std::string text = test::OpenSsl(folder_, "x509 -noout -serial -in " + certificate).output;
    return text.substr(7, text.size() - 8);
  }
  std::string CrlDates() {
    return test::OpenSsl(folder_, "crl -noout -lastupdate -nextupdate -crlnumber -in reg/interface/crl.pem")
        .output;
  }
  std::uint64_t CrlNumber() {
    return *signing::CrlNumber(*FromPem("X509 CRL", folder_.Read("reg/interface/crl.pem")));
  }

  test::TemporaryFolder folder_;
  std::string registry_ = folder_.In("reg");
  UtcTime now_ = SystemClock().Now();
  int kept_ = 0;
};

TEST_F(WithdrawTest, InitMakesAListThatLastsAsLongAsTheCa) {
  EXPECT_THAT(
      test::OpenSsl(folder_, "crl -in reg/interface/crl.pem -noout -text -CAfile reg/interface/ca.pem")
          .output,
      testing::AllOf(HasSubstr("verify OK"), HasSubstr("No Revoked Certificates")));
  std::string end = test::OpenSsl(folder_, "x509 -in reg/interface/ca.pem -noout -enddate").output;
  EXPECT_THAT(CrlDates(), HasSubstr("nextUpdate=" + end.substr(9)));
  EXPECT_THAT(Judge("reg/interface/parties/mno-a.pem"), HasSubstr("OK"));
  EXPECT_THAT(Judge("reg/interface/registryd.pem"), HasSubstr("OK"));
}

TEST_F(WithdrawTest, ByNameAndANewPairTakesItsPlace) {
  Add("asp-a");
  const std::string old = KeepCertificate("mno-a");
  const auto done = WithdrawByName(registry_, "mno-a", now_);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(done->serial, Serial(old));
  EXPECT_FALSE(done->before);
  EXPECT_THAT(done->accepted, IsEmpty());
  EXPECT_THAT(Judge(old), HasSubstr("certificate revoked"));
  EXPECT_THAT(Judge("reg/interface/parties/asp-a.pem"), HasSubstr("OK"));
  EXPECT_TRUE(fs::exists(registry_ + "/interface/withdrawn/mno-a-" + done->serial + ".key"));
  const std::string config = folder_.Read("reg/registry.toml");
  Add("mno-a");
  EXPECT_THAT(Judge("reg/interface/parties/mno-a.pem"), HasSubstr("OK"));
  EXPECT_NE(folder_.Read("reg/interface/parties/mno-a.key"),
            folder_.Read("reg/interface/withdrawn/mno-a-" + done->serial + ".key"));
  EXPECT_EQ(folder_.Read("reg/registry.toml"), config) << "it was entered";
}

// The files were deleted, as if that took the certificate back.
TEST_F(WithdrawTest, BySerialWhenTheFilesAreGone) {
  const std::string old = KeepCertificate("mno-a");
  for (const char* end : {".key", ".pem"}) fs::remove(registry_ + "/interface/parties/mno-a" + end);
  Add("mno-a");
  const auto accepted = AcceptedOf(registry_, "mno-a");
  ASSERT_THAT(*accepted, SizeIs(2));
  EXPECT_EQ(SerialText(accepted->front().serial), Serial(old)) << "what is to be named";
  EXPECT_THAT(Judge(old), HasSubstr("OK"));
  const auto done = WithdrawBySerial(registry_, *ParseSerial(Serial(old)), now_);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(done->party, "mno-a");
  ASSERT_THAT(done->accepted, SizeIs(1));
  EXPECT_EQ(SerialText(done->accepted[0].serial), Serial("reg/interface/parties/mno-a.pem"));
  EXPECT_THAT(Judge(old), HasSubstr("certificate revoked"));
  EXPECT_THAT(Judge("reg/interface/parties/mno-a.pem"), HasSubstr("OK"));
  EXPECT_TRUE(WithdrawBySerial(registry_, *ParseSerial(Serial(old)), now_)->before);
}

// Whoever withdraws a party means all that lets it in, not what happens to lie in a file.
TEST_F(WithdrawTest, ByNameTakesEveryCertificateThatWasIssued) {
  const std::string first = KeepCertificate("mno-a");
  for (const char* end : {".key", ".pem"}) fs::remove(registry_ + "/interface/parties/mno-a" + end);
  Add("mno-a");
  const std::string second = KeepCertificate("mno-a");
  Add("asp-a");
  const std::uint64_t number = CrlNumber();
  const auto done = WithdrawByName(registry_, "mno-a", now_);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(done->serial, Serial(second));
  EXPECT_THAT(done->also, ElementsAre(Serial(first)));
  for (const std::string& one : {first, second}) EXPECT_THAT(Judge(one), HasSubstr("certificate revoked"));
  EXPECT_THAT(Judge("reg/interface/parties/asp-a.pem"), HasSubstr("OK"));
  EXPECT_EQ(CrlNumber(), number + 1) << "one list, with all of them";
  EXPECT_FALSE(WithdrawByName(registry_, "mno-a", now_).ok()) << "none is left";
}

// A broker that reads it again has the list of before as well, and OpenSSL goes by the later thisUpdate.
TEST_F(WithdrawTest, EveryListIsLaterThanTheOneBefore) {
  std::time_t last = 0;
  std::uint64_t number = 0;
  for (std::uint8_t serial = 1; serial < 5; ++serial) {
    ASSERT_TRUE(WithdrawBySerial(registry_, {serial}, now_).ok());
    std::tm at{};
    ASSERT_NE(strptime(CrlDates().c_str(), "lastUpdate=%b %d %H:%M:%S %Y GMT", &at), nullptr) << CrlDates();
    EXPECT_GT(timegm(&at), last);
    EXPECT_LT(timegm(&at), now_.seconds()) << "and valid";
    EXPECT_GT(CrlNumber(), number);
    last = timegm(&at);
    number = CrlNumber();
  }
  // By a clock that was ahead a day: the next one is valid all the same.
  ASSERT_TRUE(WithdrawBySerial(registry_, {5}, now_ + std::chrono::hours(24)).ok());
  EXPECT_THAT(Judge("reg/interface/parties/mno-a.pem"), HasSubstr("CRL is not yet valid"));
  ASSERT_TRUE(WithdrawBySerial(registry_, {6}, now_).ok());
  EXPECT_THAT(Judge("reg/interface/parties/mno-a.pem"), HasSubstr("OK"));
}

TEST_F(WithdrawTest, AFolderWithoutAListGetsOne) {
  for (const char* file : {"crl.pem", "issued.txt"}) fs::remove(registry_ + "/interface/" + file);
  const std::string old = KeepCertificate("mno-a");
  ASSERT_TRUE(WithdrawByName(registry_, "mno-a", now_).ok());
  EXPECT_THAT(Judge(old), HasSubstr("certificate revoked"));
}

TEST_F(WithdrawTest, AListThatCannotBeReadIsNotWrittenOver) {
  ASSERT_TRUE(WithdrawBySerial(registry_, {1}, now_).ok());
  fs::copy(registry_ + "/pki/crl.pem", registry_ + "/interface/crl.pem",
           fs::copy_options::overwrite_existing);
  const std::string foreign = folder_.Read("reg/interface/crl.pem");
  const auto refused = WithdrawByName(registry_, "mno-a", now_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().symbol, "crl_invalid");
  EXPECT_EQ(folder_.Read("reg/interface/crl.pem"), foreign);
  EXPECT_TRUE(fs::exists(registry_ + "/interface/parties/mno-a.pem"));
}

TEST_F(WithdrawTest, WhatWasInterruptedIsFinished) {
  const std::string old = KeepCertificate("mno-a");
  const std::string serial = Serial(old);
  ASSERT_TRUE(WithdrawBySerial(registry_, *ParseSerial(serial), now_).ok());
  fs::create_directory(registry_ + "/interface/withdrawn");
  fs::rename(registry_ + "/interface/parties/mno-a.key",
             registry_ + "/interface/withdrawn/mno-a-" + serial + ".key");
  EXPECT_FALSE(AddParty({registry_, "mno-a", wire::Role::kMno, now_}).ok());
  const auto done = WithdrawByName(registry_, "mno-a", now_);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_TRUE(done->before);
  Add("mno-a");
  EXPECT_THAT(Judge("reg/interface/parties/mno-a.pem"), HasSubstr("OK"));
}

TEST_F(WithdrawTest, SerialsAsPeopleWriteThem) {
  EXPECT_EQ(ParseSerial("0a:FF"), (Bytes{0x0a, 0xff}));
  EXPECT_EQ(ParseSerial("00aff"), (Bytes{0x0a, 0xff}));
  for (const char* wrong : {"", "0", "xyz", "-1", "0x12", ":"})
    EXPECT_EQ(ParseSerial(wrong), std::nullopt) << wrong;
  EXPECT_EQ(ParseSerial(std::string(42, '1')), std::nullopt);
}

TEST_F(WithdrawTest, OneAtATime) {
  auto held = std::make_unique<FolderLock>(*FolderLock::Take(registry_));
  EXPECT_EQ(FolderLock::Take(registry_, std::chrono::milliseconds(0)).error().symbol, "folder_locked");
  std::thread other([&] { Add("mno-b"); });
  held.reset();
  other.join();
  EXPECT_TRUE(FolderLock::Take(registry_, std::chrono::milliseconds(0)).ok());
  EXPECT_EQ(FolderLock::Take(folder_.In("none")).error().symbol, "file_failed");
}

}  // namespace
}  // namespace registry::ctl
