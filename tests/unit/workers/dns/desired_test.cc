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

domain::Device In(domain::State state) {
  domain::Device device = Certified();
  device.state = state;
  return device;
}

TEST(DesiredTest, Rfc6698_CertificateProfileIs301OverTheCertificate) {
  const domain::ZoneChange change = Wanted(Certified(), TlsaProfile::kCertificate);
  EXPECT_EQ(change.device, Certified().id);
  EXPECT_EQ(change.revision, 7u);
  ASSERT_EQ(change.tlsa.size(), 1u);
  EXPECT_EQ(change.tlsa[0], (domain::TlsaRecord{3, 0, 1, Bytes(32, 0xaa)}));
  EXPECT_TRUE(change.note.empty());
}

TEST(DesiredTest, Rfc6698_PublicKeyProfileIs311OverTheKey) {
  const domain::ZoneChange change = Wanted(Certified(), TlsaProfile::kPublicKey);
  ASSERT_EQ(change.tlsa.size(), 1u);
  EXPECT_EQ(change.tlsa[0], (domain::TlsaRecord{3, 1, 1, Bytes(32, 0xbb)}));
}

TEST(DesiredTest, EveryCertificateHasItsRecordOnce) {
  domain::Device device = In(domain::State::kActive);
  domain::Credential next = device.credentials.front();
  next.phase = domain::CredentialPhase::kNext;
  next.certificate.sha256 = Bytes(32, 0xcc);
  device.credentials.push_back(next);
  EXPECT_EQ(Wanted(device, TlsaProfile::kCertificate).tlsa.size(), 2u);
  EXPECT_EQ(Wanted(device, TlsaProfile::kPublicKey).tlsa.size(), 1u) << "both are of one key";
  device.credentials.back().phase = domain::CredentialPhase::kRetiring;
  EXPECT_EQ(Wanted(device, TlsaProfile::kCertificate).tlsa.size(), 2u);
  device.credentials.back().phase = domain::CredentialPhase::kWithdrawn;
  EXPECT_EQ(Wanted(device, TlsaProfile::kCertificate).tlsa.size(), 1u) << "it goes, and is revoked then";
}

TEST(DesiredTest, DeactivatedKeepsTheNameWithoutTlsa) {
  domain::Device device = In(domain::State::kDeactivated);
  device.credentials.clear();
  device.statuses.insert(domain::DeviceStatus::kServerHold);
  const domain::ZoneChange change = Wanted(device, TlsaProfile::kCertificate);
  EXPECT_TRUE(change.tlsa.empty());
  EXPECT_EQ(change.note, "state=deactivated");
  EXPECT_EQ(change.revision, 7u);
}

TEST(DesiredTest, WhatIsWithheldSaysWhyAndHasNoTlsa) {
  using domain::DeviceStatus;
  for (const auto& [status, note] : {std::pair{DeviceStatus::kClientHold, "state=suspended"},
                                     {DeviceStatus::kSponsorHold, "state=suspended"},
                                     {DeviceStatus::kServerHold, "state=suspended"},
                                     {DeviceStatus::kExpired, "state=expired"}}) {
    domain::Device device = In(domain::State::kActive);
    device.statuses.insert(status);
    const domain::ZoneChange change = Wanted(device, TlsaProfile::kCertificate);
    EXPECT_TRUE(change.tlsa.empty()) << note;
    EXPECT_EQ(change.note, note);
  }
}

TEST(DesiredTest, WithoutACertificateThereIsNoName) {
  for (const auto state : {domain::State::kRegistered, domain::State::kAttached, domain::State::kDeleted}) {
    domain::Device device = In(state);
    device.credentials.clear();
    device.statuses.insert(domain::DeviceStatus::kClientHold);
    const domain::ZoneChange change = Wanted(device, TlsaProfile::kCertificate);
    EXPECT_TRUE(change.tlsa.empty());
    EXPECT_TRUE(change.note.empty());
    EXPECT_EQ(change.device, device.id);
  }
}

}  // namespace
}  // namespace registry::dns
