#include <gmock/gmock.h>

#include "workers/crypto/der_reader.h"
#include "workers/crypto/der_writer.h"

namespace registry::crypto {
namespace {

Bytes Hex(std::string_view text) { return *FromHex(text); }

TEST(DerReader, ReadsElementsSideBySide) {
  const Bytes octets =
      Hex("020105"
          "0500");
  DerReader reader(octets);
  const auto number = reader.Next(tag::kInteger);
  ASSERT_TRUE(number);
  EXPECT_EQ(number->content.size(), 1u);
  EXPECT_FALSE(reader.Next(tag::kInteger)) << "another tag stands there";
  EXPECT_TRUE(reader.Next(tag::kNull));
  EXPECT_TRUE(reader.AtEnd());
  EXPECT_FALSE(reader.Next());
}

TEST(DerReader, OnlyElementRefusesWhatFollows) {
  EXPECT_TRUE(OnlyElement(Hex("020105"), tag::kInteger));
  EXPECT_FALSE(OnlyElement(Hex("02010500"), tag::kInteger));
}

class NotDer : public testing::TestWithParam<const char*> {};
TEST_P(NotDer, IsRefused) { EXPECT_FALSE(IsStrictDer(Hex(GetParam()))) << GetParam(); }
INSTANTIATE_TEST_SUITE_P(Der, NotDer,
                         testing::Values("",          // nothing
                                         "30",        // no length
                                         "3001",      // content missing
                                         "30800000",  // indefinite length
                                         "308100",    // long form of a short length
                                         "30820000",  // leading zero in the length
                                         "30ff00",    // reserved length
                                         "30850000000001"
                                         "00",  // five octets of length
                                         "3000"
                                         "00",            // something behind
                                         "1f1f00",        // tag of many octets
                                         "020200ff7f",    // trailing octets again, inside nothing
                                         "0200",          // INTEGER without content
                                         "02020001",      // INTEGER padded with 00
                                         "0202ff80",      // INTEGER padded with ff
                                         "010101",        // BOOLEAN neither 00 nor ff
                                         "0600",          // OID without content
                                         "060180",        // OID that does not end
                                         "06028001",      // OID with a padded arc
                                         "050100",        // NULL with content
                                         "0300",          // BIT STRING without the octet of unused bits
                                         "030108",        // eight unused bits
                                         "03020101",      // an unused bit that is set
                                         "030101",        // unused bits of nothing
                                         "1e0141",        // half a character of a BMPString
                                         "1c03000041",    // three quarters of one of a UniversalString
                                         "2403040100",    // constructed OCTET STRING
                                         "1000", "1100",  // primitive SEQUENCE, SET
                                         "3003020105"
                                         "ff",          // garbage behind
                                         "3002020105",  // child longer than its parent
                                         "0000"));      // end-of-contents

TEST(DerReader, AcceptsStrictForms) {
  for (const char* text : {"3000", "020100", "02020080", "0201ff", "0101ff", "0500", "03020780", "030100",
                           "06032b0601", "a00302010a", "1e00", "1e020041", "1c0400000041"}) {
    EXPECT_TRUE(IsStrictDer(Hex(text))) << text;
  }
}

TEST(DerReader, BoundsTheDepth) {
  Bytes nested;
  for (int depth = 0; depth < kDerDepthMax; ++depth) nested = DerSequence({nested});
  EXPECT_TRUE(IsStrictDer(nested));
  for (int depth = 0; depth < 4; ++depth) nested = DerSequence({nested});
  EXPECT_FALSE(IsStrictDer(nested));
}

TEST(DerWriter, Lengths) {
  EXPECT_EQ(ToHex(Der(tag::kOctetString, {Bytes(127, 1)})).substr(0, 4), "047f");
  EXPECT_EQ(ToHex(Der(tag::kOctetString, {Bytes(128, 1)})).substr(0, 6), "048180");
  EXPECT_EQ(ToHex(Der(tag::kOctetString, {Bytes(256, 1)})).substr(0, 8), "04820100");
  EXPECT_EQ(ToHex(Der(tag::kOctetString, {Bytes(65536, 1)})).substr(0, 10), "0483010000");
  EXPECT_TRUE(IsStrictDer(Der(tag::kOctetString, {Bytes(65536, 1)})));
}

TEST(DerWriter, IntegersAreMinimalAndPositive) {
  EXPECT_EQ(ToHex(DerInteger(std::uint64_t{0})), "020100");
  EXPECT_EQ(ToHex(DerInteger(127)), "02017f");
  EXPECT_EQ(ToHex(DerInteger(128)), "02020080");
  EXPECT_EQ(ToHex(DerInteger(OctetView(Hex("0000ff01")))), "020300ff01");
}

TEST(DerWriter, SetsAreSorted) {
  EXPECT_EQ(ToHex(DerSetOf({Hex("020105"), Hex("0500"), Hex("020101")})), "31080201010201050500");
}

TEST(DerWriter, OidsOfAnyArc) {
  EXPECT_EQ(ToHex(DerOid("1.2.840.10045.4.3.2")), "06082a8648ce3d040302");
  EXPECT_TRUE(IsStrictDer(DerOid("2.25.147613959731729897125811988377786612240")));
}

TEST(DerWriter, TimesChangeFormIn2050) {
  EXPECT_EQ(ToHex(DerTime(*FromRfc3339("2049-12-31T23:59:59Z"))), "170d" + ToHex(AsBytes("491231235959Z")));
  EXPECT_EQ(ToHex(DerTime(*FromRfc3339("2050-01-01T00:00:00.999Z"))),
            "180f" + ToHex(AsBytes("20500101000000Z")));
}

}  // namespace
}  // namespace registry::crypto
