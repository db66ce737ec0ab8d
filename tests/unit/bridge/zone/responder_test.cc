#include "bridge/zone/responder.h"

#include <gtest/gtest.h>

#include <map>

#include "bridge/zone/apex.h"
#include "tests/unit/bridge/zone/zone_files.h"

namespace registry::zone::testing {
namespace {

class FixedClock : public Clock {
 public:
  UtcTime Now() const override { return now; }
  UtcTime now{1'790'000'000'000'000};
};

class ResponderTest : public ::testing::Test {
 protected:
  ResponderTest() {
    std::vector<domain::ZoneChange> changes;
    for (std::uint64_t n = 0; n < 300; ++n) changes.push_back(Published(n));
    store_.Load(changes, clock_.Now());
    store_.FinishLoad(10, clock_.Now());
  }
  void Change(std::uint64_t n, std::uint32_t serial) {
    const std::vector<domain::ZoneChange> changes{Published(n)};
    ASSERT_TRUE(store_.Publish(changes, 0, serial, clock_.Now()).changed);
  }
  Bytes Query(std::uint16_t type, std::optional<std::uint32_t> client_serial = {},
              const char* name = kZone) const {
    Bytes query = StartMessage(0x4242, 0, *NameFromText(name), type);
    if (!client_serial) return query;
    Bytes rdata{0, 0};
    PutU32(rdata, *client_serial);
    rdata.resize(rdata.size() + 16);
    Put(query, Bytes{0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 0});
    PutU16(query, static_cast<std::uint16_t>(rdata.size()));
    Put(query, rdata);
    SetU16(query, 8, 1);
    return query;
  }
  // Signs, asks, and checks every answer's TSIG chain.
  std::vector<Message> Ask(Bytes query, Transport transport = Transport::kTcp) {
    prior_ = SignRequest(query, key_, clock_.Now());
    return Read(responder_.Answer(query, transport), true);
  }
  std::vector<Message> Read(std::optional<Reply> reply, bool verify) {
    std::vector<Message> messages;
    octets_.clear();
    Bytes octets;
    while (reply && reply->Next(octets)) {
      // kRecordsMax is for requests: here the records are counted by hand.
      Message message;
      Reader reader(octets);
      std::uint16_t skip = 0, count = 0, additional = 0;
      EXPECT_TRUE(reader.U16(message.id) && reader.U16(message.flags) && reader.U16(skip) &&
                  reader.U16(count) && reader.U16(skip) && reader.U16(additional) &&
                  reader.ReadName(message.question) && reader.U16(message.type) &&
                  reader.U16(message.qclass));
      for (int i = 0; i < count + additional; ++i) {
        Record record;
        std::uint16_t size = 0;
        record.start = reader.at();
        EXPECT_TRUE(reader.ReadName(record.owner) && reader.U16(record.type) && reader.U16(record.rclass) &&
                    reader.U32(record.ttl) && reader.U16(size));
        record.rdata_at = reader.at();
        record.rdata_size = size;
        EXPECT_TRUE(reader.Skip(size));
        (i < count ? message.answer : message.additional).push_back(record);
      }
      EXPECT_EQ(reader.left(), 0u);
      EXPECT_LE(octets.size(), 65'535u);
      if (verify) CheckTsig(octets, message, messages.empty());
      octets_.push_back(octets);
      messages.push_back(message);
    }
    return messages;
  }
  void CheckTsig(const Bytes& octets, const Message& message, bool first) {
    ASSERT_NE(message.tsig(), nullptr);
    if (first) {
      const TsigVerdict verdict = VerifyTsig(octets, message, key_, clock_.Now(), prior_);
      EXPECT_EQ(verdict.error, TsigError::kNone);
      prior_ = verdict.mac;
      return;
    }
    // RFC 8945 §5.3.1: later messages are digested with the timers only.
    EXPECT_EQ(message.tsig()->rdata_size, 13u + 16 + 32);
  }
  static std::vector<std::uint16_t> TypesOf(const std::vector<Message>& messages) {
    std::vector<std::uint16_t> types;
    for (const Message& message : messages) {
      for (const Record& record : message.answer) types.push_back(record.type);
    }
    return types;
  }

  ZoneFiles files_;
  FixedClock clock_;
  TsigKey key_ = *LoadTsigKey(kTsigName, files_.path("tsig.secret"));
  ZoneStore store_{*ProfileOf(files_.options()), 1u << 20, 100, clock_.Now()};
  Responder responder_{store_, key_, clock_};
  Bytes prior_;
  std::vector<Bytes> octets_;
};

TEST_F(ResponderTest, SoaIsAuthoritativeSignedAndCarriesTheSerial) {
  const auto messages = Ask(Query(kTypeSoa), Transport::kUdp);
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].id, 0x4242);
  EXPECT_EQ(messages[0].flags, kFlagResponse | kFlagAuthoritative);
  EXPECT_EQ(TypesOf(messages), std::vector<std::uint16_t>{kTypeSoa});
  EXPECT_EQ(SoaSerial(octets_[0], messages[0].answer[0]), 10u);
}

TEST_F(ResponderTest, Rfc5936_2_2_AxfrBeginsAndEndsWithTheSoaAndSpansMessages) {
  const auto messages = Ask(Query(kTypeAxfr));
  EXPECT_GT(messages.size(), 1u);
  const auto types = TypesOf(messages);
  EXPECT_EQ(types.front(), kTypeSoa);
  EXPECT_EQ(types.back(), kTypeSoa);
  EXPECT_EQ(std::count(types.begin(), types.end(), kTypeSoa), 2);
  EXPECT_EQ(std::count(types.begin(), types.end(), kTypeTlsa), 302);   // 300 devices, two at the apex
  EXPECT_EQ(std::count(types.begin(), types.end(), kTypeNsec3), 303);  // and the apex, ns1, _device
  EXPECT_EQ(responder_.counters().axfr, 1u);
}

TEST_F(ResponderTest, Rfc1995_4_IxfrHoldsOnlyWhatChanged) {
  Change(1000, 11);
  Change(1001, 12);
  const auto messages = Ask(Query(kTypeIxfr, 10));
  ASSERT_EQ(messages.size(), 1u);
  const Message& message = messages[0];
  std::vector<std::uint32_t> serials;
  for (const Record& record : message.answer) {
    if (record.type == kTypeSoa) serials.push_back(*SoaSerial(octets_[0], record));
  }
  EXPECT_EQ(serials, (std::vector<std::uint32_t>{12, 10, 12, 12}));
  EXPECT_LE(message.answer.size(), 4u + 2 + 2 * 6 + 2 * 4);
  EXPECT_EQ(responder_.counters().ixfr, 1u);
  EXPECT_EQ(responder_.counters().axfr, 0u);
}

TEST_F(ResponderTest, Rfc1995_4_SigningAgainTellsOnlySignatures) {
  clock_.now = clock_.now + std::chrono::seconds(7 * 86400);
  ASSERT_TRUE(store_.RefreshDue(clock_.Now()));
  ASSERT_TRUE(store_.Publish({}, 50, 11, clock_.Now()).changed);
  const auto messages = Ask(Query(kTypeIxfr, 10));
  ASSERT_EQ(messages.size(), 1u);
  std::map<std::uint16_t, int> count;
  for (const std::uint16_t type : TypesOf(messages)) ++count[type];
  EXPECT_EQ(count, (std::map<std::uint16_t, int>{{kTypeSoa, 4}, {kTypeRrsig, 2 * 50 + 2}}));
  ASSERT_TRUE(store_.Publish({}, 50, 12, clock_.Now()).changed);
  count.clear();
  for (const std::uint16_t type : TypesOf(Ask(Query(kTypeIxfr, 10)))) ++count[type];
  EXPECT_EQ(count, (std::map<std::uint16_t, int>{{kTypeSoa, 4}, {kTypeRrsig, 2 * 100 + 2}})) << "condensed";
}

TEST_F(ResponderTest, ChangesAndSignaturesThatAreDueAreOneVersion) {
  clock_.now = clock_.now + std::chrono::seconds(7 * 86400);
  const std::vector<domain::ZoneChange> changes{Published(1000)};
  ASSERT_TRUE(store_.Publish(changes, 50, 11, clock_.Now()).changed);
  std::map<std::uint16_t, int> count;
  for (const std::uint16_t type : TypesOf(Ask(Query(kTypeIxfr, 10)))) ++count[type];
  EXPECT_EQ(count[kTypeSoa], 4);
  EXPECT_EQ(count[kTypeTlsa], 1);
  EXPECT_GE(count[kTypeRrsig], 2 * 49);
  EXPECT_EQ(store_.serial(), 11u);
  while (store_.RefreshDue(clock_.Now())) store_.Publish({}, 500, store_.serial() + 1, clock_.Now());
  EXPECT_FALSE(store_.Publish({}, 500, store_.serial() + 1, clock_.Now()).changed) << "nothing is due";
}

TEST_F(ResponderTest, Rfc1995_2_CurrentOrNewerClientsGetTheSoaOnly) {
  for (std::uint32_t serial : {10u, 11u}) {
    EXPECT_EQ(TypesOf(Ask(Query(kTypeIxfr, serial))), std::vector<std::uint16_t>{kTypeSoa});
  }
  EXPECT_EQ(TypesOf(Ask(Query(kTypeIxfr, 3), Transport::kUdp)), std::vector<std::uint16_t>{kTypeSoa});
}

TEST_F(ResponderTest, UnknownHistoryFallsBackToTheWholeZone) {
  Change(1000, 11);
  const auto types = TypesOf(Ask(Query(kTypeIxfr, 5)));
  EXPECT_GT(types.size(), 600u);
  EXPECT_EQ(responder_.counters().axfr, 1u);
}

TEST_F(ResponderTest, UnsignedRequestsAreRefused) {
  const auto messages = Read(responder_.Answer(Query(kTypeAxfr), Transport::kTcp), false);
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].rcode(), static_cast<int>(Rcode::kRefused));
  EXPECT_TRUE(messages[0].answer.empty());
  EXPECT_EQ(responder_.counters().refused, 1u);
}

