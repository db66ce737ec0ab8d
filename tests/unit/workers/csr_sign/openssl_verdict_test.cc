// Requests as `openssl req` makes and judges them: where it and the registry differ is written down here, and nowhere else.
#include <gmock/gmock.h>

#include "tests/support/csr_maker.h"
#include "tests/support/openssl_tool.h"
#include "workers/crypto/der_writer.h"
#include "workers/crypto/digest.h"
#include "workers/csr_sign/csr_sign.h"

namespace registry::csr_sign {
namespace {

class OpenSslVerdict : public ::testing::Test {
 protected:
  void Run(const std::string& arguments) {
    const auto done = test::OpenSsl(folder_, arguments);
    ASSERT_TRUE(done.ok()) << arguments << ": " << done.output;
  }
  // A key and a request with it, by the program.
  Bytes Made(const std::string& key_options, const std::string& request_options) {
    Run("ecparam -genkey -noout -out key.pem " + key_options);
    Run("req -new -key key.pem -out csr.pem " + request_options);
    return AsBytes(folder_.Read("csr.pem"));
  }
  Bytes MadeCompressed(const std::string& request_options) {
    Run("ecparam -name prime256v1 -genkey -noout -out whole.pem");
    Run("ec -in whole.pem -conv_form compressed -out key.pem");
    Run("req -new -key key.pem -out csr.pem " + request_options);
    return AsBytes(folder_.Read("csr.pem"));
  }
  bool OpenSslTakes(const Bytes& csr) {
    folder_.Write("judged", csr);
    const std::string form = !csr.empty() && csr[0] == 0x30 ? "DER" : "PEM";
    return test::OpenSsl(folder_, "req -in judged -inform " + form + " -verify -noout").ok();
  }
  void ExpectTaken(const Bytes& csr, const std::string& what) {
    EXPECT_TRUE(OpenSslTakes(csr)) << what;
    const auto checked = CheckCsr(csr);
    EXPECT_TRUE(checked.ok()) << what << ": " << checked.error().message;
  }
  // What OpenSSL takes and the registry does not.
  void ExpectRefusedHereOnly(const Bytes& csr, std::string_view symbol) {
    EXPECT_TRUE(OpenSslTakes(csr)) << symbol;
    const auto checked = CheckCsr(csr);
    ASSERT_FALSE(checked.ok()) << symbol;
    EXPECT_EQ(checked.error().symbol, symbol);
  }
  // A request of this subject and attributes, signed as it stands.
  static Bytes With(const Bytes& name, const Bytes& attributes) {
    static const test::Key key = test::NewEcKey();
    const Bytes info =
        crypto::DerSequence({crypto::DerInteger(std::uint64_t{0}), name, test::PublicKeyInfo(key),
                             crypto::Der(crypto::tag::ContextConstructed(0), {attributes})});
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    Bytes signature(72);
    std::size_t size = signature.size();
    REG_CHECK(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1);
    REG_CHECK(EVP_DigestSign(context.get(), signature.data(), &size, info.data(), info.size()) == 1);
    signature.resize(size);
    return crypto::DerSequence({info, crypto::DerSequence({crypto::DerOid("1.2.840.10045.4.3.2")}),
                                crypto::DerBitString(signature)});
  }
  // One whose subject is one attribute with a value of this type and content.
  static Bytes WithSubject(const char* type, std::uint8_t value_tag, const Bytes& value) {
    const Bytes pair = crypto::DerSequence({crypto::DerOid(type), crypto::Der(value_tag, {value})});
    return With(crypto::DerSequence({crypto::Der(crypto::tag::kSet, {pair})}), {});
  }
  // One with an attribute of its own (unstructuredName, RFC 2985 §5.4.3) whose one value is this.
  static Bytes WithAttribute(const Bytes& value) {
    return With(crypto::DerSequence({}), crypto::DerSequence({crypto::DerOid("1.2.840.113549.1.9.2"),
                                                              crypto::Der(crypto::tag::kSet, {value})}));
  }

