#include "bridge/signing/key_file.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "tests/support/csr_maker.h"
#include "tests/support/device_ca.h"
#include "tests/support/openssl_tool.h"
#include "tests/support/soft_token.h"
#include "workers/crypto/p256.h"

namespace registry::signing {
namespace {

using testing::HasSubstr;

class KeyFileTest : public testing::Test {
 protected:
  KeyFileTest() {
    EXPECT_TRUE(test::Ca().issuing.key.Save(key_).ok());
    folder_.Write("ca.pem", ToPem("CERTIFICATE", test::Ca().issuing.certificate));
  }
  void ExpectRefused(std::string_view symbol, const std::string& words) {
    const auto signer = LoadSigner(key_, certificate_);
    ASSERT_FALSE(signer.ok());
    EXPECT_EQ(signer.error().symbol, symbol);
    EXPECT_THAT(signer.error().message, HasSubstr(words));
  }

  test::TemporaryFolder folder_;
  std::string key_ = folder_.In("ca.key"), certificate_ = folder_.In("ca.pem");
};

// As a token would that holds another key under the same label.
class Stranger : public domain::Signer {
 public:
  Result<Bytes> Sign(const Bytes& message) const override { return other_->Sign(message); }
  const Bytes& certificate() const override { return test::Ca().issuing.certificate; }

