// Several nodes that hear together at a real Mosquitto: each message reaches one of them, and none is lost when one stops,
// is cut off, or comes back.
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <set>

#include "bridge/mqtt/heir.h"
#include "schemas/base/mutex.h"
#include "simulators/lab/probe.h"
#include "tests/integration/mqtt/broker.h"
#include "tests/integration/mqtt/connections.h"
#include "tests/integration/mqtt/inbox.h"

namespace registry::test {
namespace {

using namespace std::chrono_literals;

constexpr char kCommand[] = "registry/v1/from/mno-a/feed.ack";

std::set<std::string> Numbers(int from, int to) {
  std::set<std::string> numbers;
  for (int i = from; i < to; ++i) numbers.insert(std::to_string(i));
  return numbers;
}

// A node, as far as the broker knows it.
struct Node {
  explicit Node(mqtt::SessionOptions options) : session(std::move(options), inbox.Handler()) {
    session.Start();
    EXPECT_TRUE(lab::WaitUntil([&] { return session.connected(); }, 60s));
  }
  std::multiset<std::string> heard() {
    std::multiset<std::string> payloads;
    for (const auto& message : inbox.messages()) payloads.insert(message.payload);
    return payloads;
  }
  Inbox inbox;
  mqtt::Session session;
};

class Share : public testing::Test {
 protected:
  mqtt::SessionOptions OptionsOf(const std::string& node) {
    auto options = broker_.ForRegistry();
    options.client_id = node;
    options.share = "registry";
    options.keep_alive = 600s;  // a test that holds Paho's one thread answers no pings
    return options;
  }
  void Say(int from, int to) {
    for (int i = from; i < to; ++i) ASSERT_TRUE(mno_.PublishLater(kCommand, std::to_string(i)));
    ASSERT_TRUE(mno_.WaitPublished(60s));
  }
  // Returns once it is cut off, without a word to the broker, and stays so.
  std::unique_ptr<Node> CutOffNode(const std::string& client_id) {
    auto options = OptionsOf(client_id);
    auto may = std::make_shared<std::atomic<bool>>(true);
    options.may_connect = [may] { return may->load(); };
    const auto others = ConnectionsTo(broker_.port());
    auto node = std::make_unique<Node>(options);
    *may = false;
    for (const int fd : ConnectionsTo(broker_.port())) {
      if (!others.contains(fd)) CutOff(fd);
    }
    EXPECT_TRUE(lab::WaitUntil([&] { return !node->session.connected(); }, 60s));
    return node;
  }
  bool WaitForAll(const std::vector<Node*>& nodes, const std::set<std::string>& all) {
    return lab::WaitUntil(
        [&] {
          std::set<std::string> heard;
          for (Node* const node : nodes) heard.merge(Set(node->heard()));
          return heard == all;
        },
        60s);
  }
  static std::set<std::string> Set(const std::multiset<std::string>& some) {
    return {some.begin(), some.end()};
  }

  Broker broker_;
  RawMqtt mno_{broker_.ForParty("mno-a")};
};

// An heir, what it heard, and whose session it ended.
class Inheriting {
 public:
  explicit Inheriting(
      const mqtt::SessionOptions& terms, std::function<void()> stir = [] {})
      : heir(
            terms, inbox.Handler(),
            [this](const std::string& client_id) {
              const MutexLock lock(mutex_);
              ended_.insert(client_id);
            },
            std::move(stir)) {
    heir.Start();
  }
  bool has_ended(const std::string& client_id) const {
    const MutexLock lock(mutex_);
    return ended_.contains(client_id);
  }
  bool Ends(const std::string& client_id) const {
    return lab::WaitUntil([&] { return has_ended(client_id); }, 60s);
  }
  std::set<std::string> heard() {
    std::set<std::string> payloads;
    for (const auto& message : inbox.messages()) payloads.insert(message.payload);
    return payloads;
  }

  Inbox inbox;

 private:
  mutable Mutex mutex_;
  std::set<std::string> ended_ GUARDED_BY(mutex_);

