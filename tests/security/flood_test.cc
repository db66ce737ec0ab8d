// Floods, poured over the real broker and the real registry: ten thousand malformed messages have the answer their fault
// calls for each; large, tiny and bulky ones beyond every share are all accounted for, and keep nothing in the ledger. A
// party beside them is served all the while.
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <thread>

#include "tests/security/interface_lab.h"
#include "tests/security/malformed.h"
#include "tests/support/contract.h"

namespace registry::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr int kMessages = 10000;
constexpr int kServedMin = 20;        // of the bystander's commands, while the flood runs
constexpr std::size_t kWindow = 500;  // unanswered at any time, so that the flood lasts
constexpr char kParty[] = "guest-mno";

// FLOOD_SEED=n runs a flood again.
std::uint64_t Seed() {
  const char* again = std::getenv("FLOOD_SEED");
  return again == nullptr ? std::random_device{}() : std::strtoull(again, nullptr, 10);
}

class Flood : public Interface {
 protected:
  // Another party's traffic. Ends with the scope.
  class Bystander {
   public:
    Bystander() : thread_([this] { Run(); }) {}
    ~Bystander() { Stop(); }
    void Stop() {
      stop_ = true;
      if (thread_.joinable()) thread_.join();
    }
    int served() const { return served_; }

   private:
    void Run() {
      while (!stop_) {
        const Answer answer = Ask("asp-b", "feed.ack", {{"seq", 0}});
        EXPECT_TRUE(answer.accepted) << answer.data.dump();
        if (!answer.accepted) return;
        ++served_;
      }
    }
    std::atomic<bool> stop_{false};
    std::atomic<int> served_{0};
    std::thread thread_;
  };

  Flood() : families_(Families(kParty)) {
    for (const Family& family : families_) shares_.push_back(family.share);
    std::cout << "seed " << seed_ << std::endl;
    RecordProperty("seed", std::to_string(seed_));
  }

  const Family& AnyFamily() {
    return families_[std::discrete_distribution<std::size_t>(shares_.begin(), shares_.end())(random_)];
  }

  void Send(const Family& family) {
    const std::string number = std::to_string(sent_++);
    const Malformed message = family.make("flood-" + number, random_);
    const std::string topic = "registry/v1/from/" + std::string(kParty) + "/" + message.command;
    open_[number] = {&family, message};
    ++by_family_[family.name];
    EXPECT_TRUE(attacker_.PublishLater(topic, message.payload, number));
  }

  // The next answer is one nobody had yet, and says what its message's family may be told. False: none came.
  bool Hear() {
    const auto answer = listener_.Next(seconds(60));
    if (!answer) return false;
    ExpectContract(answer->payload);
    const auto asked = open_.find(answer->correlation_data);
    EXPECT_NE(asked, open_.end()) << answer->topic << " answers nothing, or a second time";
    if (asked == open_.end()) return true;
    const auto& [family, message] = asked->second;
    const std::string what =
        family->name + ", seed " + std::to_string(seed_) + ": " + message.payload.substr(0, 300);
    const std::string behind = family->names_command ? message.command + "/rejected" : "rejected";
    EXPECT_EQ(answer->topic, "registry/v1/to/" + std::string(kParty) + "/" + behind) << what;
    const std::string symbol = json::parse(answer->payload).at("data").value("symbol", "");
    EXPECT_TRUE(family->symbols.contains(symbol)) << symbol << ": " << what;
    open_.erase(asked);
    return true;
  }

  struct Asked {
    const Family* family;
    Malformed message;
  };
  const std::uint64_t seed_ = Seed();
  Random random_{seed_};
  std::vector<Family> families_;
  std::vector<int> shares_;
  RawMqtt attacker_{As(kParty)};
  RawMqtt listener_{As(kParty, "-listener")};
  std::map<std::string, Asked> open_;  // by Correlation Data, which every answer echoes
  std::map<std::string, int> by_family_;
  int sent_ = 0;
};

TEST_F(Flood, OfTenThousandMalformedMessagesHarmsNobody) {
  ASSERT_TRUE(attacker_.connected());
  ASSERT_TRUE(listener_.Subscribe("registry/v1/to/" + std::string(kParty) + "/#"));
  Bystander bystander;
  while ((sent_ < kMessages || bystander.served() < kServedMin) && !HasFailure()) {
    Send(AnyFamily());
    while (open_.size() >= kWindow) ASSERT_TRUE(Hear()) << "every message has its answer";
  }
  while (!open_.empty()) ASSERT_TRUE(Hear()) << open_.size() << " messages without an answer, seed " << seed_;
  const int served = bystander.served();
  bystander.Stop();
  EXPECT_GE(served, kServedMin) << "another party is served meanwhile";
  EXPECT_TRUE(Ctl("dead-letter list").empty()) << "everything has its answer";
  for (const Family& family : families_) EXPECT_GT(by_family_[family.name], 0) << family.name;
  EXPECT_TRUE(attacker_.connected() && listener_.connected());
  EXPECT_FALSE(lab_->TakeFailure()) << "no process ended";
}