TEST_F(ResponderTest, Rfc8945_5_2_BadKeyAndBadSigAreNotAuthWithoutAMac) {
  TsigKey foreign = key_;
  foreign.name = *NameFromText("foreign");
  TsigKey wrong = key_;
  wrong.secret = Secret(Bytes(32, 7));
  for (const auto& [key, error] :
       {std::pair(foreign, TsigError::kBadKey), std::pair(wrong, TsigError::kBadSig)}) {
    Bytes query = Query(kTypeAxfr);
    SignRequest(query, key, clock_.Now());
    const auto messages = Read(responder_.Answer(query, Transport::kTcp), false);
    ASSERT_EQ(messages.size(), 1u);
    EXPECT_EQ(messages[0].rcode(), static_cast<int>(Rcode::kNotAuth));
    EXPECT_TRUE(messages[0].answer.empty());
    ASSERT_NE(messages[0].tsig(), nullptr);
    EXPECT_EQ(messages[0].tsig()->rdata_size, 13u + 16);
    const Bytes& octets = octets_[0];
    EXPECT_EQ(octets[octets.size() - 3], static_cast<int>(error));
  }
}

// RFC 8945 §5.2: the key is the one that the request names, and the answer is signed with it.
TEST_F(ResponderTest, Rfc8945_5_2_EachPeerIsAnsweredWithItsOwnKey) {
  TsigKey second = key_;
  second.name = *NameFromText("second");
  second.secret = Secret(Bytes(32, 9));
  TsigKeys keys(key_);
  ASSERT_TRUE(keys.Add(second).ok());
  Responder responder(store_, keys, clock_);
  for (const TsigKey& key : {key_, second}) {
    Bytes query = Query(kTypeSoa);
    const Bytes mac = SignRequest(query, key, clock_.Now());
    const auto messages = Read(responder.Answer(query, Transport::kTcp), false);
    ASSERT_EQ(messages.size(), 1u);
    EXPECT_EQ(messages[0].rcode(), 0);
    EXPECT_EQ(VerifyTsig(octets_[0], messages[0], key, clock_.Now(), mac).error, TsigError::kNone);
  }
  TsigKey mixed = second;
  mixed.secret = key_.secret;
  Bytes query = Query(kTypeSoa);
  SignRequest(query, mixed, clock_.Now());
  EXPECT_EQ(Read(responder.Answer(query, Transport::kTcp), false)[0].rcode(),
            static_cast<int>(Rcode::kNotAuth));
  EXPECT_EQ(keys.Add(mixed).error().symbol, "tsig_key_twice");
  EXPECT_TRUE(keys.Add(second).ok()) << "the same again is the same";
}