  test::TemporaryFolder folder_;
};

TEST_F(OpenSslVerdict, WhatItsOwnRequestsAreWorthHere) {
  for (const char* hash : {"-sha256", "-sha384", "-sha512"}) {
    ExpectTaken(Made("-name prime256v1", std::string(hash) + " -subj /C=CA/O=x/CN=y/emailAddress=a@b.test"),
                hash);
    ExpectTaken(MadeCompressed(std::string(hash) + " -subj /DC=test/CN=y"), hash);
    ExpectTaken(Made("-name prime256v1", std::string(hash) + " -utf8 -subj '/CN=Gerät ✓'"), hash);
  }
  ExpectTaken(Made("-name prime256v1", "-newhdr -text -subj /CN=y"), "text and the older label");
  ExpectRefusedHereOnly(Made("-name prime256v1", "-sha1 -subj /CN=y"), "csr_signature_algorithm");
  ExpectRefusedHereOnly(Made("-name prime256v1 -param_enc explicit", "-subj /CN=y"), "csr_key_type");
  test::CsrOptions hybrid;
  REG_CHECK(EVP_PKEY_set_utf8_string_param(hybrid.key.get(), "point-format", "hybrid") == 1);
  ExpectRefusedHereOnly(test::MakeCsr(hybrid), "csr_point_invalid");
  ExpectRefusedHereOnly(Made("-name secp384r1", "-subj /CN=y"), "csr_key_type");
}

TEST_F(OpenSslVerdict, ACompressedKeyHasTheIdentityOfTheUncompressedOne) {
  const Bytes csr = MadeCompressed("-subj /CN=y");
  const auto compressed = CheckCsr(csr);
  ASSERT_TRUE(compressed.ok()) << compressed.error().message;
  const auto whole =
      test::OpenSsl(folder_, "ec -in key.pem -conv_form uncompressed -pubout -outform DER -out spki");
  ASSERT_TRUE(whole.ok()) << whole.output;
  const Bytes spki = AsBytes(folder_.Read("spki"));
  EXPECT_EQ(compressed->spki_sha256, crypto::ToBytes(crypto::Sha256({spki})));
  EXPECT_EQ(compressed->public_key, Bytes(spki.end() - 65, spki.end()));
  const Bytes der = *FromPem("CERTIFICATE REQUEST", AsText(csr));
  EXPECT_EQ(std::search(der.begin(), der.end(), spki.end() - 32, spki.end()), der.end())
      << "no Y in the request";
}

TEST_F(OpenSslVerdict, BlanksAtTheEndOfLines) {
  std::string pem(AsText(Made("-name prime256v1", "-subj /CN=y")));
  for (std::size_t at = 0; (at = pem.find('\n', at)) != std::string::npos; at += 3) pem.insert(at, " \t");
  ExpectTaken(AsBytes(pem), "blanks");
}

TEST_F(OpenSslVerdict, TwoRequestsInOneText) {
  const Bytes first = Made("-name prime256v1", "-subj /CN=y");
  Bytes both = first;
  both.insert(both.end(), first.begin(), first.end());
  ExpectRefusedHereOnly(both, "csr_malformed");  // OpenSSL reads the first, and says nothing of the second
}

TEST_F(OpenSslVerdict, ASubjectNobodyElseParsesIsRefused) {
  constexpr const char *kCommonName = "2.5.4.3", *kEmail = "1.2.840.113549.1.9.1",
                       *kDomainComponent = "0.9.2342.19200300.100.1.25";
  const Bytes text = AsBytes("abcd");
  for (const std::uint8_t good : {0x0c, 0x13, 0x14, 0x1c, 0x1e}) {
    const Bytes value = good == 0x1c ? Bytes{0, 0, 0, 'a'} : text;
    ExpectTaken(WithSubject(kCommonName, good, value), std::to_string(good));
  }
  ExpectTaken(WithSubject(kEmail, 0x16, text), "emailAddress");
  ExpectTaken(WithSubject(kDomainComponent, 0x16, text), "domainComponent");
  const std::pair<std::uint8_t, Bytes> nobody[] = {
      {0x1b, text},                // GeneralString
      {0x1a, text},                // VisibleString
      {0x19, text},                // GraphicString
      {0x15, text},                // VideotexString
      {0x0c, {0xc3, 0x28}},        // not UTF-8
      {0x0c, {0xed, 0xa0, 0x80}},  // a surrogate
      {0x1e, {0x00, 'a', 0x00}},   // half a character
      {0x1e, {0xd8, 0x00}},        // a surrogate
      {0x1c, {0x00, 0x00, 'a'}},   // not four octets
      {0x05, {}},                  // NULL
      {0x02, {0x01}},              // INTEGER
  };
  for (const auto& [value_tag, value] : nobody) {
    const Bytes csr = WithSubject(kCommonName, value_tag, value);
    const auto checked = CheckCsr(csr);
    EXPECT_FALSE(checked.ok()) << int{value_tag};
    EXPECT_FALSE(OpenSslTakes(csr)) << int{value_tag} << " " << ToHex(value);
  }
  ExpectRefusedHereOnly(WithSubject(kCommonName, 0x16, text), "csr_malformed");           // IA5String
  ExpectRefusedHereOnly(WithSubject(kCommonName, 0x12, AsBytes("12")), "csr_malformed");  // NumericString
  ExpectRefusedHereOnly(WithSubject("2.5.4.45", 0x03, {0x00, 0x01}), "csr_malformed");    // BIT STRING
}

// What nobody else can read is no request, wherever in it the odd octets are. d2i reads an attribute's value by its tag.
TEST_F(OpenSslVerdict, ReadsWhateverAttributeIsTakenHere) {
  int taken = 0;
  for (int tag = 1; tag < 0x40; ++tag) {
    for (const char* content : {"", "00", "ff", "0001", "0080", "000141", "00000041", "0000004100"}) {
      const Bytes value = crypto::Der(static_cast<std::uint8_t>(tag), {*FromHex(content)});
      const Bytes csr = WithAttribute(value);
      if (!CheckCsr(csr)) continue;
      ++taken;
      const std::uint8_t* at = csr.data();
      const std::unique_ptr<X509_REQ, decltype(&X509_REQ_free)> read(
          d2i_X509_REQ(nullptr, &at, static_cast<long>(csr.size())), X509_REQ_free);
      EXPECT_TRUE(read) << "value " << ToHex(value);
    }
  }
  EXPECT_GT(taken, 100);
}

}  // namespace
}  // namespace registry::csr_sign
