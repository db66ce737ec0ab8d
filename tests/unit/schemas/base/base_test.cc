// schemas/base: octets and their text forms, times.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "schemas/base/bytes.h"
#include "schemas/base/folded.h"
#include "schemas/base/nearest.h"
#include "schemas/base/result.h"
#include "schemas/base/standard_descriptors.h"
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

TEST(Bytes, Rfc7468_APemBlockBeginsALine) {
  const std::string block = ToPem("X", {1, 2, 3});
  for (const char* before : {"", "said before\n", "said before\r"})
    EXPECT_EQ(FromPem("X", before + block), (Bytes{1, 2, 3})) << before;
  for (const char* before : {"2\1Q", " ", "-", "said before\n\t"})
    EXPECT_EQ(FromPem("X", before + block), std::nullopt) << before;
}

TEST(UtcTime, Rfc3339BothWays) {
  EXPECT_EQ(ToRfc3339({0}), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(FromRfc3339("2000-02-29T23:59:59.5Z"), (UtcTime{951'868'799'500'000}));
  EXPECT_EQ(FromRfc3339("2026-03-01T12:00:00.1234567Z"), FromRfc3339("2026-03-01T12:00:00.123456Z"));
}

// RFC 3339 §5.7, §5.8: 1990-12-31T23:59:60Z.
TEST(UtcTime, ALeapSecondIsTheEndOfItsDay) {
  for (const char* text :
       {"1990-12-31T23:59:60Z", "1990-12-31T23:59:60.5Z", "1990-12-31t23:59:60.999999999z"}) {
    const auto time = FromRfc3339(text);
    ASSERT_TRUE(time) << text;
    EXPECT_EQ(ToRfc3339(*time), "1990-12-31T23:59:59.999999Z");
    EXPECT_EQ(FromRfc3339(ToRfc3339(*time)), time);
  }
  EXPECT_TRUE(FromRfc3339("2024-02-29T23:59:60Z"));
  EXPECT_LT(FromRfc3339("2016-12-31T23:59:60.9Z"), FromRfc3339("2017-01-01T00:00:00Z"));
}

TEST(UtcTime, RefusesWhatIsNoTimeInUtc) {
  for (const char* text : {"",
                           "2026-03-01",
                           "2026-03-01T12:00:00",
                           "2026-03-01T12:00:00+00:00",
                           "2026-02-29T12:00:00Z",
                           "2026-13-01T12:00:00Z",
                           "2026-03-01T24:00:00Z",
                           "2026-03-01T12:60:00Z",
                           "1969-12-31T23:59:59Z",
                           "2026-03-01T12:00:00.Z",
                           "2026-03-01T12:00:00.1234567890Z",
                           "2026-03-01 12:00:00Z",
                           " 2026-03-01T12:00:00Z",
                           "2016-12-31T23:59:61Z",
                           "2016-12-31T23:58:60Z",
                           "2016-12-31T22:59:60Z",
                           "2016-12-30T23:59:60Z",
                           "2026-02-27T23:59:60Z",
                           "2016-12-31T23:59:60",
                           "2016-12-31T23:59:60.xZ"}) {
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

// Exit status of a child in which `closed` (a bit for each of 0, 1, 2) are closed: a bit for each that is there afterwards,
// and 8 when a descriptor more was left open.
int DescriptorsAfter(int closed) {
  const pid_t child = ::fork();
  if (child == 0) {
    for (int fd = 0; fd < 3; ++fd) {
      if ((closed >> fd & 1) != 0) ::close(fd);
    }
    const int free_before = ::open("/", O_RDONLY);  // a number above 2 only where all of them are there
    if (free_before >= 0) ::close(free_before);
    OpenStandardDescriptors();
    int there = 0;
    for (int fd = 0; fd < 3; ++fd)
      there |= ::fcntl(fd, F_GETFD) == 0 ? 1 << fd : 0;  // and not closed on exec
    const int free_after = ::fcntl(2, F_DUPFD, 3);
    ::_exit(there | (free_before > 2 && free_after != free_before ? 8 : 0));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(StandardDescriptors, AreThereWhateverTheParentClosed) {
  for (int closed = 0; closed < 8; ++closed) EXPECT_EQ(DescriptorsAfter(closed), 7) << closed;
}

TEST(Nearest, IsWhatAMistypedWordMayHaveMeant) {
  using Words = std::vector<std::string>;
  const Words words{"demo", "down", "load", "list", "--devices", "--dir"};
  EXPECT_EQ(Nearest("dmeo", words), Words{"demo"});
  EXPECT_EQ(Nearest("laod", words), Words{"load"});
  EXPECT_EQ(Nearest("--device", words), Words{"--devices"});
  EXPECT_EQ(Nearest("--dev", words), (Words{"--devices"})) << "begun";
  EXPECT_EQ(Nearest("lost", Words({"list", "lots", "cost"})), (Words{"list", "lots", "cost"})) << "as near";
  EXPECT_EQ(Nearest("publish", words), Words{});
  EXPECT_EQ(Nearest("", words), Words{});
  EXPECT_EQ(Nearest(std::string(100'000, 'x'), words), Words{});
}

TEST(Folded, BreaksAtBlanks) {
  EXPECT_EQ(Folded("one two three", 80, 2), "one two three");
  EXPECT_EQ(Folded("one two three", 7, 2), "one two\n  three");
  EXPECT_EQ(Folded("a longest-of-words b", 8, 1), "a\n longest-of-words\n b");
  EXPECT_EQ(Folded("", 8, 1), "");
  EXPECT_EQ(Folded("one\ntwo \n", 80, 2), "one two");
}

TEST(Folded, KeepsColumnsThatBlanksMake) {
  EXPECT_EQ(Folded("ok    the clock is right", 16, 6), "ok    the clock\n      is right");
  EXPECT_EQ(Folded("    abc word", 8, 6), "    abc\n      word");
  EXPECT_EQ(Folded("ok    longest-of-words", 8, 6), "ok    longest-of-words") << "a break would win nothing";
  EXPECT_EQ(Folded("    longest-of-words", 8, 2), "    longest-of-words");
}

}  // namespace
}  // namespace registry
