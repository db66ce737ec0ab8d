#include "bridge/zone/tsig.h"

#include <gtest/gtest.h>
#include <ldns/ldns.h>

#include "tests/unit/bridge/zone/zone_files.h"

namespace registry::zone::testing {
namespace {

constexpr UtcTime kNow{1'790'000'000'000'000};

// A question as ldns signs it now, with this fudge.
Bytes SignedByLdns(std::uint16_t fudge) {
  ldns_pkt* theirs = ldns_pkt_query_new(ldns_dname_new_frm_str(kZone), LDNS_RR_TYPE_SOA, LDNS_RR_CLASS_IN, 0);
  const std::string name = std::string(kTsigName) + ".";
  EXPECT_EQ(ldns_pkt_tsig_sign(theirs, name.c_str(), kTsigSecret, fudge, "hmac-sha256.", nullptr),
            LDNS_STATUS_OK);
  std::uint8_t* wire = nullptr;
  std::size_t size = 0;
  EXPECT_EQ(ldns_pkt2wire(&wire, theirs, &size), LDNS_STATUS_OK);
  const Bytes message(wire, wire + size);
  free(wire);
  ldns_pkt_free(theirs);
  return message;
}

class TsigTest : public ::testing::Test {
 protected:
  Bytes Request() { return StartMessage(0x1234, 0, *NameFromText(kZone), kTypeSoa); }
  TsigVerdict Verify(const Bytes& message, UtcTime now = kNow, const Bytes& prior = {}) {
    const auto parsed = ParseMessage(message);
    EXPECT_TRUE(parsed.has_value());
    return VerifyTsig(message, *parsed, key_, now, prior);
  }

  ZoneFiles files_;
  TsigKey key_ = *LoadTsigKey(kTsigName, files_.path("tsig.secret"));
};

TEST_F(TsigTest, Rfc8945_OwnSignatureVerifies) {
  Bytes message = Request();
  const Bytes mac = SignRequest(message, key_, kNow);
  const TsigVerdict verdict = Verify(message);
  EXPECT_EQ(verdict.error, TsigError::kNone);
  EXPECT_EQ(verdict.mac, mac);
}

TEST_F(TsigTest, Rfc8945_LdnsAcceptsOurSignatureAndWeAcceptItsOwn) {
  Bytes ours = Request();
  SignRequest(ours, key_, kNow);
  ldns_pkt* packet = nullptr;
  ASSERT_EQ(ldns_wire2pkt(&packet, ours.data(), ours.size()), LDNS_STATUS_OK);
  EXPECT_TRUE(ldns_pkt_tsig_verify(packet, ours.data(), ours.size(), kTsigName, kTsigSecret, nullptr));
  ldns_pkt_free(packet);

  const Bytes message = SignedByLdns(300);
  EXPECT_EQ(Verify(message, SystemClock().Now()).error, TsigError::kNone);
}

TEST_F(TsigTest, Rfc8945_5_2_2_AnyChangedOctetIsNoticed) {
  Bytes signed_message = Request();
  SignRequest(signed_message, key_, kNow);
  for (std::size_t i = 0; i < signed_message.size(); ++i) {
    Bytes changed = signed_message;
    changed[i] ^= 0x01;
    const auto parsed = ParseMessage(changed);
    if (!parsed) continue;
    const bool only_id = i < 2;  // RFC 8945 §4.3.2: forwarders may change it, the original one is in the TSIG
    EXPECT_EQ(VerifyTsig(changed, *parsed, key_, kNow).error == TsigError::kNone, only_id) << "octet " << i;
  }
}

TEST_F(TsigTest, Rfc8945_5_2_3_TimeOutsideTheFudgeIsBadTime) {
  Bytes message = Request();
  SignRequest(message, key_, kNow);
  using std::chrono::seconds;
  EXPECT_EQ(Verify(message, kNow + seconds(300)).error, TsigError::kNone);
  EXPECT_EQ(Verify(message, kNow + seconds(301)).error, TsigError::kBadTime);
  EXPECT_EQ(Verify(message, kNow - seconds(301)).error, TsigError::kBadTime);
}

// Whoever caught a request of a peer with a fudge of 65,535 could say it again for 18 hours.
TEST_F(TsigTest, Rfc8945_10_APeersFudgeIsNotBelievedBeyond300Seconds) {
  const Bytes message = SignedByLdns(65'535);
  const UtcTime then{static_cast<std::int64_t>(Verify(message).time_signed) * 1'000'000};
  EXPECT_EQ(Verify(message).fudge, 65'535);
  EXPECT_EQ(Verify(message, then + std::chrono::seconds(300)).error, TsigError::kNone);
  EXPECT_EQ(Verify(message, then - std::chrono::seconds(300)).error, TsigError::kNone);
  EXPECT_EQ(Verify(message, then + std::chrono::seconds(301)).error, TsigError::kBadTime);
  EXPECT_EQ(Verify(message, then - std::chrono::seconds(301)).error, TsigError::kBadTime);
}

TEST_F(TsigTest, Rfc8945_5_2_1_ForeignKeyNameAndAlgorithmAreBadKey) {
  TsigKey other = key_;
  other.name = *NameFromText("other-key");
  Bytes message = Request();
  SignRequest(message, other, kNow);
  EXPECT_EQ(Verify(message).error, TsigError::kBadKey);
}

TEST_F(TsigTest, Rfc8945_5_2_2_WrongSecretIsBadSig) {
  TsigKey other = key_;
  other.secret = Secret(Bytes(32, 7));
  Bytes message = Request();
  SignRequest(message, other, kNow);
  EXPECT_EQ(Verify(message).error, TsigError::kBadSig);
}

TEST_F(TsigTest, AnswersAreBoundToTheirRequest) {
  Bytes request = Request();
  const Bytes mac = SignRequest(request, key_, kNow);
  TsigStream stream(key_, Verify(request));
  Bytes answer = Request();
  stream.Sign(answer, kNow);
  EXPECT_EQ(Verify(answer, kNow, mac).error, TsigError::kNone);
  EXPECT_EQ(Verify(answer, kNow).error, TsigError::kBadSig);
  EXPECT_EQ(Verify(answer, kNow, Bytes(32, 1)).error, TsigError::kBadSig);
}

TEST_F(TsigTest, UnsignedMessagesSaySo) { EXPECT_EQ(Verify(Request()).error, TsigError::kAbsent); }

TEST_F(TsigTest, SecretsOthersMayReadAreRefused) {
  files_.WriteSecret("open", kTsigSecret);
  ASSERT_TRUE(LoadTsigKey(kTsigName, files_.path("open")).ok());
  for (const mode_t mode : {0640, 0604, 0620}) {
    chmod(files_.path("open").c_str(), mode);
    const auto key = LoadTsigKey(kTsigName, files_.path("open"));
    ASSERT_FALSE(key.ok());
    EXPECT_EQ(key.error().symbol, "tsig_secret_exposed");
  }
}

TEST_F(TsigTest, SecretFilesAreChecked) {
  EXPECT_EQ(LoadTsigKey(kTsigName, files_.path("none")).error().symbol, "tsig_secret_unreadable");
  files_.WriteSecret("short", "AAAA");
  EXPECT_EQ(LoadTsigKey(kTsigName, files_.path("short")).error().symbol, "tsig_secret_invalid");
  EXPECT_EQ(LoadTsigKey("no name", files_.path("tsig.secret")).error().symbol, "tsig_name_invalid");
}

// RFC 8945 §5.3.1, as a client of a transfer sees it: every message is covered, signed itself or by one behind it.
class TsigChainTest : public TsigTest {
 protected:
  void SetUp() override {
    Bytes request = Request();
    mac_ = SignRequest(request, key_, kNow);
    TsigStream stream(key_, Verify(request));
    for (std::uint16_t n = 0; n < 3; ++n) {
      answers_.push_back(StartMessage(n, kFlagResponse, *NameFromText(kZone), kTypeAxfr));
      stream.Sign(answers_.back(), kNow);
    }
  }
  TsigError Take(TsigChain& chain, const Bytes& octets) {
    return chain.Take(octets, *ParseMessage(octets), kNow).error;
  }

  Bytes mac_;
  std::vector<Bytes> answers_;
};

TEST_F(TsigChainTest, TakesWhatAStreamSigns) {
  TsigChain chain(key_, mac_);
  EXPECT_FALSE(chain.whole());
  for (const Bytes& answer : answers_) EXPECT_EQ(Take(chain, answer), TsigError::kNone);
  EXPECT_TRUE(chain.whole());
}

TEST_F(TsigChainTest, NoticesWhatIsChangedLeftOutOrAdded) {
  for (const std::size_t at : {0u, 1u}) {
    TsigChain chain(key_, mac_);
    if (at == 1) {
      EXPECT_EQ(Take(chain, answers_[0]), TsigError::kNone);
    }
    Bytes changed = answers_[at];
    changed[2] ^= 0x04;
    EXPECT_EQ(Take(chain, changed), TsigError::kBadSig) << at;
  }
  TsigChain left_out(key_, mac_);
  EXPECT_EQ(Take(left_out, answers_[0]), TsigError::kNone);
  EXPECT_EQ(Take(left_out, answers_[2]), TsigError::kBadSig);
  TsigChain added(key_, mac_);
  EXPECT_EQ(Take(added, answers_[0]), TsigError::kNone);
  const Bytes intruder = StartMessage(7, kFlagResponse, *NameFromText(kZone), kTypeAxfr);
  EXPECT_EQ(Take(added, intruder), TsigError::kNone) << "one behind it may cover it";
  EXPECT_FALSE(added.whole());
  EXPECT_EQ(Take(added, answers_[1]), TsigError::kBadSig);
}

TEST_F(TsigChainTest, TheFirstIsSignedAndNotTooManyAreNot) {
  const Bytes bare = StartMessage(7, kFlagResponse, *NameFromText(kZone), kTypeAxfr);
  TsigChain none(key_, mac_);
  EXPECT_EQ(Take(none, bare), TsigError::kAbsent);
  TsigChain many(key_, mac_);
  EXPECT_EQ(Take(many, answers_[0]), TsigError::kNone);
  for (int i = 0; i < kUnsignedMax; ++i) EXPECT_EQ(Take(many, bare), TsigError::kNone);
  EXPECT_EQ(Take(many, bare), TsigError::kAbsent);
}

}  // namespace
}  // namespace registry::zone::testing
