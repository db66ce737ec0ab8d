// Every form in which the openssl program writes a P-256 key, and what is none, judged beside OpenSSL's own reading.
#include "bridge/p256_pem.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "schemas/base/bytes.h"
#include "tests/support/openssl_tool.h"
#include "workers/crypto/p256.h"

namespace registry {
namespace {

class P256PemTest : public ::testing::Test {
 protected:
  void SetUp() override { Made("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem"); }
  void Made(const std::string& arguments) {
    const auto result = test::OpenSsl(folder_, arguments);
    ASSERT_TRUE(result.ok()) << arguments << ": " << result.output;
  }
  Bytes PointByTheTool(const std::string& file) {
    Made("pkey -in " + file + " -pubout -outform DER -out point.der");
    return Octets(folder_.Read("point.der").substr(26));  // behind the SubjectPublicKeyInfo's head
  }
  static Bytes Octets(const std::string& text) { return Bytes(text.begin(), text.end()); }
  P256Pem Of(const std::string& file) const { return ReadP256Pem(Secret(Octets(folder_.Read(file)))); }
  // What the key signs verifies under the point that the tool sees in the file.
  void ExpectRead(const std::string& file) {
    const P256Pem pem = Of(file);
    ASSERT_TRUE(pem.ok()) << file << ": " << static_cast<int>(pem.trouble);
    EXPECT_EQ(pem.point, PointByTheTool("key.pem")) << file;
    const Bytes digest(32, 7);
    Bytes signature(80);
    std::size_t size = signature.size();
    const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
        EVP_PKEY_CTX_new(pem.key.get(), nullptr), EVP_PKEY_CTX_free);
    ASSERT_EQ(EVP_PKEY_sign_init(context.get()), 1);
    ASSERT_EQ(EVP_PKEY_sign(context.get(), signature.data(), &size, digest.data(), digest.size()), 1);
    signature.resize(size);
    EXPECT_TRUE(crypto::VerifyP256(pem.point, digest, signature)) << file;
  }
  void ExpectTrouble(P256Trouble trouble, const std::string& file) {
    const P256Pem pem = Of(file);
    EXPECT_EQ(pem.trouble, trouble) << file;
    EXPECT_EQ(pem.key, nullptr) << file;
  }
  // The file's DER with `from` replaced once, as PEM again.
  void Rewrite(const std::string& file, const std::string& from, const std::string& to) {
    Made("ec -in key.pem -outform DER -out key.der");
    std::string der = folder_.Read("key.der");
    const auto at = der.find(from);
    ASSERT_NE(at, std::string::npos);
    der.replace(at, from.size(), to);
    WritePem(file, der);
  }
  void WritePem(const std::string& file, const std::string& der) {
    folder_.Write(file, "-----BEGIN EC PRIVATE KEY-----\n" + ToBase64(Octets(der)) +
                            "\n-----END EC PRIVATE KEY-----\n");
  }
  std::string Scalar() {
    Made("ec -in key.pem -outform DER -out key.der");
    return folder_.Read("key.der").substr(7, 32);
  }

  test::TemporaryFolder folder_;
};

TEST_F(P256PemTest, ReadsEveryFormOfTheKey) {
  ExpectRead("key.pem");
  for (const char* form : {"-out f.pem", "-conv_form compressed -out f.pem", "-no_public -out f.pem"}) {
    Made(std::string("ec -in key.pem ") + form);
    ExpectRead("f.pem");
    Made("pkcs8 -topk8 -nocrypt -in f.pem -out p.pem");
    ExpectRead("p.pem");
  }
  Made("ecparam -name prime256v1 -out g.pem");
  Made("ec -in key.pem -out f.pem");
  folder_.Write("both.pem",
                folder_.Read("g.pem") + folder_.Read("f.pem"));  // as `openssl ecparam -genkey` writes it
  ExpectRead("both.pem");
}

TEST_F(P256PemTest, NamesWhatIsNoKey) {
  folder_.Write("empty.pem", "");
  ExpectTrouble(P256Trouble::kNoKey, "empty.pem");
  folder_.Write("text.pem", "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n");
  ExpectTrouble(P256Trouble::kNoKey, "text.pem");
  Made("pkcs8 -topk8 -in key.pem -out closed.pem -passout pass:x");
  ExpectTrouble(P256Trouble::kNoKey, "closed.pem");
  Made("ec -in key.pem -aes128 -passout pass:x -out closed.pem");
  ExpectTrouble(P256Trouble::kNoKey, "closed.pem");
  Made("pkey -in key.pem -pubout -out public.pem");
  ExpectTrouble(P256Trouble::kNoKey, "public.pem");
}

TEST_F(P256PemTest, NamesOtherKeys) {
  for (const char* kind :
       {"EC -pkeyopt ec_paramgen_curve:P-384", "EC -pkeyopt ec_paramgen_curve:secp256k1", "RSA", "ED25519",
        "EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit"}) {
    Made(std::string("genpkey -algorithm ") + kind + " -out other.pem");
    ExpectTrouble(P256Trouble::kOtherType, "other.pem");
  }
  Made("genrsa -traditional -out other.pem");
  ExpectTrouble(P256Trouble::kOtherType, "other.pem");
}

TEST_F(P256PemTest, NamesANumberThatIsNoneAndAPointThatIsNotItsOwn) {
  const std::string scalar = Scalar();
  Rewrite("zero.pem", scalar, std::string(32, '\0'));
  ExpectTrouble(P256Trouble::kPoint, "zero.pem");
  Rewrite("large.pem", scalar, std::string(32, '\xff'));
  ExpectTrouble(P256Trouble::kPoint, "large.pem");
  Made("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out other.pem");
  const Bytes mine = PointByTheTool("key.pem"), others = PointByTheTool("other.pem");
  Rewrite("mixed.pem", std::string(AsText(mine)), std::string(AsText(others)));
  ExpectTrouble(P256Trouble::kPoint, "mixed.pem");
}

TEST_F(P256PemTest, NoOctetLessNoOctetMore) {
  Made("ec -in key.pem -outform DER -out key.der");
  const std::string der = folder_.Read("key.der");
  for (std::size_t size = 0; size < der.size(); ++size) {
    WritePem("cut.pem", der.substr(0, size));
    EXPECT_FALSE(Of("cut.pem").ok()) << size;
  }
  WritePem("more.pem", der + '\0');
  EXPECT_FALSE(Of("more.pem").ok());
}

}  // namespace
}  // namespace registry
