// Who decides a transfer: the losing party says no, the gaining one takes it back, nobody says anything until its time is
// over, or the losing party need not be asked. The device works at every moment of it.
#include "tests/integration/transfers/transfers_lab.h"

namespace registry::lab {
namespace {

using nlohmann::json;
using testing::IsEmpty;

void ExpectEnded(Heard& heard, std::size_t from, const std::string& losing, const std::string& gaining,
                 const std::string& device, const std::string& how) {
  for (const std::string& party : {losing, gaining}) {
    std::size_t of_party = from;
    EXPECT_TRUE(heard.Wait(of_party, Notified(party, "transfer." + how, device), kPatience))
        << party << " does not hear transfer." << how;
  }
}

struct Kind {
  const char *losing, *gaining;
};
constexpr Kind kKinds[] = {{"asp-a", "asp-b"}, {"mno-b", "mno-a"}};

TEST_F(TransfersLab, ARejectedAndACancelledTransferChangeNothing) {
  const std::string device = DeviceOf("mno-b", "asp-a");
  Probe probe(*lab_, *heard_, device);
  const json before = Shown(device);
  for (const Kind& kind : kKinds) {
    SCOPED_TRACE(kind.losing);
    std::size_t from = heard_->size();
    Tell(kind.losing, {{"cmd", "answer"}, {"answer", "reject"}});
    Give(kind.losing, kind.gaining, device);
    ExpectEnded(*heard_, from, kind.losing, kind.gaining, device, "rejected");
    EXPECT_EQ(Shown(device).at("transfer").at("state"), "rejected");

    from = heard_->size();
    Tell(kind.losing, {{"cmd", "answer"}, {"answer", "none"}});
    Give(kind.losing, kind.gaining, device);
    Tell(kind.gaining, {{"cmd", "cancel"}, {"device", device}});
    ExpectEnded(*heard_, from, kind.losing, kind.gaining, device, "cancelled");
    EXPECT_EQ(Shown(device).at("transfer").at("state"), "cancelled");
    EXPECT_EQ(Refusal(kind.losing, {{"cmd", "approve"}, {"device", device}}, "transfer"),
              "transfer_not_pending");
    Tell(kind.losing, {{"cmd", "answer"}, {"answer", "approve"}});
  }
  EXPECT_TRUE(probe.WaitHeld(1));
  probe.End();
  EXPECT_THAT(probe.refusals(), IsEmpty());
  const json after = Shown(device);
  for (const char* what : {"sponsor", "claimer", "certificate"})
    EXPECT_EQ(after.at(what), before.at(what)) << what;
}

// A device that may go from one party to the other, what names the one that has it, and a probe that must never be refused.
struct Passage {
  Kind kind;
  const char* holder;
  std::string device;
  std::unique_ptr<Probe> probe;
};
using Passages = std::vector<const Passage*>;

void ExpectUnrefused(const Passages& passages) {
  for (const Passage* one : passages) {
    EXPECT_TRUE(one->probe->WaitHeld(1));
    one->probe->End();
    EXPECT_THAT(one->probe->refusals(), IsEmpty());
  }
}

TEST_F(TransfersLab, WithoutAnAnswerTheOperatorsConfigurationDecides) {
  const auto passage = [](const Kind& kind, const char* holder, const std::string& device) {
    return Passage{kind, holder, device, std::make_unique<Probe>(*lab_, *heard_, device)};
  };
  const Passage asp = passage(kKinds[0], "claimer", DeviceOf("mno-b", "asp-a"));
  const Passage mno = passage(kKinds[1], "sponsor", DeviceOf("mno-b", "asp-b"));
  // The one device has gone by then, and mno-b has no second eSIM for the other one.
  const Passage asp_back = {{"asp-b", "asp-a"}, asp.holder, asp.device, nullptr};
  const Passage another = passage(kKinds[1], "sponsor", DeviceOf("mno-b", "asp-a"));
  const auto expect_end = [](const Passages& passages, const std::string& how) {
    const std::size_t from = heard_->size();
    for (const Passage* one : passages) Give(one->kind.losing, one->kind.gaining, one->device);
    for (const Passage* one : passages) {
      SCOPED_TRACE(one->holder);
      ExpectEnded(*heard_, from, one->kind.losing, one->kind.gaining, one->device, how);
      const bool gone = how == "completed";
      EXPECT_EQ(Shown(one->device).at(one->holder), gone ? one->kind.gaining : one->kind.losing);
    }
  };
  for (const char* party : {"asp-a", "asp-b", "mno-b"}) Tell(party, {{"cmd", "answer"}, {"answer", "none"}});

  Configure("decide_within_seconds", "2");
  expect_end({&asp, &mno}, "rejected");
  Configure("auto", "\"approved\"");
  expect_end({&asp, &mno}, "completed");

  // Nobody waits for an answer of a party that need not be asked.
  Configure("decide_within_seconds", "432000");
  Configure("auto", "\"rejected\"");
  for (const char* party : {"asp-b", "mno-b"}) Configure("auto_approve", "true", party);
  expect_end({&asp_back, &another}, "completed");
  ExpectUnrefused({&asp, &mno, &another});
  for (const char* party : {"asp-b", "mno-b"}) Configure("auto_approve", "false", party);
  for (const char* party : {"asp-a", "asp-b", "mno-b"})
    Tell(party, {{"cmd", "answer"}, {"answer", "approve"}});
}

TEST_F(TransfersLab, TheOperatorDecidesWithRegistryctlInTheLosingPartysPlace) {
  const std::string device = DeviceOf("mno-b", "asp-b");
  Tell("asp-b", {{"cmd", "answer"}, {"answer", "none"}});
  for (const auto& [verb, end, state] :
       {std::tuple("reject", "rejected", "rejected"), {"approve", "completed", "approved"}}) {
    SCOPED_TRACE(verb);
    const std::size_t from = heard_->size();
    Give("asp-b", "asp-a", device);
    const std::string transfer = Shown(device).at("transfer").at("id");
    const json decided = Ctl({"transfer", verb, transfer, "--reason", "asked by telephone"});
    EXPECT_EQ(decided.value("state", ""), state);
    EXPECT_EQ(decided.value("transfer", ""), transfer);
    ExpectEnded(*heard_, from, "asp-b", "asp-a", device, end);
    const json steps = Ctl({"transfer", "show", transfer}).at("steps");
    const bool by_operator =
        std::any_of(steps.begin(), steps.end(),
                    [end_of_it = std::string(state) + ": asked by telephone"](const json& step) {
                      const std::string what = step.at("what");
                      return step.at("actor") == "operator" && what.ends_with(end_of_it);
                    });
    EXPECT_TRUE(by_operator) << steps;
  }
  EXPECT_EQ(Shown(device).at("claimer"), "asp-a");
  Tell("asp-b", {{"cmd", "answer"}, {"answer", "approve"}});
}

}  // namespace
}  // namespace registry::lab
