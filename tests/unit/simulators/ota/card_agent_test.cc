// The card's side: counters, proofs, what a refused packet changes, and when the device is kept out.
#include "simulators/ota/card_agent.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "simulators/ota/delivery.h"

namespace registry::sim::ota {
namespace {

using Clock = CardAgent::Clock;

KeySet CardKeys() {
  KeySet keys;
  keys.kic = Bytes(16, 0x11);
  keys.kid = Bytes(16, 0x22);
  keys.kik = Bytes(16, 0x33);
  keys.psk = Bytes(16, 0x44);
  return keys;
}

class CardAgentTest : public ::testing::Test {
 protected:
  CardAgent::Outcome Say(CommandPacket packet) {
    CardAgent::Outcome outcome;
    const auto parts = Parts(*Seal(packet, CardKeys()), PacketKind::kCommand, ++reference_);
    for (const Bytes& part : *parts) outcome = agent_.Take(part, now_);
    spi_ = packet.spi;
    return outcome;
  }
  CardAgent::Outcome Say(const std::vector<Bytes>& commands, std::uint64_t counter, const Spi& spi = {}) {
    return Say({spi, kDomainTar, counter, WriteScript({ScriptForm::kDefinite, commands})});
  }
  std::optional<ResponsePacket> Proof(const CardAgent::Outcome& outcome) {
    Reassembly whole(PacketKind::kResponse, std::chrono::seconds(60));
    Bytes octets;
    const std::vector<Bytes> report = {outcome.report};
    for (const Bytes& part : outcome.report.empty() ? outcome.submits : report) {
      if (whole.Take(part, now_, octets) == Reassembly::Verdict::kWhole)
        return OpenResponse(octets, spi_, CardKeys());
    }
    return std::nullopt;
  }
  PacketStatus StatusOf(const CardAgent::Outcome& outcome) {
    const auto proof = Proof(outcome);
    EXPECT_TRUE(proof.has_value());
    return proof ? proof->status : PacketStatus::kMoreTime;
  }
  std::vector<Bytes> Writing(const Bytes& content) {
    std::vector<Bytes> commands = {InstallForPersonalization()};
    for (Bytes& block : StoreDataBlocks(WriteFileScript(0x06, content))) commands.push_back(std::move(block));
    return commands;
  }
  std::string Read() {
    if (!open_) {
      card_->applet().Transmit(*FromHex("0070000001"));
      card_->applet().Transmit(*FromHex("01a4040007a0000005590010"));
      open_ = true;
    }
    return ToHex(card_->applet().Transmit(*FromHex("01b000000383010600")));
  }

