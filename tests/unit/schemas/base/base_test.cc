// schemas/base: octets and their text forms, times.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "schemas/base/bytes.h"
#include "schemas/base/result.h"
#include "schemas/base/utc_time.h"

namespace registry {
namespace {

RC_GTEST_PROP(Bytes, HexAndBase64ComeBack, (Bytes bytes)) {
  RC_ASSERT(FromHex(ToHex(bytes)) == bytes);
  RC_ASSERT(FromBase64(ToBase64(bytes)) == bytes);
  RC_ASSERT(FromPem("CERTIFICATE", ToPem("CERTIFICATE", bytes)) == bytes);
}

TEST(Bytes, Rfc4648TestVectors) {
  EXPECT_EQ(ToBase64(AsBytes("")), "");
  EXPECT_EQ(ToBase64(AsBytes("f")), "Zg==");
  EXPECT_EQ(ToBase64(AsBytes("fo")), "Zm8=");
  EXPECT_EQ(ToBase64(AsBytes("foo")), "Zm9v");
  EXPECT_EQ(ToBase64(AsBytes("foobar")), "Zm9vYmFy");
}

TEST(Bytes, DecodersAreStrict) {
  for (const char* text :
       {"Zg", "Zg=", "Zh==", "Z===", "====", "Zm9v\n", " Zm9v", "Zm-_", "Zg==Zg==", "Zm=v"}) {
    EXPECT_EQ(FromBase64(text), std::nullopt) << text;
  }
  for (const char* text : {"0", "0g", "0x00", "00 "}) EXPECT_EQ(FromHex(text), std::nullopt) << text;
  EXPECT_EQ(FromHex("aAfF"), (Bytes{0xaa, 0xff}));
  EXPECT_EQ(FromPem("CERTIFICATE", ToPem("PRIVATE KEY", {1, 2, 3})), std::nullopt);
}

TEST(UtcTime, Rfc3339BothWays) {
  EXPECT_EQ(ToRfc3339({0}), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(FromRfc3339("2000-02-29T23:59:59.5Z"), (UtcTime{951'868'799'500'000}));
  EXPECT_EQ(FromRfc3339("2026-03-01T12:00:00.1234567Z"), FromRfc3339("2026-03-01T12:00:00.123456Z"));
}

TEST(UtcTime, RefusesWhatIsNoTimeInUtc) {
  for (const char* text :
       {"", "2026-03-01", "2026-03-01T12:00:00", "2026-03-01T12:00:00+00:00", "2026-02-29T12:00:00Z",
        "2026-13-01T12:00:00Z", "2026-03-01T24:00:00Z", "2026-03-01T12:60:00Z", "1969-12-31T23:59:59Z",
        "2026-03-01T12:00:00.Z", "2026-03-01T12:00:00.1234567890Z", "2026-03-01 12:00:00Z",
        " 2026-03-01T12:00:00Z"}) {
    EXPECT_EQ(FromRfc3339(text), std::nullopt) << text;
  }
}

RC_GTEST_PROP(UtcTime, ComesBack, ()) {
  const UtcTime time{*rc::gen::inRange<std::int64_t>(0, 253'402'300'799'999'999)};
  RC_ASSERT(FromRfc3339(ToRfc3339(time)) == time);
}

TEST(ResultDeathTest, ReadingTheWrongSideStops) {
  const Status failed = Error::Make(Code::kFailed, "some_symbol", "a sentence");
  EXPECT_DEATH(static_cast<void>(failed.value()), "check failed");
}

}  // namespace
}  // namespace registry
