// What a registry that stands by reads of another's answers: only messages of this exchange, signed to the end.
#include "bridge/zone/copied_answer.h"

#include <gtest/gtest.h>

#include "bridge/zone/apex.h"
#include "bridge/zone/responder.h"
#include "tests/unit/bridge/zone/zone_files.h"

namespace registry::zone::testing {
namespace {

constexpr std::size_t kCountAt = 6;  // of the answer's records, in a message's header
constexpr std::uint16_t kId = 0x4711;

class CopiedAnswerTest : public ::testing::Test {
 protected:
  CopiedAnswerTest() : store_(*ProfileOf(files_.options()), 1u << 20, 10, clock_.Now()) {
    store_.Load(std::vector{Published(1), Published(2)}, clock_.Now());
    store_.FinishLoad(7, clock_.Now());
    Bytes question = StartMessage(kId, 0, zone_, kTypeAxfr);
    mac_ = SignRequest(question, key_, clock_.Now());
    stream_.emplace(key_, VerifyTsig(question, *ParseMessage(question), key_, clock_.Now()));
    const Transfer whole = store_.Full();
    for (const Piece& piece : whole.pieces) blocks_.push_back(piece.block);
  }
  // Of the blocks of the whole zone, the first and the last of which are the SOA.
  Bytes Part(std::size_t first, std::size_t last) const {
    Bytes message = StartMessage(kId, kFlagResponse | kFlagAuthoritative, zone_, kTypeAxfr);
    std::uint16_t count = 0;
    for (std::size_t i = first; i < last; ++i) {
      const bool end = i + 1 == blocks_.size();
      Put(message, end ? blocks_[i]->data() : blocks_[i]->wire());
      const auto& shape = blocks_[i]->shape();
      count = static_cast<std::uint16_t>(count + shape.data_count + (end ? 0 : shape.signature_count));
    }
    SetU16(message, kCountAt, count);
    return message;
  }
  Bytes Signed(Bytes message) {
    stream_->Sign(message, clock_.Now());
    return message;
  }
  CopyReader Reader() const { return {zone_, key_, clock_, kId, mac_, std::nullopt}; }

  ZoneFiles files_;
  SystemClock clock_;
  ZoneStore store_;
  const Name zone_ = *NameFromText(kZone);
  const TsigKey key_ = *LoadTsigKey(kTsigName, files_.path("tsig.secret"));
  Bytes mac_;
  std::optional<TsigStream> stream_;
  std::vector<BlockPtr> blocks_;
};

TEST_F(CopiedAnswerTest, AnEndThatIsNotSignedIsNone) {
  CopyReader reader = Reader();
  ASSERT_TRUE(reader.Take(Signed(Part(0, blocks_.size() - 1)))) << reader.why();
  ASSERT_TRUE(reader.Take(Part(blocks_.size() - 1, blocks_.size()))) << reader.why();
  EXPECT_FALSE(reader.wants_more());
  EXPECT_FALSE(reader.Finish());
  EXPECT_EQ(reader.why(), "the end of the transfer is not signed");
}

TEST_F(CopiedAnswerTest, ASignedEndIsOne) {
  CopyReader reader = Reader();
  ASSERT_TRUE(reader.Take(Signed(Part(0, blocks_.size() - 1)))) << reader.why();
  ASSERT_TRUE(reader.Take(Signed(Part(blocks_.size() - 1, blocks_.size())))) << reader.why();
  ASSERT_TRUE(reader.Finish()) << reader.why();
  EXPECT_EQ(reader.answer().kind, CopiedAnswer::Kind::kWhole);
  EXPECT_EQ(reader.answer().serial, 7u);
  EXPECT_EQ(reader.answer().blocks.size(), blocks_.size() - 2);
}

TEST_F(CopiedAnswerTest, AMessageThatWasChangedOnItsWayIsNotTaken) {
  CopyReader reader = Reader();
  ASSERT_TRUE(reader.Take(Signed(Part(0, 1)))) << reader.why();
  Bytes message = Signed(Part(1, 3));
  const auto at = ParseMessage(message)->answer.front().rdata_at;
  message[at] ^= 1;
  EXPECT_FALSE(reader.Take(message));
  EXPECT_EQ(reader.why(), "BADSIG");
}

TEST_F(CopiedAnswerTest, AMessageOfAnotherExchangeIsNotTaken) {
  CopyReader reader = Reader();
  Bytes message = Part(0, 1);
  SetU16(message, 0, kId + 1);
  EXPECT_FALSE(reader.Take(Signed(message)));
  EXPECT_EQ(reader.why(), "an answer that is malformed");
}

// RFC 8945 §5.3.1.
TEST_F(CopiedAnswerTest, ASignatureComesOnceInAHundredMessages) {
  CopyReader reader = Reader();
  ASSERT_TRUE(reader.Take(Signed(Part(0, 1)))) << reader.why();
  Bytes message = StartMessage(kId, kFlagResponse | kFlagAuthoritative, zone_, kTypeAxfr);
  for (const std::uint8_t octet : {0xc0, 0x0c, 0, 16, 0, 1, 0, 0, 0, 1, 0, 2, 1, 0x78})
    message.push_back(octet);
  SetU16(message, kCountAt, 1);
  for (int n = 0; n < kUnsignedMax; ++n) ASSERT_TRUE(reader.Take(message)) << n << reader.why();
  EXPECT_FALSE(reader.Take(message));
  EXPECT_EQ(reader.why(), "no TSIG");
}

}  // namespace
}  // namespace registry::zone::testing