 private:
  std::unique_ptr<domain::Signer> other_ = *MakeSigner(test::Ca().root.key, test::Ca().root.certificate);
};

TEST_F(KeyFileTest, ASignerIsTriedOnce) {
  EXPECT_TRUE(CheckSigner(*test::Ca().signer).ok());
  const auto refused = CheckSigner(Stranger());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().symbol, "key_mismatch");
}

TEST_F(KeyFileTest, SignsForTheCertificate) {
  const auto signer = LoadSigner(key_, certificate_);
  ASSERT_TRUE(signer.ok()) << signer.error().message;
  EXPECT_EQ((*signer)->certificate(), test::Ca().issuing.certificate);
  const auto signature = (*signer)->Sign(AsBytes("message"));
  ASSERT_TRUE(signature.ok());
  const Bytes point = test::Ca().issuing.key.point();
  EXPECT_TRUE(crypto::VerifyP256(point, crypto::Sha256({AsBytes("message")}), *signature));
  EXPECT_FALSE(crypto::VerifyP256(point, crypto::Sha256({AsBytes("another")}), *signature));
}

TEST_F(KeyFileTest, ManyThreadsSignAtOnce) {
  const auto signer = LoadSigner(key_, certificate_);
  ASSERT_TRUE(signer.ok());
  const Bytes point = test::Ca().issuing.key.point();
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (std::uint8_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint8_t i = 0; i < 50; ++i) {
        const Bytes message{t, i};
        const auto signature = (*signer)->Sign(message);
        if (!signature || !crypto::VerifyP256(point, crypto::Sha256({message}), *signature)) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(KeyFileTest, RefusesAKeyOthersCanUse) {
  for (mode_t mode : {0640u, 0604u, 0620u, 0610u, 0644u, 0666u}) {
    ASSERT_EQ(chmod(key_.c_str(), mode), 0);
    ExpectRefused("key_file_permissions", "chmod 600");
  }
  ASSERT_EQ(chmod(key_.c_str(), 0400), 0);
  EXPECT_TRUE(LoadSigner(key_, certificate_).ok());
}

TEST_F(KeyFileTest, RefusesAKeyOfAnotherUser) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  ASSERT_EQ(chown(key_.c_str(), 12345, static_cast<gid_t>(-1)), 0);
  ExpectRefused("key_file_owner", "12345");
}

TEST_F(KeyFileTest, RefusesWhatIsNoFileOrNoKey) {
  const std::string good = key_;
  key_ = folder_.In("missing.key");
  ExpectRefused("key_file_missing", "missing.key");
  key_ = folder_.In("");
  ExpectRefused("key_file_invalid", "regular file");
  key_ = folder_.Write("garbage.key", "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n");
  ASSERT_EQ(chmod(key_.c_str(), 0600), 0);
  ExpectRefused("key_file_invalid", "no unencrypted PEM private key");
  key_ = folder_.Write("large.key", std::string(20000, '\n'));
  ASSERT_EQ(chmod(key_.c_str(), 0600), 0);
  ExpectRefused("key_file_invalid", "too large");
}

TEST_F(KeyFileTest, RefusesOtherKeysAndEncryptedOnes) {
  key_ = folder_.In("other.key");
  ASSERT_TRUE(
      test::OpenSsl(folder_, "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out other.key").ok());
  ASSERT_EQ(chmod(key_.c_str(), 0600), 0);
  ExpectRefused("key_type", "P-256");
  ASSERT_TRUE(test::OpenSsl(folder_, "genpkey -algorithm RSA -out other.key").ok());
  ExpectRefused("key_type", "P-256");
  ASSERT_TRUE(test::OpenSsl(folder_, "pkcs8 -topk8 -in ca.key -out other.key -passout pass:x").ok());
  ExpectRefused("key_file_invalid", "unencrypted");
}

TEST_F(KeyFileTest, RefusesACertificateOfAnotherKey) {
  folder_.Write("ca.pem", ToPem("CERTIFICATE", test::Ca().root.certificate));
  ExpectRefused("key_mismatch", "ca.key");
  folder_.Write("ca.pem", std::string("no certificate"));
  ExpectRefused("certificate_file_invalid", "ca.pem");
  certificate_ = folder_.In("missing.pem");
  ExpectRefused("certificate_file_invalid", "missing.pem");
}

TEST_F(KeyFileTest, ReadsKeysOfTheOpensslProgram) {
  const std::string made = folder_.In("made.key");
  ASSERT_TRUE(
      test::OpenSsl(folder_, "ecparam -name prime256v1 -genkey -noout -out made.key").ok());  // SEC 1 form
  ASSERT_EQ(chmod(made.c_str(), 0600), 0);
  EXPECT_TRUE(PrivateKey::Load(made).ok());
}

TEST_F(KeyFileTest, AKeyInATokenSignsForItsCertificate) {
  const test::SoftToken token;
  ASSERT_TRUE(keys::GenerateTokenKey(token.Uri("issuing")).ok());
  const auto key = LoadKey(token.Uri("issuing"));
  ASSERT_TRUE(key.ok()) << key.error().message;
  key_ = token.Uri("issuing");
  ExpectRefused("key_mismatch", "pkcs11:token=registry;object=issuing, ");
  folder_.Write("issuing.pub", ToPem("PUBLIC KEY", crypto::P256PublicKeyInfo((*key)->point())));
  ASSERT_TRUE(test::Ca().root.key.Save(folder_.In("root.key")).ok());
  folder_.Write("root.pem", ToPem("CERTIFICATE", test::Ca().root.certificate));
  folder_.Write("ca.cnf",
                "basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\nkeyUsage=keyCertSign\n");
  const auto certified = test::OpenSsl(
      folder_,
      "x509 -new -subj /CN=issuing -force_pubkey issuing.pub -CA root.pem -CAkey root.key -days 30 "
      "-extfile ca.cnf -out token.pem");
  ASSERT_TRUE(certified.ok()) << certified.output;
  const auto signer = LoadSigner(key_, folder_.In("token.pem"));
  ASSERT_TRUE(signer.ok()) << signer.error().message;
  EXPECT_TRUE(CheckSigner(**signer).ok());
}

TEST_F(KeyFileTest, CreatesOwnerOnlyFilesAndNeverOverwrites) {
  const std::string fresh = folder_.In("fresh.key");
  ASSERT_TRUE(CreateKeyFile(fresh).ok());
  struct stat info {};
  ASSERT_EQ(stat(fresh.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  EXPECT_THAT(folder_.Read("fresh.key"), testing::StartsWith("-----BEGIN PRIVATE KEY-----")) << "PKCS#8";
  EXPECT_THAT(test::OpenSsl(folder_, "pkey -in fresh.key -noout -text").output,
              HasSubstr("NIST CURVE: P-256"));
  const std::string before = folder_.Read("fresh.key");
  const auto again = CreateKeyFile(fresh);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().symbol, "file_exists");
  EXPECT_EQ(folder_.Read("fresh.key"), before);
}

}  // namespace
}  // namespace registry::signing