  std::unique_ptr<Euicc> card_ = Euicc::Make();
  CardAgent agent_{*card_, CardKeys()};
  Clock::time_point now_ = Clock::time_point(std::chrono::hours(1));
  std::uint8_t reference_ = 0;
  Spi spi_;
  bool open_ = false;
};

TEST_F(CardAgentTest, CarriesOutAndProves) {
  const auto outcome = Say(Writing({0x31, 0x32}), 5);
  EXPECT_TRUE(outcome.carried_out);
  EXPECT_TRUE(outcome.report.empty());
  const auto proof = Proof(outcome);
  ASSERT_TRUE(proof.has_value());
  EXPECT_EQ(proof->status, PacketStatus::kOk);
  EXPECT_EQ(proof->counter, 5u);
  EXPECT_EQ(ReadAnswer(proof->data, ScriptForm::kDefinite)->answers.size(), 2u);
  EXPECT_EQ(Read(), "31329000");
}

TEST_F(CardAgentTest, AReplayedPacketChangesNothing) {
  Say(Writing({0x31}), 5);
  Say(Writing({0x32}), 6);
  EXPECT_EQ(StatusOf(Say(Writing({0x31}), 5)), PacketStatus::kCounterLow);
  EXPECT_EQ(StatusOf(Say(Writing({0x31}), 6)), PacketStatus::kCounterLow);
  EXPECT_EQ(Read(), "329000");
}

TEST_F(CardAgentTest, TheNextCounterIsOneHigher) {
  const Spi next{.counter = CounterRule::kNext};
  EXPECT_EQ(StatusOf(Say(Writing({0x31}), 2, next)), PacketStatus::kCounterHigh);
  EXPECT_EQ(StatusOf(Say(Writing({0x31}), 1, next)), PacketStatus::kOk);
  EXPECT_EQ(StatusOf(Say(Writing({0x31}), 1, next)), PacketStatus::kCounterLow);
  EXPECT_EQ(StatusOf(Say(Writing({0x31}), 9)), PacketStatus::kOk) << "any higher one, when that is asked for";
}

TEST_F(CardAgentTest, ACounterAtItsEndIsBlocked) {
  EXPECT_EQ(StatusOf(Say(Writing({0x31}), kCounterMax)), PacketStatus::kOk);
  EXPECT_EQ(StatusOf(Say(Writing({0x32}), kCounterMax)), PacketStatus::kCounterBlocked);
  EXPECT_EQ(Read(), "319000");
}

RC_GTEST_FIXTURE_PROP(CardAgentTest, CountersOnlyRise, ()) {
  std::uint64_t highest = 0;
  for (const std::uint64_t counter :
       *rc::gen::container<std::vector<std::uint64_t>>(rc::gen::inRange<std::uint64_t>(0, 40))) {
    const bool taken = StatusOf(Say(Writing({0x31}), counter)) == PacketStatus::kOk;
    RC_ASSERT(taken == (counter > highest));
    highest = std::max(highest, counter);
    RC_ASSERT(agent_.counter() == highest);
  }
}

TEST_F(CardAgentTest, ProofsComeAsTheyAreAskedFor) {
  EXPECT_FALSE(Proof(Say(Writing({0x31}), 1, {.proof = Proof::kNever})).has_value());
  EXPECT_FALSE(Proof(Say(Writing({0x31}), 2, {.proof = Proof::kOnError})).has_value());
  EXPECT_EQ(StatusOf(Say(Writing({0x31}), 2, {.proof = Proof::kOnError})), PacketStatus::kCounterLow);
  EXPECT_EQ(StatusOf(Say(Writing({0x31}), 3, {.proof_checksum = false, .proof_ciphered = false})),
            PacketStatus::kOk);
  const auto reported = Say(Writing({0x31}), 4, {.proof_by_submit = false});
  EXPECT_FALSE(reported.report.empty());
  EXPECT_TRUE(reported.submits.empty());
  EXPECT_EQ(StatusOf(reported), PacketStatus::kOk);
}

TEST_F(CardAgentTest, TheDeviceReadsNoFileWhileASessionRuns) {
  Say(Writing({0x31}), 1);
  auto commands = Writing(Bytes(300, 0x32));
  Say({commands[0], commands[1]}, 2);
  EXPECT_EQ(Read(), "6984");
  EXPECT_TRUE(agent_.in_session());
  Say({commands[2]}, 3);
  EXPECT_FALSE(agent_.in_session());
  EXPECT_EQ(Read().size(), 2u * 257);
}

TEST_F(CardAgentTest, ASessionThatIsLeftEndsByItsTime) {
  auto commands = Writing(Bytes(300, 0x32));
  Say({commands[0], commands[1]}, 1);
  agent_.ExpireSession();
  EXPECT_EQ(Read(), "6a82");
}

TEST_F(CardAgentTest, CommandsBehindARefusedOneAreNotCarriedOut) {
  auto commands = Writing({0x31});
  commands.insert(commands.begin() + 1, *FromHex("80ff000000"));
  const auto answer = ReadAnswer(Proof(Say(commands, 1))->data, ScriptForm::kDefinite);
  EXPECT_EQ(answer->answers.size(), 2u);
  EXPECT_EQ(ToHex(answer->answers.back()), "6d00");
  EXPECT_EQ(Read(), "6a82");
}

TEST_F(CardAgentTest, ACompactScriptIsAnsweredCompactly) {
  const auto proof = Proof(Say({Spi(), kDomainTar, 1, WriteScript({ScriptForm::kCompact, Writing({0x31})})}));
  EXPECT_EQ(ToHex(proof->data), "029000");
  EXPECT_EQ(Read(), "319000");
}

TEST_F(CardAgentTest, ATriggerOpensASession) {
  const auto outcome = Say({Spi(), kDomainTar, 1, {kSessionTrigger, 0x00}});
  EXPECT_TRUE(outcome.opens_session);
  EXPECT_EQ(StatusOf(outcome), PacketStatus::kOk);
}

TEST_F(CardAgentTest, WhatIsNoPacketIsReportedAndForgotten) {
  EXPECT_EQ(agent_.Take(*FromHex("027000"), now_).failure_cause, kDownloadError);
  EXPECT_EQ(agent_.Take({}, now_).failure_cause, kDownloadError);
  EXPECT_EQ(ToHex(Proof(Say({Spi(), kDomainTar, 1, {0xaa}}))->data), "ab06800100900101") << "no script";
}

TEST_F(CardAgentTest, AFullBufferIsFreedByInstall) {
  CardAgent full(*card_, CardKeys(), {.no_memory = 1});
  const auto commands = Writing(Bytes(300, 0x31));
  const auto said = [&](const std::vector<Bytes>& some) {
    return ToHex(full.CarryOut({ScriptForm::kIndefinite, some}).answers.back());
  };
  EXPECT_EQ(said({commands[0], commands[1]}), "9000");
  EXPECT_EQ(said({commands[2]}), "6a84");
  EXPECT_EQ(said({commands[2]}), "6a84");
  EXPECT_EQ(said(commands), "9000");
}

}  // namespace
}  // namespace registry::sim::ota