TEST_F(ResponderTest, Rfc8945_5_2_3_BadTimeIsSignedAndTellsOurTime) {
  Bytes query = Query(kTypeSoa);
  const UtcTime late = clock_.Now() - std::chrono::seconds(1000);
  const Bytes mac = SignRequest(query, key_, late);
  const auto messages = Read(responder_.Answer(query, Transport::kTcp), false);
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].rcode(), static_cast<int>(Rcode::kNotAuth));
  EXPECT_EQ(VerifyTsig(octets_[0], messages[0], key_, late, mac).error, TsigError::kNone);
  Reader time(octets_[0], octets_[0].size() - 6);
  std::uint64_t told = 0;
  ASSERT_TRUE(time.U48(told));
  EXPECT_EQ(static_cast<std::int64_t>(told), clock_.Now().seconds());
}

// A signed question whose MAC is cut to `size` octets, or made longer.
Bytes WithMacOf(std::size_t size, Bytes signed_question) {
  constexpr std::size_t kMac = 32, kBehind = 6, kBefore = 13 + 6 + 2;  // algorithm, time, fudge
  const std::size_t at = signed_question.size() - kBehind - kMac, rdata = at - 2 - kBefore;
  const auto there = signed_question.begin() + static_cast<long>(at);
  if (size < kMac) signed_question.erase(there + static_cast<long>(size), there + kMac);
  if (size > kMac) signed_question.insert(there + kMac, size - kMac, 0);
  SetU16(signed_question, at - 2, static_cast<std::uint16_t>(size));
  SetU16(signed_question, rdata - 2, static_cast<std::uint16_t>(kBefore + 2 + size + kBehind));
  return signed_question;
}