class Pour : public Flood {
 protected:
  // Sends, and says nothing until all is sent, so that shares and the line of refusals fill up.
  void SendAll(int messages, const std::function<std::pair<std::string, std::string>(int)>& make) {
    ASSERT_TRUE(attacker_.connected());
    ASSERT_TRUE(listener_.Subscribe("registry/v1/to/" + std::string(kParty) + "/#"));
    for (int i = 0; i < messages; ++i) {
      const auto [payload, correlation] = make(i);
      ASSERT_TRUE(attacker_.PublishLater("registry/v1/from/" + std::string(kParty) + "/feed.ack", payload,
                                         correlation));
    }
  }

  // By symbol, "" for accepted; an answer that speaks for many counts for as many.
  std::map<std::string, int> HearAll(int messages) {
    std::map<std::string, int> heard;
    for (int answered = 0; answered < messages;) {
      const auto answer = listener_.Next(seconds(60));
      EXPECT_TRUE(answer) << messages - answered << " messages without an answer";
      if (!answer) return heard;
      ExpectContract(answer->payload);
      const json envelope = json::parse(answer->payload);
      const json& data = envelope.at("data");
      const std::string symbol = data.value("symbol", "");
      const bool for_many =
          symbol == "too_busy" && !envelope.contains("cause") && answer->correlation_data.empty();
      const int speaks_for = for_many ? std::stoi(data.at("message").get<std::string>()) : 1;
      heard[symbol] += speaks_for;
      answered += speaks_for;
    }
    return heard;
  }

  std::string Ack(int i, const json& data) {
    return Command(kParty, "feed.ack", data, std::string(test_info_->name()) + std::to_string(i));
  }
  std::uintmax_t LedgerOctets() {
    std::uintmax_t octets = 0;
    for (const auto& file : std::filesystem::directory_iterator(lab_->layout().Registry("ledger"))) {
      if (file.is_regular_file()) octets += file.file_size();
    }
    return octets;
  }
  const ::testing::TestInfo* const test_info_ = ::testing::UnitTest::GetInstance()->current_test_info();
};

TEST_F(Pour, FourHundredOfSmallValuesAreRefusedUnread) {
  constexpr int kLarge = 400;
  const json data = {{"values", std::vector<int>(129'000, 0)}};
  Bystander bystander;
  SendAll(kLarge, [&](int i) { return std::pair{Ack(i, data), std::to_string(i)}; });
  const auto heard = HearAll(kLarge);
  const int served = bystander.served();
  bystander.Stop();
  EXPECT_GT(served, 0) << "another party is served meanwhile";
  for (const auto& [symbol, count] : heard) {
    EXPECT_TRUE(symbol == "too_many_values" || symbol == "too_busy") << symbol << ": " << count;
  }
  EXPECT_FALSE(lab_->TakeFailure()) << "no process ended";
}

TEST_F(Pour, TwentyThousandTinyOnesAreAllAccountedFor) {
  constexpr int kTiny = 20'000;
  Bystander bystander;
  SendAll(kTiny, [&](int i) { return std::pair{Ack(i, {{"seq", 0}}), std::string()}; });
  auto heard = HearAll(kTiny);
  const int served = bystander.served();
  bystander.Stop();
  EXPECT_GT(served, 0) << "another party is served meanwhile";
  const int accepted = heard[""];
  EXPECT_EQ(accepted + heard["too_busy"], kTiny);
  EXPECT_GT(accepted, 0);
  EXPECT_TRUE(Ask(kParty, "feed.ack", {{"seq", 0}}).accepted) << "the share is given back";
}

// What is kept with every reply until the ledger forgets it must not be as large as a sender likes.
TEST_F(Pour, BulkyCorrelationDataKeepsNothingInTheLedger) {
  constexpr int kBulky = 1500;
  const std::uintmax_t before = LedgerOctets();
  SendAll(kBulky, [&](int i) { return std::pair{Ack(i, {{"seq", 0}}), std::string(60'000, 'c')}; });
  auto heard = HearAll(kBulky);
  EXPECT_EQ(heard["correlation_too_large"] + heard["too_busy"], kBulky);
  EXPECT_LT(LedgerOctets(), before + (4u << 20));
}

}  // namespace
}  // namespace registry::test
