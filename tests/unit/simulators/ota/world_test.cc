// A platform, a short message centre and cards in a time of their own: whatever is lost, repeated, late, absent, full or out
// of step, every parcel is on its card in the end, or it is said why not.
#include <gtest/gtest.h>

#include "simulators/ota/card_agent.h"
#include "simulators/ota/platform.h"
#include "simulators/ota/sms_centre.h"

namespace registry::sim::ota {
namespace {

using Clock = Platform::Clock;
using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct Faults {
  SmsFaults sms;
  CardFaults card;
};

KeySet KeysOfCard(std::uint8_t number) {
  KeySet keys;
  keys.kic = Bytes(16, static_cast<std::uint8_t>(number + 1));
  keys.kid = Bytes(16, static_cast<std::uint8_t>(number + 2));
  keys.kik = keys.psk = Bytes(16, 0x44);
  return keys;
}

json Action(int number) {
  return {{"version", number},
          {"cms", ToBase64(Bytes(2500, static_cast<std::uint8_t>(number)))},
          {"containers",
           {{{"id", "06"}, {"content", ToBase64(Bytes(435, 0x06))}},
            {{"id", "02"}, {"content", ToBase64(Bytes(1200, 0x02))}}}}};
}

class World {
 public:
  World(int cards, const Faults& faults, PlatformOptions options = {})
      : centre_({faults.sms}), platform_(options, Sender()) {
    for (int i = 0; i < cards; ++i) {
      const std::string name = "card-" + std::to_string(i);
      cards_[name].euicc = Euicc::Make();
      CardFaults own = faults.card;
      own.seed = faults.card.seed + static_cast<std::uint64_t>(i);
      cards_[name].agent =
          std::make_unique<CardAgent>(*cards_[name].euicc, KeysOfCard(static_cast<std::uint8_t>(i)), own);
      platform_.AddCard(name, KeysOfCard(static_cast<std::uint8_t>(i)));
    }
  }

  // Until nothing is under way any more, or a day is over.
  void Run() {
    const auto end = now_ + std::chrono::hours(24);
    while (now_ < end) {
      const auto next = std::min(platform_.NextTurn(), centre_.NextTurn());
      if (next == Clock::time_point::max()) break;
      now_ = std::max(now_, next);
      for (const auto& message : centre_.TakeDue(now_)) Hand(message);
      for (const auto& message : centre_.TakeArrived(now_))
        platform_.Heard(message.card, message.user_data, now_);
      platform_.Turn(now_);
    }
    for (auto& ended : platform_.TakeEnded()) ended_[ended.job] = ended.failure;
  }
  bool Deliver(const std::string& card, const std::string& job, Parcel parcel) {
    return platform_.Deliver(card, job, std::move(parcel), now_);
  }
  json OnCard(const std::string& name) {
    return FrameFromCard([&](std::uint8_t file) -> std::optional<Bytes> {
      Bytes script;
      std::vector<Bytes> said;
      Bytes content;
      Applet& applet = cards_.at(name).euicc->applet();
      applet.Reset();
      applet.Transmit(*FromHex("0070000001"));
      applet.Transmit(*FromHex("01a4040007a0000005590010"));
      while (true) {
        const Bytes part =
            applet.Transmit({0x01, 0xb0, static_cast<std::uint8_t>(content.size() >> 8),
                             static_cast<std::uint8_t>(content.size()), 0x03, 0x83, 0x01, file, 0x00});
        if (part[part.size() - 2] != 0x90) break;
        content.insert(content.end(), part.begin(), part.end() - 2);
        if (part.size() < 257) break;
      }
      return content.empty() ? std::nullopt : std::optional(content);
    });
  }
  void CutPowerAfter(const std::string& name, std::size_t commands) {
    cards_.at(name).euicc->ota().CutPowerAfter(commands);
  }
  CardAgent& Agent(const std::string& name) { return *cards_.at(name).agent; }
  Platform& platform() { return platform_; }
  std::map<std::string, std::optional<Failure>>& ended() { return ended_; }
  std::size_t messages() const { return messages_; }
  std::function<bool(const SmsCentre::Message&)> swallow;  // a network that is gone for some