TEST_F(ResponderTest, Rfc8945_5_2_2_1_AMacThatIsTooShortIsMalformedAndOneThatIsCutIsBadTrunc) {
  Bytes query = Query(kTypeSoa);
  prior_ = SignRequest(query, key_, clock_.Now());
  ASSERT_EQ(WithMacOf(32, query), query);
  for (const std::size_t size : {1u, 9u, 10u, 15u, 33u, 64u}) {
    const auto messages = Read(responder_.Answer(WithMacOf(size, query), Transport::kTcp), false);
    ASSERT_EQ(messages.size(), 1u) << size;
    EXPECT_EQ(messages[0].rcode(), static_cast<int>(Rcode::kFormErr)) << size;
    EXPECT_EQ(messages[0].tsig(), nullptr) << "the answer is unsigned";
    EXPECT_TRUE(messages[0].answer.empty());
  }
  for (const std::size_t size : {16u, 20u, 31u}) {
    const auto messages = Read(responder_.Answer(WithMacOf(size, query), Transport::kTcp), false);
    ASSERT_EQ(messages.size(), 1u) << size;
    EXPECT_EQ(messages[0].rcode(), static_cast<int>(Rcode::kNotAuth)) << size;
    const Bytes cut(prior_.begin(), prior_.begin() + static_cast<long>(size));
    const TsigVerdict verdict = VerifyTsig(octets_[0], messages[0], key_, clock_.Now(), cut);
    EXPECT_EQ(verdict.error, TsigError::kNone) << "signed, bound to what was asked";
    EXPECT_EQ(verdict.told, static_cast<std::uint16_t>(TsigError::kBadTrunc));
    EXPECT_TRUE(messages[0].answer.empty());
  }
  Bytes wrong = WithMacOf(20, query);
  wrong[wrong.size() - 7] ^= 1;  // RFC 8945 §5.2: the MAC is checked before its length is judged
  const auto messages = Read(responder_.Answer(wrong, Transport::kTcp), false);
  ASSERT_EQ(messages.size(), 1u);
  ASSERT_NE(messages[0].tsig(), nullptr);
  TsigVerdict told = VerifyTsig(octets_[0], messages[0], key_, clock_.Now());
  EXPECT_EQ(told.told, static_cast<std::uint16_t>(TsigError::kBadSig));
}

TEST_F(ResponderTest, WhyATsigIsRefusedIsSaidAndNotTooOften) {
  std::vector<std::string> lines;
  Responder responder(store_, key_, clock_, [&](int level, const std::string& line) {
    EXPECT_EQ(level, 2);
    lines.push_back(line);
  });
  const auto ask = [&](const TsigKey& key, std::chrono::seconds late) {
    Bytes query = Query(kTypeSoa);
    SignRequest(query, key, clock_.Now() - late);
    EXPECT_TRUE(responder.Answer(query, Transport::kTcp, "192.0.2.7 port 4242").has_value());
  };
  TsigKey foreign = key_;
  foreign.name = *NameFromText("foreign");
  ask(key_, {});
  EXPECT_TRUE(lines.empty());
  ask(foreign, {});
  ask(foreign, {});
  ask(key_, std::chrono::seconds(1000));
  ask(key_, std::chrono::seconds(1000));
  ASSERT_EQ(lines.size(), 2u) << "one kind does not hide another";
  EXPECT_EQ(lines[0], "zone: request refused: BADKEY, key foreign, from 192.0.2.7 port 4242");
  EXPECT_NE(lines[1].find("BADTIME, key bridge-key, its clock says "), std::string::npos) << lines[1];
  clock_.now = clock_.now + kRefusalSayEvery;
  ask(key_, std::chrono::seconds(1000));
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_NE(lines[2].find(", from 192.0.2.7 port 4242 (and 1 more since"), std::string::npos) << lines[2];
}

