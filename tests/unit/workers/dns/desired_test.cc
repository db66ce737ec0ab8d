#include "workers/dns/desired.h"

#include <gtest/gtest.h>

#include "tests/support/device_maker.h"

namespace registry::dns {
namespace {

domain::Device Certified() {
  domain::Device device;
  device.id = *DeviceId::Parse("6f0d6a1e-5b0e-4c0b-9d5e-2f6c1f2b7a10");
  device.zone.wanted = 7;
  domain::IssuedCertificate certificate;
  certificate.sha256 = Bytes(32, 0xaa);
  certificate.spki_sha256 = Bytes(32, 0xbb);
  test::CertificateOf(device) = certificate;
  return device;
}

TEST(DesiredTest, Rfc6698_CertificateProfileIs301OverTheCertificate) {
  const domain::ZoneChange change = Published(Certified(), TlsaProfile::kCertificate);
  EXPECT_EQ(change.device, Certified().id);
  EXPECT_EQ(change.revision, 7u);
  ASSERT_EQ(change.tlsa.size(), 1u);
  EXPECT_EQ(change.tlsa[0], (domain::TlsaRecord{3, 0, 1, Bytes(32, 0xaa)}));
  EXPECT_TRUE(change.note.empty());
}

TEST(DesiredTest, Rfc6698_PublicKeyProfileIs311OverTheKey) {
  const domain::ZoneChange change = Published(Certified(), TlsaProfile::kPublicKey);
  ASSERT_EQ(change.tlsa.size(), 1u);
  EXPECT_EQ(change.tlsa[0], (domain::TlsaRecord{3, 1, 1, Bytes(32, 0xbb)}));
}

TEST(DesiredTest, DeactivatedKeepsTheNameWithoutTlsa) {
  const domain::ZoneChange change = Deactivated(Certified());
  EXPECT_TRUE(change.tlsa.empty());
  EXPECT_EQ(change.note, "state=deactivated");
  EXPECT_EQ(change.revision, 7u);
}

TEST(DesiredTest, GoneWantsNothing) {
  const domain::ZoneChange change = Gone(Certified());
  EXPECT_TRUE(change.tlsa.empty());
  EXPECT_TRUE(change.note.empty());
  EXPECT_EQ(change.device, Certified().id);
}

TEST(DesiredDeathTest, PublishingWithoutACertificateIsADefect) {
  domain::Device device = Certified();
  device.credentials.clear();
  EXPECT_DEATH(Published(device, TlsaProfile::kCertificate), "check failed");
}

}  // namespace
}  // namespace registry::dns
