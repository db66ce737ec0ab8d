#include <gmock/gmock.h>

#include "tests/support/csr_maker.h"
#include "workers/crypto/der_writer.h"
#include "workers/crypto/digest.h"
#include "workers/csr_sign/csr_sign.h"

namespace registry::csr_sign {
namespace {

using test::CsrOptions;
using test::MakeCsr;

void ExpectRefused(const Bytes& csr, Code code, std::string_view symbol) {
  const auto checked = CheckCsr(csr);
  ASSERT_FALSE(checked.ok());
  EXPECT_EQ(checked.error().symbol, symbol) << checked.error().message;
  EXPECT_EQ(checked.error().code, code);
  EXPECT_EQ(checked.error().field, "/csr");
}

Bytes Replace(Bytes in, const Bytes& what, const Bytes& with) {
  const auto at = std::search(in.begin(), in.end(), what.begin(), what.end());
  REG_CHECK(at != in.end() && what.size() == with.size());
  std::copy(with.begin(), with.end(), at);
  return in;
}

TEST(CheckCsr, AcceptsDerAndPem) {
  CsrOptions options;
  const Bytes der = MakeCsr(options);
  for (const Bytes& form :
       {der, AsBytes(ToPem("CERTIFICATE REQUEST", der)), AsBytes(ToPem("NEW CERTIFICATE REQUEST", der)),
        AsBytes("Explaining text\n" + ToPem("CERTIFICATE REQUEST", der))}) {
    const auto checked = CheckCsr(form);
    ASSERT_TRUE(checked.ok()) << checked.error().message;
    EXPECT_EQ(checked->public_key, test::PointOf(options.key));
    EXPECT_EQ(checked->spki_sha256, crypto::ToBytes(crypto::Sha256({test::PublicKeyInfo(options.key)})));
    EXPECT_EQ(checked->agreement_key, checked->public_key) << "without one of its own, the CSR's key serves";
  }
}

TEST(CheckCsr, FindsTheAgreementKey) {
  for (test::AgreementIn place : {test::AgreementIn::kAttribute, test::AgreementIn::kExtension}) {
    CsrOptions options;
    options.agreement = test::NewEcKey();
    options.agreement_in = place;
    const auto checked = CheckCsr(MakeCsr(options));
    ASSERT_TRUE(checked.ok()) << checked.error().message;
    EXPECT_EQ(checked->agreement_key, test::PointOf(options.agreement));
    EXPECT_EQ(checked->public_key, test::PointOf(options.key));
  }
}

TEST(CheckCsr, IgnoresOtherAttributes) {
  CsrOptions options;
  options.more = [](X509_REQ* request) {
    REG_CHECK(X509_REQ_add1_attr_by_NID(request, NID_pkcs9_challengePassword, MBSTRING_ASC,
                                        reinterpret_cast<const unsigned char*>("secret"), 6) == 1);
  };
  EXPECT_TRUE(CheckCsr(MakeCsr(options)).ok());
}

TEST(CheckCsr, RefusesTwoAgreementKeys) {
  CsrOptions options;
  options.agreement = test::NewEcKey();
  options.more = [](X509_REQ* request) {
    test::AddAgreementExtension(request, test::PublicKeyInfo(test::NewEcKey()));
  };
  ExpectRefused(MakeCsr(options), Code::kValueSyntax, "csr_malformed");
}

TEST(CheckCsr, RefusesAgreementKeysThatAreNone) {
  const auto with = [](Bytes info) {
    CsrOptions options;
    options.more = [info = std::move(info)](X509_REQ* request) {
      test::AddAgreementAttribute(request, info);
    };
    return MakeCsr(options);
  };
  ExpectRefused(with(test::PublicKeyInfo(test::NewEcKey("P-384"))), Code::kPolicy, "csr_key_type");
  ExpectRefused(with(test::PublicKeyInfo(test::NewRsaKey())), Code::kPolicy, "csr_key_type");
  Bytes off = test::PublicKeyInfo(test::NewEcKey());
  off.back() ^= 1;
  ExpectRefused(with(off), Code::kPolicy, "csr_point_invalid");
  ExpectRefused(with(crypto::DerSequence({})), Code::kValueSyntax, "csr_malformed");
}

TEST(CheckCsr, RefusesOtherKeys) {
  CsrOptions rsa;
  rsa.key = test::NewRsaKey();
  ExpectRefused(MakeCsr(rsa), Code::kPolicy, "csr_key_type");
  for (const char* curve : {"P-384", "P-521", "P-224", "secp256k1"}) {
    CsrOptions options;
    options.key = test::NewEcKey(curve);
    ExpectRefused(MakeCsr(options), Code::kPolicy, "csr_key_type");
  }
}

TEST(CheckCsr, RefusesExplicitCurveParameters) {
  CsrOptions options;
  REG_CHECK(EVP_PKEY_set_utf8_string_param(options.key.get(), "encoding", "explicit") == 1);
  ExpectRefused(MakeCsr(options), Code::kPolicy, "csr_key_type");
}

TEST(CheckCsr, RefusesAPointOffTheCurve) {
  CsrOptions options;
  const Bytes point = test::PointOf(options.key);
  Bytes off = point;
  off[64] ^= 1;
  ExpectRefused(Replace(MakeCsr(options), point, off), Code::kPolicy, "csr_point_invalid");
}

// The key is the same one, whichever form its point has: in certificates, in TLSA 3 1 1, in the ledger.
TEST(CheckCsr, TakesACompressedPointAndUncompressesIt) {
  for (int i = 0; i < 8; ++i) {  // either sign of Y
    CsrOptions options;
    options.agreement = test::NewEcKey();
    const Bytes point = test::PointOf(options.key), agreement = test::PointOf(options.agreement);
    const Bytes info = test::PublicKeyInfo(options.key);
    for (const test::Key& key : {options.key, options.agreement})
      REG_CHECK(EVP_PKEY_set_utf8_string_param(key.get(), "point-format", "compressed") == 1);
    const auto checked = CheckCsr(MakeCsr(options));
    ASSERT_TRUE(checked.ok()) << checked.error().message;
    EXPECT_EQ(checked->public_key, point);
    EXPECT_EQ(checked->spki_sha256, crypto::ToBytes(crypto::Sha256({info})));
    EXPECT_EQ(checked->agreement_key, agreement);
  }
}

TEST(CheckCsr, RefusesACompressedPointWithoutY) {
  // No square has the root of x = 5 on P-256: 5^3 - 15 + b is a non-residue.
  CsrOptions options;
  REG_CHECK(EVP_PKEY_set_utf8_string_param(options.key.get(), "point-format", "compressed") == 1);
  const Bytes info = test::PublicKeyInfo(options.key);
  const Bytes point(info.end() - 33, info.end());
  Bytes none(33, 0);
  none[0] = 0x02;
  none[32] = 0x05;
  const std::unique_ptr<EC_GROUP, decltype(&EC_GROUP_free)> group(
      EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1), &EC_GROUP_free);
  const std::unique_ptr<EC_POINT, decltype(&EC_POINT_free)> judge(EC_POINT_new(group.get()), &EC_POINT_free);
  while (EC_POINT_oct2point(group.get(), judge.get(), none.data(), none.size(), nullptr) == 1) ++none[32];
  ExpectRefused(Replace(MakeCsr(options), point, none), Code::kPolicy, "csr_point_invalid");
}

TEST(CheckCsr, RefusesAHybridPoint) {
  CsrOptions options;
  REG_CHECK(EVP_PKEY_set_utf8_string_param(options.key.get(), "point-format", "hybrid") == 1);
  ExpectRefused(MakeCsr(options), Code::kPolicy, "csr_point_invalid");
}

TEST(CheckCsr, TakesTheLongerHashesAndRefusesSha1) {
  for (const EVP_MD* digest : {EVP_sha384(), EVP_sha512()}) {
    CsrOptions options;
    options.digest = digest;
    const auto checked = CheckCsr(MakeCsr(options));
    ASSERT_TRUE(checked.ok()) << checked.error().message;
    EXPECT_EQ(checked->public_key, test::PointOf(options.key));
    const Bytes other = test::PointOf(test::NewEcKey());
    ExpectRefused(Replace(MakeCsr(options), test::PointOf(options.key), other), Code::kPolicy,
                  "csr_signature_invalid");
  }
  for (const EVP_MD* digest : {EVP_sha1(), EVP_sha224(), EVP_sha3_256()}) {
    CsrOptions options;
    options.digest = digest;
    ExpectRefused(MakeCsr(options), Code::kPolicy, "csr_signature_algorithm");
  }
}

TEST(CheckCsr, RefusesASignatureByAnotherKey) {
  CsrOptions options;
  const Bytes other = test::PointOf(test::NewEcKey());
  ExpectRefused(Replace(MakeCsr(options), test::PointOf(options.key), other), Code::kPolicy,
                "csr_signature_invalid");
}

TEST(CheckCsr, RefusesAChangedSubject) {
  CsrOptions options;
  options.common_name = "device-a";
  ExpectRefused(Replace(MakeCsr(options), AsBytes("device-a"), AsBytes("device-b")), Code::kPolicy,
                "csr_signature_invalid");
}

TEST(CheckCsr, RefusesEveryTruncation) {
  CsrOptions options;
  options.agreement = test::NewEcKey();
  const Bytes der = MakeCsr(options);
  for (std::size_t size = 0; size < der.size(); ++size) {
    ExpectRefused(Bytes(der.begin(), der.begin() + static_cast<std::ptrdiff_t>(size)), Code::kValueSyntax,
                  "csr_malformed");
  }
}

TEST(CheckCsr, RefusesTrailingOctets) {
  Bytes der = MakeCsr();
  der.push_back(0);
  ExpectRefused(der, Code::kValueSyntax, "csr_malformed");
}

TEST(CheckCsr, RefusesWhatIsTooLarge) {
  ExpectRefused(Bytes(1 << 20, 0x30), Code::kRange, "csr_too_large");
  ExpectRefused(Bytes(1 << 20, 'A'), Code::kRange, "csr_too_large");
  CsrOptions options;
  options.more = [](X509_REQ* request) {
    const std::string long_text(kCsrMax, 'x');
    REG_CHECK(X509_REQ_add1_attr_by_NID(request, NID_pkcs9_unstructuredName, MBSTRING_ASC,
                                        reinterpret_cast<const unsigned char*>(long_text.data()),
                                        static_cast<int>(long_text.size())) == 1);
  };
  const Bytes large = MakeCsr(options);
  ExpectRefused(large, Code::kRange, "csr_too_large");
  ExpectRefused(AsBytes(ToPem("CERTIFICATE REQUEST", large)), Code::kRange, "csr_too_large");
}

TEST(CheckCsr, RefusesGarbage) {
  for (std::string_view text :
       {"", "\n", "not a csr", "-----BEGIN CERTIFICATE REQUEST-----\n",
        "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE REQUEST-----\n!!!!\n-----END CERTIFICATE REQUEST-----\n"}) {
    ExpectRefused(AsBytes(text), Code::kValueSyntax, "csr_malformed");
  }
}

// As schemas/README.md says it.
TEST(CheckCsr, ABlockHoldsNothingButItsLines) {
  const std::string begin = "-----BEGIN CERTIFICATE REQUEST-----\n",
                    end = "-----END CERTIFICATE REQUEST-----\n";
  const std::string body = ToBase64(MakeCsr());
  for (const std::string& inside :
       {body, body.substr(0, 10) + "\r\n" + body.substr(10) + "\n\n", " \t\n" + body + "\t\n",
        body.substr(0, 64) + "  \r\n" + body.substr(64) + " \n \n"}) {
    EXPECT_TRUE(CheckCsr(AsBytes(begin + inside + end + "text behind, and ----- too\n")).ok()) << inside;
  }
  for (const std::string& inside :
       {"Proc-Type: 4,ENCRYPTED\n\n" + body, body.substr(0, 8) + " " + body.substr(8), "\t" + body + "\n",
        body + "\n.\n"}) {
    ExpectRefused(AsBytes(begin + inside + end), Code::kValueSyntax, "csr_malformed");
  }
  const std::string good = begin + body + "\n" + end;
  ExpectRefused(AsBytes(begin + body + "\n-----END NEW CERTIFICATE REQUEST-----\n"), Code::kValueSyntax,
                "csr_malformed");
  ExpectRefused(AsBytes(good + "say -----BEGIN once more"), Code::kValueSyntax, "csr_malformed");
  ExpectRefused(AsBytes(good + std::string(16384, '\n')), Code::kRange, "csr_too_large");
}

TEST(CheckCsr, RefusesSeveralRequestsInOneText) {
  const std::string pem = ToPem("CERTIFICATE REQUEST", MakeCsr());
  ExpectRefused(AsBytes(pem + ToPem("CERTIFICATE REQUEST", MakeCsr())), Code::kValueSyntax, "csr_malformed");
}

TEST(CheckCsr, TheReasonIsTheTrueOne) {
  const std::string pem = ToPem("CERTIFICATE REQUEST", MakeCsr());
  for (const std::string& text : {pem + pem, ToPem("CERTIFICATE", MakeCsr()), pem.substr(0, pem.size() / 2)})
    EXPECT_THAT(CheckCsr(AsBytes(text)).error().message, ::testing::HasSubstr("one whole PEM block")) << text;
  EXPECT_THAT(CheckCsr(AsBytes("hello")).error().message, ::testing::HasSubstr("neither PEM nor DER"));
}

TEST(CheckCsr, RefusesAnotherVersion) {
  CsrOptions options;
  options.more = [](X509_REQ* request) { X509_REQ_set_version(request, 1); };
  ExpectRefused(MakeCsr(options), Code::kValueSyntax, "csr_malformed");
}

// Card firmware that leaves the attributes out (see pkcs10.cc).
TEST(CheckCsr, AcceptsARequestWithoutAttributes) {
  CsrOptions options;
  const Bytes name = crypto::DerSequence({});
  const Bytes info =
      crypto::DerSequence({crypto::DerInteger(std::uint64_t{0}), name, test::PublicKeyInfo(options.key)});
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  Bytes signature(72);
  std::size_t size = signature.size();
  REG_CHECK(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, options.key.get()) == 1);
  REG_CHECK(EVP_DigestSign(context.get(), signature.data(), &size, info.data(), info.size()) == 1);
  signature.resize(size);
  const Bytes csr = crypto::DerSequence(
      {info, crypto::DerSequence({crypto::DerOid("1.2.840.10045.4.3.2")}), crypto::DerBitString(signature)});
  EXPECT_TRUE(CheckCsr(csr).ok());
}

}  // namespace
}  // namespace registry::csr_sign