 public:
  mqtt::Heir heir;
};

TEST_F(Share, EachMessageReachesOneOfTwo) {
  Node a(OptionsOf("registryd@a")), b(OptionsOf("registryd@b"));
  Say(0, 200);
  ASSERT_TRUE(WaitForAll({&a, &b}, Numbers(0, 200)));
  a.session.Stop(5s);
  b.session.Stop(5s);
  EXPECT_EQ(a.heard().size() + b.heard().size(), 200u) << "none of them twice";
  EXPECT_EQ(a.heard().size(), 100u) << "Mosquitto gives to each in turn";
}

TEST_F(Share, ACleanStopLosesNothingOfWhatIsSaidMeanwhile) {
  constexpr int kCount = 3000;
  Node a(OptionsOf("registryd@a")), b(OptionsOf("registryd@b"));
  auto saying = std::async(std::launch::async, [&] {
    for (int i = 0; i < kCount; i += 100) Say(i, i + 100);
  });
  ASSERT_TRUE(a.inbox.WaitFor(300, 60s));
  EXPECT_TRUE(a.session.HearOut(60s));
  EXPECT_TRUE(a.session.connected()) << "what it heard last is still to be answered";
  const std::size_t heard = a.heard().size();
  saying.get();
  EXPECT_EQ(a.heard().size(), heard);
  a.session.Stop(5s);
  ASSERT_TRUE(WaitForAll({&a, &b}, Numbers(0, kCount)));
  EXPECT_EQ(a.heard().size() + b.heard().size(), std::size_t{kCount});
  EXPECT_FALSE(broker_.HasSession("registryd@a"));
}

// More waits at the broker than it may send at once.
TEST_F(Share, WhatTheBrokerHasQueuedIsHeardOutToo) {
  auto options = OptionsOf("registryd@a");
  options.receive_maximum = 10;
  Node a(options), b(OptionsOf("registryd@b"));
  a.inbox.Hold(true);
  Say(0, 500);
  auto all = std::async(std::launch::async, [&] { return a.session.HearOut(60s); });
  a.inbox.Hold(false);
  EXPECT_TRUE(all.get());
  EXPECT_EQ(a.heard().size(), 250u);
  a.session.Stop(5s);
  EXPECT_FALSE(broker_.HasSession("registryd@a"));
  EXPECT_TRUE(WaitForAll({&a, &b}, Numbers(0, 500)));
}

// It stops as soon as it can, with most of what is queued for it.
TEST_F(Share, WhatAStopDoesNotHearInTimeIsTheHeirs) {
  auto options = OptionsOf("registryd@a");
  options.receive_maximum = 1;
  Node a(options), b(OptionsOf("registryd@b"));
  Say(0, 1000);
  EXPECT_FALSE(a.session.HearOut(0ms));
  a.session.Stop(5s);
  Inheriting heir(OptionsOf(""), [&] { b.session.Stir(); });
  heir.heir.Inherit("registryd@a");
  ASSERT_TRUE(heir.Ends("registryd@a"));
  EXPECT_FALSE(broker_.HasSession("registryd@a"));
  EXPECT_TRUE(lab::WaitUntil(
      [&] {
        std::set<std::string> heard = heir.heard();
        heard.merge(Set(a.heard()));
        heard.merge(Set(b.heard()));
        return heard == Numbers(0, 1000);
      },
      60s));
}

// It goes on having its turn although nobody is there, and the heir hears all of it.
TEST_F(Share, ANodeThatIsCutOffHasAnHeir) {
  Node a(OptionsOf("registryd@a"));
  const auto b = CutOffNode("registryd@b");
  Say(0, 200);
  ASSERT_TRUE(a.inbox.WaitFor(100, 60s));
  Inheriting heir(OptionsOf(""), [&] { a.session.Stir(); });
  heir.heir.Inherit("registryd@b");
  heir.heir.Inherit("registryd@b");
  ASSERT_TRUE(heir.Ends("registryd@b"));
  EXPECT_TRUE(heir.heir.waiting().empty());
  EXPECT_EQ(heir.heard().size(), 100u);
  EXPECT_FALSE(broker_.HasSession("registryd@b"));
  Say(200, 300);
  ASSERT_TRUE(a.inbox.WaitFor(200, 60s)) << "everything from then on";
  std::set<std::string> heard = heir.heard();
  heard.merge(Set(a.heard()));
  EXPECT_EQ(heard, Numbers(0, 300));
}

TEST_F(Share, OneThatHeardAloneBeforeHasAnHeirTooForAllItsSessions) {
  auto options = broker_.ForRegistry();
  options.client_id = "registryd";
  options.parties = {"mno-a"};
  {
    Node alone(options);
    alone.session.Stop(5s);
  }
  Say(0, 20);
  Inheriting heir(OptionsOf(""));
  for (const char* session : {"registryd", "registryd/mno-a"}) {
    heir.heir.Inherit(session);
    ASSERT_TRUE(heir.Ends(session));
    EXPECT_FALSE(broker_.HasSession(session));
  }
  EXPECT_EQ(heir.heard(), Numbers(0, 20));
}

// While the heir has not acknowledged anything yet: the broker gives the node all of it.
TEST_F(Share, ANodeThatComesBackIsGivenItsSessionAndIsSpared) {
  CutOffNode("registryd@b").reset();
  Say(0, 50);
  Inheriting heir(OptionsOf(""));
  heir.inbox.Hold(true);
  heir.heir.Inherit("registryd@b");
  ASSERT_TRUE(heir.inbox.WaitFor(1, 60s));
  auto options = broker_.ForParty("registryd");
  options.client_id = "registryd@b";
  options.keeps_session = true;
  RawMqtt back(options);
  ASSERT_TRUE(back.connected());
  heir.heir.Spare("registryd@b");
  heir.inbox.Hold(false);
  std::set<std::string> heard;
  while (heard.size() < 50) {
    const auto next = back.Next(60s);
    ASSERT_TRUE(next.has_value()) << heard.size() << " of 50";
    heard.insert(next->payload);
  }
  EXPECT_TRUE(heir.heir.waiting().empty());
  heir.heir.Stop();
  EXPECT_FALSE(heir.has_ended("registryd@b"));
  EXPECT_TRUE(back.connected());
}

// It goes on trying, and ends at once.
TEST_F(Share, AnHeirThatReachesNoBrokerWaitsForIt) {
  CutOffNode("registryd@b").reset();
  auto elsewhere = OptionsOf("");
  elsewhere.port = 1;
  {
    Inheriting heir(elsewhere);
    heir.heir.Inherit("registryd@b");
    heir.heir.Inherit("registryd@c");
    EXPECT_EQ(heir.heir.waiting().size(), 2u);
    heir.heir.Spare("registryd@c");
    EXPECT_EQ(heir.heir.waiting(), std::vector<std::string>{"registryd@b"});
  }
  EXPECT_TRUE(broker_.HasSession("registryd@b"));
}

}  // namespace
}  // namespace registry::test
