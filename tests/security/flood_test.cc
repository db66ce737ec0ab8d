// Ten thousand malformed messages, asked of the real broker and the real registry: each has the answer its fault calls
// for, and a party beside them is served all the while.
#include <atomic>
#include <cstdlib>
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
    if (family.symbols.empty()) {
      ++dead_[topic];
    } else {
      open_[number] = {&family, message};
    }
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
    EXPECT_EQ(answer->topic, "registry/v1/to/" + std::string(kParty) + "/" + message.command + "/rejected")
        << what;
    const std::string symbol = json::parse(answer->payload).at("data").value("symbol", "");
    EXPECT_TRUE(family->symbols.contains(symbol)) << symbol << ": " << what;
    open_.erase(asked);
    return true;
  }

  std::map<std::string, int> DeadLetters() {
    std::map<std::string, int> topics;
    for (const json& row : Ctl("dead-letter list")) {
      EXPECT_EQ(row.at("reason"), "topic_malformed");
      ++topics[row.at("topic")];
    }
    return topics;
  }

  // Nobody is told when a dead letter is kept, so it is looked for until it is there.
  void ExpectDeadLetters() {
    const auto deadline = std::chrono::steady_clock::now() + seconds(30);
    auto listed = DeadLetters();
    while (listed != dead_ && std::chrono::steady_clock::now() < deadline) listed = DeadLetters();
    EXPECT_EQ(listed, dead_) << "what cannot be answered is kept for the operator";
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
  std::map<std::string, int> dead_;
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
  ExpectDeadLetters();
  for (const Family& family : families_) EXPECT_GT(by_family_[family.name], 0) << family.name;
  EXPECT_TRUE(attacker_.connected() && listener_.connected());
  EXPECT_FALSE(lab_->TakeFailure()) << "no process ended";
}

}  // namespace
}  // namespace registry::test