TEST_F(ResponderTest, WhateverIsCountedAsRefusedIsSaid) {
  std::vector<std::string> lines;
  Responder responder(store_, key_, clock_, [&](int, const std::string& line) { lines.push_back(line); });
  const auto ask = [&](const Bytes& query) {
    return responder.Answer(query, Transport::kTcp, "192.0.2.7").has_value();
  };
  const auto signed_query = [&](const char* zone) {
    Bytes query = Query(kTypeSoa, {}, zone);
    SignRequest(query, key_, clock_.Now());
    return query;
  };
  EXPECT_TRUE(ask(Query(kTypeSoa)) && ask(Query(kTypeAxfr)) && ask(Bytes(kHeaderSize, 0)) &&
              ask(signed_query("other.test")));
  EXPECT_EQ(responder.counters().refused, 4u);
  EXPECT_EQ(lines, (std::vector<std::string>{
                       "zone: request refused: not signed (no TSIG), from 192.0.2.7",
                       "zone: request refused: no DNS message, from 192.0.2.7",
                       "zone: request refused: REFUSED to a signed question, from 192.0.2.7"}));
}

TEST_F(ResponderTest, OtherQuestionsAreRefusedEachInItsWay) {
  EXPECT_EQ(Ask(Query(kTypeSoa, {}, "other.test"))[0].rcode(), static_cast<int>(Rcode::kRefused));
  EXPECT_EQ(Ask(Query(kTypeTlsa))[0].rcode(), static_cast<int>(Rcode::kRefused));
  EXPECT_EQ(Ask(Query(kTypeAxfr), Transport::kUdp)[0].rcode(), static_cast<int>(Rcode::kFormErr));
  EXPECT_EQ(Ask(Query(kTypeIxfr))[0].rcode(), static_cast<int>(Rcode::kFormErr));
  Bytes notify = Query(kTypeSoa);
  notify[2] = 4 << 3;
  EXPECT_EQ(Ask(notify)[0].rcode(), static_cast<int>(Rcode::kNotImp));
}

// RFC 5936 §2.2.1: "NotAuth(9) if the server is not authoritative for the zone".
TEST_F(ResponderTest, Rfc5936_2_2_1_AnotherZonesTransferIsNotAuth) {
  for (const std::uint16_t type : {kTypeAxfr, kTypeIxfr}) {
    EXPECT_EQ(Ask(Query(type, 10, "other.test"))[0].rcode(), static_cast<int>(Rcode::kNotAuth)) << type;
  }
}

TEST_F(ResponderTest, ASecondaryGivesUpAfterHalfOfWhatSignaturesLastAtWorst) {
  Options options = files_.options();
  options.signature_refresh = std::chrono::hours(24 * 7);
  const auto profile = ProfileOf(options);
  ASSERT_TRUE(profile.ok());
  Reader tail(profile->soa_tail, 8);  // RFC 1035 §3.3.13: after REFRESH and RETRY
  std::uint32_t expire = 0;
  ASSERT_TRUE(tail.U32(expire));
  EXPECT_EQ(expire, 7u * 86400 / 2);
}

// Whoever mixes cases at random knows its own answer by them (draft-vixie-dnsext-dns0x20).
TEST_F(ResponderTest, TheQuestionIsEchoedInTheCaseItCameIn) {
  std::string mixed = kZone;
  for (std::size_t i = 0; i < mixed.size(); i += 2) mixed[i] = static_cast<char>(std::toupper(mixed[i]));
  Bytes query = Query(kTypeSoa);
  std::size_t at = kHeaderSize;
  for (const char c : "." + mixed) {
    if (c != '.') query[at] = static_cast<std::uint8_t>(c);
    ++at;
  }
  const Bytes asked(query.begin() + kHeaderSize, query.begin() + static_cast<long>(at) + 1);
  const auto messages = Ask(query, Transport::kUdp);
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].rcode(), 0) << "the case makes no other zone";
  EXPECT_EQ(Bytes(octets_[0].begin() + kHeaderSize, octets_[0].begin() + static_cast<long>(at) + 1), asked);
}

