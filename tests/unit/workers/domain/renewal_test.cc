// When a certificate is due, and when the next one may be brought to its device.
#include "workers/domain/renewal.h"

#include <gtest/gtest.h>

#include "workers/domain/device_steps.h"
#include "workers/domain/standing.h"

namespace registry::domain {
namespace {

using std::chrono::seconds;

constexpr UtcTime kIssued{1'790'000'000'000'000};
constexpr seconds kLife{1000};

IssuedCertificate Certificate(std::uint8_t number, UtcTime issued = kIssued) {
  return {Bytes(9, number),  Bytes(20, number),     Bytes(32, number),
          Bytes(33, number), issued - seconds(300), issued + kLife};
}

CertificatePolicy Certificates() {
  CertificatePolicy policy;
  policy.validity = kLife;
  return policy;
}

DeviceId Random(std::uint8_t last) {
  return DeviceId::FromRandom({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, last, 255});
}

TEST(Renewal, IsDueFromTwoThirdsOnWithAShareOfATenthThatIsTheDevicesOwn) {
  const RenewalPolicy policy;
  const UtcTime first = RenewalDue(Random(0), Certificate(1), Certificates(), policy);
  const UtcTime last = RenewalDue(Random(255), Certificate(1), Certificates(), policy);
  EXPECT_GE(first, kIssued + seconds(660));
  EXPECT_LT(first, kIssued + seconds(661));
  EXPECT_GT(last, kIssued + seconds(755));
  EXPECT_LE(last, kIssued + seconds(760));
  EXPECT_EQ(last, RenewalDue(Random(255), Certificate(2), Certificates(), policy)) << "the same for ever";
}

TEST(Renewal, OfACertificateFromALongerTimeIsDueAsLateAsOfANewOne) {
  IssuedCertificate old = Certificate(1);
  old.not_after = kIssued + 10 * kLife;
  EXPECT_GE(RenewalDue(Random(0), old, Certificates(), {}), old.not_after - seconds(340));
}

TEST(Renewal, AnIndexOfEndsMissesNoneThatIsDue) {
  const RenewalPolicy policy;
  for (const std::uint8_t share : {0, 100, 255}) {
    const UtcTime due = RenewalDue(Random(share), Certificate(1), Certificates(), policy);
    DeviceBrief brief;
    brief.id = Random(share);
    brief.expires = Certificate(1).not_after;
    EXPECT_TRUE(MayBeDue(brief, Certificates(), policy, due));
    EXPECT_FALSE(MayBeDue(brief, Certificates(), policy, due - seconds(1)));
    EXPECT_LT(brief.expires, EndOfThoseDue(Certificates(), policy, due + seconds(1)));
  }
}

TEST(Renewal, TheNextCertificateIsBroughtWhenNoResolverCanMissItsRecord) {
  const RenewalPolicy policy;
  Device device;
  device.id = Random(1);
  AddProfile(device, *PartyId::Parse("mno-a"), Iccid());
  SeeOnNetwork(device);
  GoLive(device, Certificate(1), kIssued);
  AddNext(device, Certificate(2), 1, {}, kIssued);
  EXPECT_EQ(ToBeCarried(device, policy, kIssued + kLife), Live(device)) << "it is not served";
  EXPECT_FALSE(NoteServed(device, {{3, 0, 1, Bytes(32, 1)}}, kIssued));
  EXPECT_TRUE(NoteServed(device, {{3, 0, 1, Bytes(32, 1)}, {3, 1, 1, Bytes(33, 2)}}, kIssued + seconds(9)));
  EXPECT_FALSE(NoteServed(device, {{3, 1, 1, Bytes(33, 2)}}, kIssued + seconds(10))) << "it was before";
  EXPECT_EQ(ToBeCarried(device, policy, kIssued + seconds(68)), Live(device));
  EXPECT_EQ(ToBeCarried(device, policy, kIssued + seconds(69)), NextCredential(device));
}

TEST(Renewal, ANextCertificateOfAnotherAppletBringsItsAgreementKeyWhenItIsLive) {
  Device device;
  AddProfile(device, *PartyId::Parse("mno-a"), Iccid());
  SeeOnNetwork(device);
  SetAgreementKey(device, Bytes(65, 1));
  GoLive(device, Certificate(1), kIssued);
  AddNext(device, Certificate(2), 1, Bytes(65, 2), kIssued);
  EXPECT_EQ(AgreementKey(device), Bytes(65, 1));
  EXPECT_EQ(SwitchOver(device, kIssued), Bytes(65, 1));
  EXPECT_EQ(AgreementKey(device), Bytes(65, 2));
  EXPECT_EQ(LiveCertificate(device)->serial, Bytes(20, 2));
  WithdrawRetiring(device, kIssued);
  EXPECT_EQ(TakeCredentials(device, CredentialPhase::kWithdrawn).size(), 1u);
}

}  // namespace
}  // namespace registry::domain