 private:
  struct Card {
    std::unique_ptr<Euicc> euicc;
    std::unique_ptr<CardAgent> agent;
  };
  Platform::Send Sender() {
    return [this](const std::string& card, const Bytes& user_data) { centre_.Submit(card, user_data, now_); };
  }
  void Hand(const SmsCentre::Message& message) {
    ++messages_;
    if (swallow && swallow(message)) return;
    const auto outcome = cards_.at(message.card).agent->Take(message.user_data, now_);
    centre_.Reported(message.id, outcome.failure_cause);
    if (!outcome.report.empty()) platform_.Heard(message.card, outcome.report, now_);
    for (const Bytes& sent : outcome.submits) centre_.Sent(message.card, sent, now_);
  }

  Clock::time_point now_ = Clock::time_point(std::chrono::hours(1));
  SmsCentre centre_;
  Platform platform_;
  std::map<std::string, Card> cards_;
  std::map<std::string, std::optional<Failure>> ended_;
  std::size_t messages_ = 0;
};

TEST(OtaWorld, AGoodNetworkTakesAsFewMessagesAsThereMustBe) {
  World world(1, {});
  ASSERT_TRUE(world.Deliver("card-0", "job", *PayloadParcel("job", Action(1))));
  world.Run();
  ASSERT_TRUE(world.ended().contains("job"));
  EXPECT_FALSE(world.ended()["job"].has_value());
  EXPECT_EQ(world.OnCard("card-0")["cms"], Action(1)["cms"]);
  EXPECT_EQ(world.platform().figures().repeated, 0u);
  EXPECT_LT(world.messages(), 50u) << "4.3 kB in parts of 134 octets";
}

// 200 seeds of everything at once.
TEST(OtaWorld, EveryParcelArrivesOrItIsSaidWhyNot) {
  int failed = 0;
  std::uint64_t resyncs = 0, repeated = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const double share = 0.02 * static_cast<double>(seed % 11);
    Faults faults;
    faults.sms = {share, share, share / 4, milliseconds(seed % 3 * 400), seconds(5), seed};
    faults.card = {share / 4, share / 4, share / 4, seed};
    World world(2, faults);
    for (int i = 0; i < 4; ++i) {
      const std::string job = "job-" + std::to_string(i);
      ASSERT_TRUE(world.Deliver("card-" + std::to_string(i % 2), job, *PayloadParcel(job, Action(i))));
    }
    world.Run();
    for (int i = 0; i < 4; ++i) {
      const std::string job = "job-" + std::to_string(i), card = "card-" + std::to_string(i % 2);
      ASSERT_TRUE(world.ended().contains(job)) << "seed " << seed << " " << job;
      const auto& failure = world.ended()[job];
      failed += failure.has_value();
      EXPECT_TRUE(!failure || failure->retriable) << "seed " << seed;
      EXPECT_TRUE(i < 2 || failure || world.OnCard(card)["job"] == job) << "seed " << seed;
    }
    resyncs += world.platform().figures().resyncs;
    repeated += world.platform().figures().repeated;
  }
  EXPECT_LE(failed, 8) << "of 800";
  EXPECT_GT(resyncs, 100u);
  EXPECT_GT(repeated, 100u);
}

TEST(OtaWorld, ACounterThatIsBehindIsFoundAgain) {
  World world(1, {});
  // Somebody else has written with the same keys, a thousand times.
  const Bytes packet =
      *Seal({Spi(), kDomainTar, 1000, WriteScript({ScriptForm::kDefinite, {InstallForPersonalization()}})},
            KeysOfCard(0));
  (void)world.Agent("card-0").Take(Parts(packet, PacketKind::kCommand, 1)->front(),
                                   Clock::time_point(seconds(1)));
  ASSERT_TRUE(world.Deliver("card-0", "job", *PayloadParcel("job", Action(1))));
  world.Run();
  EXPECT_FALSE(world.ended().at("job").has_value());
  EXPECT_GE(world.platform().figures().resyncs, 8u);
  EXPECT_EQ(world.OnCard("card-0")["job"], "job");
}

TEST(OtaWorld, TheNextCounterIsGivenUpForAHigherOne) {
  PlatformOptions options;
  options.spi.counter = CounterRule::kNext;
  World world(1, {.sms = {}, .card = {.counter = 0.3, .seed = 4}}, options);
  ASSERT_TRUE(world.Deliver("card-0", "job", *PayloadParcel("job", Action(1))));
  world.Run();
  EXPECT_FALSE(world.ended().at("job").has_value()) << world.ended().at("job")->reason;
}

TEST(OtaWorld, ProofsInDeliveryReportsDoAsWell) {
  PlatformOptions options;
  options.spi.proof_by_submit = false;
  World world(1, {.sms = {.lose = 0.1, .repeat = 0.1, .seed = 8}, .card = {}}, options);
  ASSERT_TRUE(world.Deliver("card-0", "job", *PayloadParcel("job", Action(1))));
  world.Run();
  EXPECT_FALSE(world.ended().at("job").has_value());
  EXPECT_EQ(world.OnCard("card-0")["job"], "job");
}

TEST(OtaWorld, ABlockedCounterIsTheEnd) {
  World world(1, {});
  const Bytes packet = *Seal(
      {Spi(), kDomainTar, kCounterMax, WriteScript({ScriptForm::kDefinite, {InstallForPersonalization()}})},
      KeysOfCard(0));
  (void)world.Agent("card-0").Take(Parts(packet, PacketKind::kCommand, 1)->front(),
                                   Clock::time_point(seconds(1)));
  ASSERT_TRUE(world.Deliver("card-0", "job", *PayloadParcel("job", Action(1))));
  world.Run();
  ASSERT_TRUE(world.ended().at("job").has_value());
  EXPECT_EQ(world.ended().at("job")->reason, "card_counter_blocked");
  EXPECT_FALSE(world.ended().at("job")->retriable);
}

TEST(OtaWorld, LessSecurityThanTheCardAsksForIsRefusedForGood) {
  PlatformOptions options;
  options.spi.counter = CounterRule::kUnchecked;
  World world(1, {}, options);
  ASSERT_TRUE(world.Deliver("card-0", "job", *PayloadParcel("job", Action(1))));
  world.Run();
  ASSERT_TRUE(world.ended().at("job").has_value());
  EXPECT_EQ(world.ended().at("job")->reason, "card_keys_refused");
  EXPECT_FALSE(world.ended().at("job")->retriable);
}

TEST(OtaWorld, OfOtherKeysNoProofCanBeRead) {
  World world(1, {});
  world.platform().AddCard("card-0", KeysOfCard(77));
  ASSERT_TRUE(world.Deliver("card-0", "job", *PayloadParcel("job", Action(1))));
  world.Run();
  ASSERT_TRUE(world.ended().at("job").has_value());
  // The card's word for it is sealed with keys that the platform does not have.
  EXPECT_EQ(world.ended().at("job")->reason, "device_unreachable");
}

TEST(OtaWorld, ACardThatIsAwayForEverIsSaidToBe) {
  World world(1, {});
  world.swallow = [](const auto&) { return true; };
  ASSERT_TRUE(world.Deliver("card-0", "job", *PayloadParcel("job", Action(1))));
  world.Run();
  ASSERT_TRUE(world.ended().at("job").has_value());
  EXPECT_EQ(world.ended().at("job")->reason, "device_unreachable");
  EXPECT_TRUE(world.ended().at("job")->retriable);
}

TEST(OtaWorld, ACardThatIsReallyFullIsSaidToBe) {
  World world(1, {});
  json action = Action(1);
  action["containers"][0]["content"] = ToBase64(Bytes(16'000, 0x06));
  ASSERT_TRUE(world.Deliver("card-0", "before", *PayloadParcel("before", Action(1))));
  ASSERT_TRUE(world.Deliver("card-0", "job", *PayloadParcel("job", action)));
  world.Run();
  EXPECT_FALSE(world.ended().at("before").has_value());
  ASSERT_TRUE(world.ended().at("job").has_value());
  EXPECT_EQ(world.ended().at("job")->reason, "card_memory_full");
  EXPECT_TRUE(world.ended().at("job")->retriable);
}

TEST(OtaWorld, EveryPlaceAtWhichAProofIsLostIsMended) {
  for (int lost = 0; lost < 8; ++lost) {
    int seen = 0;
    World world(1, {});
    // From the lost packet on all proofs are lost until it has been repeated.
    world.swallow = [&](const SmsCentre::Message&) { return seen++ % 13 == lost; };
    ASSERT_TRUE(world.Deliver("card-0", "job", *PayloadParcel("job", Action(1))));
    world.Run();
    EXPECT_FALSE(world.ended().at("job").has_value()) << lost;
    EXPECT_EQ(world.OnCard("card-0")["job"], "job") << lost;
  }
}

// Behind each command: INSTALL and the blocks of 4.3 kB. The last round has no cut.
TEST(OtaWorld, EveryPlaceAtWhichTheCardLosesItsPowerIsMended) {
  std::uint64_t repeated = 0;
  for (std::size_t cut = 0; cut <= 20; ++cut) {
    World world(1, {});
    ASSERT_TRUE(world.Deliver("card-0", "before", *PayloadParcel("before", Action(1))));
    world.Run();
    ASSERT_FALSE(world.ended().at("before").has_value());
    world.CutPowerAfter("card-0", cut);
    ASSERT_TRUE(world.Deliver("card-0", "job", *PayloadParcel("job", Action(2))));
    world.Run();
    EXPECT_FALSE(world.ended().at("job").has_value()) << cut << ' ' << world.ended().at("job")->reason;
    EXPECT_EQ(world.OnCard("card-0")["job"], "job") << cut;
    repeated += world.platform().figures().repeated > 0;
  }
  EXPECT_GE(repeated, 15u);
}

// The proof of the last packet was lost, and the device is faster than its repetition.
TEST(OtaWorld, WhatTheDeviceHasAnsweredIsOver) {
  World world(1, {});
  world.swallow = [](const auto&) { return true; };
  ASSERT_TRUE(world.Deliver("card-0", "one", *PayloadParcel("one", Action(1))));
  ASSERT_TRUE(world.Deliver("card-0", "two", WipeParcel("two")));
  world.platform().Settle("one", Clock::time_point(std::chrono::hours(1)));
  world.platform().Settle("nobody's", Clock::time_point(std::chrono::hours(1)));
  world.swallow = nullptr;
  world.Run();
  EXPECT_FALSE(world.ended().at("one").has_value());
  EXPECT_FALSE(world.ended().at("two").has_value());
  EXPECT_EQ(world.OnCard("card-0")["t"], "wipe");
}

TEST(OtaWorld, AJobIsQueuedOnceAndCanBeCancelled) {
  World world(1, {});
  ASSERT_TRUE(world.Deliver("card-0", "one", *PayloadParcel("one", Action(1))));
  ASSERT_TRUE(world.Deliver("card-0", "one", *PayloadParcel("one", Action(1))));
  ASSERT_TRUE(world.Deliver("card-0", "two", WipeParcel("two")));
  EXPECT_FALSE(world.Deliver("no-card", "x", WipeParcel("x")));
  world.platform().Cancel("one");
  world.Run();
  EXPECT_FALSE(world.ended().contains("one"));
  EXPECT_FALSE(world.ended().at("two").has_value());
  EXPECT_EQ(world.OnCard("card-0")["t"], "wipe");
  for (std::size_t i = 0; i < Platform::kWaitingMost; ++i)
    EXPECT_TRUE(world.Deliver("card-0", "more-" + std::to_string(i), WipeParcel("more")));
  EXPECT_FALSE(world.Deliver("card-0", "too-many", WipeParcel("too-many")));
}

}  // namespace
}  // namespace registry::sim::ota
