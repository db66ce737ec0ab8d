// A passphrase that an ASP seals to a device's certificate, with the tool that ASPs are given: the device of that
// certificate opens it with its card, and nobody else does.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "simulators/device/csr.h"
#include "simulators/device/der.h"
#include "simulators/device/device.h"
#include "simulators/device/payload.h"
#include "tests/unit/simulators/device/test_registry.h"

namespace registry::sim {
namespace {

constexpr const char* kName = "5672476c-e9aa-4aa3-9cfd-2aef76f44f0f._device.iotregistry.test";
constexpr const char* kPassphrase = "correct horse battery";

// A card with a certified key.
struct Certified {
  std::unique_ptr<Euicc> euicc = Euicc::Make();
  Card card{euicc->applet()};
  std::unique_ptr<CardKey> key;
  Bytes certificate;

  explicit Certified(const test::TestRegistry& registry) {
    const auto point = card.GenerateKeyPair(kSigningKey);
    key = CardKey::Make(card, kSigningKey, *point);
    const auto agreement = card.PublicPoint(kAgreementKey);
    const auto csr = MakeCsr(*key, *agreement, kName);
    certificate = registry.Issue(ToPem("CERTIFICATE REQUEST", *csr), kName);
  }
};

class Sealed : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "sealed-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // What the tool says; empty when it refuses, or cannot be run.
  std::string Seal(const Bytes& certificate, const std::string& passphrase) {
    const std::string file = folder_ / "device.pem";
    std::ofstream(file) << ToPem("CERTIFICATE", certificate);
    const std::string command = "printf %s '" + passphrase + "' | bash " + std::string(REGISTRY_SOURCE_DIR) +
                                "/simulators/asp/seal.sh " + file + " 2>/dev/null";
    std::FILE* const pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) return {};
    std::string said(4096, '\0');
    said.resize(std::fread(said.data(), 1, said.size(), pipe));
    if (pclose(pipe) != 0) return {};
    if (said.ends_with('\n')) said.pop_back();
    return said;
  }

  std::filesystem::path folder_;
  test::TestRegistry registry_;
};

TEST_F(Sealed, IsOpenedByTheDeviceOfTheCertificate) {
  const Certified device(registry_);
  const std::string sealed = Seal(device.certificate, kPassphrase);
  ASSERT_FALSE(sealed.empty());
  EXPECT_EQ(sealed.find(kPassphrase), std::string::npos);
  const auto opened = OpenSealed(sealed, *device.key);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(*opened, kPassphrase);
}

TEST_F(Sealed, IsNotOpenedByAnotherDeviceNorByTheKeyThatPayloadsAreFor) {
  const Certified device(registry_);
  Certified other(registry_);
  const std::string sealed = Seal(device.certificate, kPassphrase);
  ASSERT_FALSE(sealed.empty());
  EXPECT_EQ(OpenSealed(sealed, *other.key).error().symbol, "wifi_undecryptable");
  const auto agreement = CardKey::Make(other.card, kAgreementKey, *other.card.PublicPoint(kAgreementKey));
  EXPECT_EQ(OpenSealed(sealed, *agreement).error().symbol, "wifi_undecryptable");
}

TEST_F(Sealed, WhatWasAlteredOrIsNoneIsRefused) {
  const Certified device(registry_);
  const auto whole = FromBase64(Seal(device.certificate, kPassphrase));
  ASSERT_TRUE(whole && !whole->empty()) << "the tool made nothing";
  auto der = *whole;
  der.back() ^= 1;
  for (const std::string& sealed :
       {ToBase64(der), std::string("v1.AAEC"), std::string(), ToBase64({0x30, 0x00})})
    EXPECT_EQ(OpenSealed(sealed, *device.key).error().symbol, "wifi_undecryptable") << sealed;
}

TEST_F(Sealed, TheToolRefusesWhatIsNoCertificateAndWhatIsTooLong) {
  const Certified device(registry_);
  EXPECT_EQ(Seal({0x30, 0x00}, kPassphrase), "");
  EXPECT_EQ(Seal(device.certificate, std::string(900, 'x')), "");
}

}  // namespace
}  // namespace registry::sim