TEST_F(ResponderTest, Rfc1995_3_AnotherZonesSoaInAnIxfrIsFormErr) {
  const Bytes ours = Query(kTypeIxfr, 10);
  const auto owner_at = static_cast<long>(kHeaderSize + NameFromText(kZone)->size() + 4);
  const Name other = *NameFromText("other.test");
  Bytes theirs(ours.begin(), ours.begin() + owner_at);
  theirs.insert(theirs.end(), other.begin(), other.end());
  theirs.insert(theirs.end(), ours.begin() + owner_at + 2, ours.end());  // instead of the pointer
  EXPECT_EQ(Ask(ours)[0].rcode(), 0);
  EXPECT_EQ(Ask(theirs)[0].rcode(), static_cast<int>(Rcode::kFormErr));
}

TEST_F(ResponderTest, RecordsInTheAnswerSectionOfAQueryAreFormErr) {
  Bytes query = Query(kTypeIxfr, 10);
  std::swap(query[7], query[9]);  // what was in the authority section is in the answer section
  EXPECT_EQ(Ask(query)[0].rcode(), static_cast<int>(Rcode::kFormErr));
}

// Sixty secondaries that come at once must not take sixty times the memory.
TEST_F(ResponderTest, WholeTransfersOfOneVersionShareOneList) {
  std::weak_ptr<const Pieces::List> gone;
  {
    const Transfer one = store_.Full(), other = store_.Full();
    EXPECT_EQ(one.pieces.list(), other.pieces.list());
    ASSERT_TRUE(store_.Publish(std::vector{Published(4711)}, 0, 11, clock_.Now()).changed);
    const Transfer next = store_.Full();
    EXPECT_NE(next.pieces.list(), one.pieces.list());
    EXPECT_GT(next.pieces.size(), one.pieces.size());
    EXPECT_EQ(one.pieces[0].block, one.pieces[one.pieces.size() - 1].block) << "the SOA of its version";
    gone = next.pieces.list();
  }
  EXPECT_TRUE(gone.expired()) << "kept only while somebody sends it";
}

TEST_F(ResponderTest, ResponsesAreNeverAnswered) {
  Bytes response = Query(kTypeSoa);
  response[2] |= 0x80;
  EXPECT_FALSE(responder_.Answer(response, Transport::kUdp).has_value());
  EXPECT_FALSE(responder_.Answer(Bytes(11, 0), Transport::kUdp).has_value());
}

TEST_F(ResponderTest, Rfc8945_5_1_SecondOrMisplacedTsigIsFormErr) {
  Bytes query = Query(kTypeSoa);
  SignRequest(query, key_, clock_.Now());
  SignRequest(query, key_, clock_.Now());
  auto reply = responder_.Answer(query, Transport::kTcp);
  Bytes answer;
  ASSERT_TRUE(reply && reply->Next(answer));
  EXPECT_EQ(answer.size(), kHeaderSize);
  EXPECT_EQ(answer[3] & 15, static_cast<int>(Rcode::kFormErr));
}

TEST_F(ResponderTest, ArbitraryOctetsNeverGetAnythingButARefusal) {
  std::mt19937 random(7);
  Bytes signed_query = Query(kTypeIxfr, 3);
  SignRequest(signed_query, key_, clock_.Now());
  for (int round = 0; round < 20'000; ++round) {
    Bytes octets = signed_query;
    for (std::uint32_t flips = random() % 4 + 1; flips > 0; --flips) {
      octets[random() % octets.size()] = static_cast<std::uint8_t>(random());
    }
    if (random() % 4 == 0) octets.resize(random() % octets.size());
    if (random() % 8 == 0) octets.push_back(static_cast<std::uint8_t>(random()));
    const bool same_but_id = std::equal(octets.begin() + std::min<long>(2, static_cast<long>(octets.size())),
                                        octets.end(), signed_query.begin() + 2, signed_query.end());
    auto reply = responder_.Answer(octets, Transport::kTcp);
    Bytes answer;
    if (!reply || !reply->Next(answer) || same_but_id) continue;
    EXPECT_NE(answer[3] & 15, 0) << "round " << round;
  }
}

}  // namespace
}  // namespace registry::zone::testing
