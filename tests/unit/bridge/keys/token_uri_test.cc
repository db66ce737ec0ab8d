#include "bridge/keys/token_uri.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "bridge/keys/key_source.h"
#include "tests/support/temporary_folder.h"

namespace registry::keys {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kModule[] = "module-path=/usr/lib/softhsm/libsofthsm2.so";

std::string Why(const std::string& uri) {
  const auto parsed = ParseTokenUri(uri);
  if (parsed) return "";
  EXPECT_EQ(parsed.error().symbol, "key_uri_invalid");
  return parsed.error().message;
}

// RFC 7512 §2.3, §2.4.
TEST(TokenUri, SaysModuleTokenKeyAndPin) {
  const auto uri = ParseTokenUri(std::string("pkcs11:token=My%20HSM;object=issuing;id=%01%0a?") + kModule +
                                 "&pin-source=file:/etc/registry/pin");
  ASSERT_TRUE(uri.ok()) << uri.error().message;
  EXPECT_EQ(uri->module_path, "/usr/lib/softhsm/libsofthsm2.so");
  EXPECT_EQ(uri->token, "pkcs11:token=My%20HSM");
  EXPECT_EQ(uri->object, "issuing");
  EXPECT_EQ(uri->id, (Bytes{1, 10}));
  EXPECT_EQ(uri->pin_source, "file:/etc/registry/pin");
  EXPECT_EQ(uri->KeyText(), "label 'issuing', id 010a");
}

TEST(TokenUri, IsToldFromAPathByItsScheme) {
  EXPECT_TRUE(IsKeyUri("pkcs11:token=a"));
  EXPECT_TRUE(IsKeyUri("PKCS11:token=a"));
  EXPECT_FALSE(IsKeyUri("pkcs11"));
  EXPECT_FALSE(IsKeyUri("/etc/pkcs11:key.pem"));
}

TEST(TokenUri, WhatCannotBeUsedIsSaidWithTheWayOut) {
  const std::string whole = std::string("pkcs11:object=a?") + kModule;
  EXPECT_EQ(Why(whole), "");
  EXPECT_THAT(Why("pkcs11:object"), HasSubstr("cannot be read"));
  EXPECT_THAT(Why("pkcs11:object=a"), HasSubstr("module-path=/"));
  EXPECT_THAT(Why("pkcs11:object=a?module-path=libsofthsm2.so"), HasSubstr("absolute path"));
  EXPECT_THAT(Why(std::string("pkcs11:token=a?") + kModule), HasSubstr("object=LABEL"));
  EXPECT_THAT(Why(std::string("pkcs11:object=a;type=cert?") + kModule), HasSubstr("type=private"));
  EXPECT_EQ(Why(std::string("pkcs11:object=a;type=private?") + kModule), "");
  EXPECT_THAT(Why(std::string("pkcs11:object=a;colour=red?") + kModule), HasSubstr("not known"));
  for (const char* source : {"file:pin", "|cat pin", "credential:", "credential:../pin", "https://pin"}) {
    EXPECT_THAT(Why(whole + "&pin-source=" + source), HasSubstr("pin-source")) << source;
  }
  EXPECT_EQ(Why(whole + "&pin-source=credential:hsm-pin"), "");
}

TEST(TokenUri, APinInTheUriIsRefusedAndNotRepeated) {
  const std::string why = Why(std::string("pkcs11:object=a?") + kModule + "&pin-value=97531");
  EXPECT_THAT(why, HasSubstr("pin-source=file:"));
  EXPECT_THAT(why, Not(HasSubstr("97531")));
}

std::string PinOf(const std::string& source) {
  const auto uri = ParseTokenUri(std::string("pkcs11:object=a?") + kModule +
                                 (source.empty() ? "" : "&pin-source=" + source));
  const auto pin = ReadPin(*uri);
  if (pin) return std::string(pin->text());
  EXPECT_EQ(pin.error().symbol, "token_pin");
  return pin.error().message;
}

TEST(TokenUri, ThePinIsReadFromAFileOfItsOwnerAlone) {
  const test::TemporaryFolder folder;
  const std::string file = folder.Write("pin", "12 34\r\n");
  chmod(file.c_str(), 0600);
  EXPECT_EQ(PinOf("file:" + file), "12 34");
  chmod(file.c_str(), 0640);
  EXPECT_THAT(PinOf("file:" + file), HasSubstr("chmod 600"));
  EXPECT_THAT(PinOf("file:" + folder.In("none")), HasSubstr("none"));
  folder.Write("pin", "\n");
  chmod(file.c_str(), 0600);
  EXPECT_THAT(PinOf("file:" + file), HasSubstr("empty"));
  EXPECT_THAT(PinOf(""), HasSubstr("asks for a PIN"));
}

// systemd.exec(5), LoadCredential=: root's file, which the service alone may read.
TEST(TokenUri, OrFromACredentialOfTheServiceManager) {
  const test::TemporaryFolder folder;
  chmod(folder.Write("hsm-pin", "4711\n").c_str(), 0440);
  unsetenv("CREDENTIALS_DIRECTORY");
  EXPECT_THAT(PinOf("credential:hsm-pin"), HasSubstr("no service manager"));
  setenv("CREDENTIALS_DIRECTORY", folder.path().c_str(), 1);
  EXPECT_EQ(PinOf("credential:hsm-pin"), "4711");
  EXPECT_THAT(PinOf("credential:other"), HasSubstr("other"));
  unsetenv("CREDENTIALS_DIRECTORY");
}

}  // namespace
}  // namespace registry::keys
