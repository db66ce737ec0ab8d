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

TEST_F(TransfersLab, WithoutAnAnswerTheOperatorsConfigurationDecides) {
  const std::string device = DeviceOf("mno-b", "asp-a");
  Probe probe(*lab_, *heard_, device);
  for (const char* party : {"asp-a", "asp-b"}) Tell(party, {{"cmd", "answer"}, {"answer", "none"}});

  Configure("decide_within_seconds", "2");
  std::size_t from = heard_->size();
  Give("asp-a", "asp-b", device);
  ExpectEnded(*heard_, from, "asp-a", "asp-b", device, "rejected");
  EXPECT_EQ(Shown(device).at("claimer"), "asp-a");

  Configure("auto", "\"approved\"");
  from = heard_->size();
  Give("asp-a", "asp-b", device);
  ExpectEnded(*heard_, from, "asp-a", "asp-b", device, "completed");
  EXPECT_EQ(Shown(device).at("claimer"), "asp-b");

  // Nobody waits for an answer of a party that need not be asked.
  Configure("decide_within_seconds", "432000");
  Configure("auto", "\"rejected\"");
  Configure("auto_approve", "true", "asp-b");
  from = heard_->size();
  Give("asp-b", "asp-a", device);
  ExpectEnded(*heard_, from, "asp-b", "asp-a", device, "completed");
  EXPECT_EQ(Shown(device).at("claimer"), "asp-a");
  EXPECT_TRUE(probe.WaitHeld(1));
  probe.End();
  EXPECT_THAT(probe.refusals(), IsEmpty());
  for (const char* party : {"asp-a", "asp-b"}) Tell(party, {{"cmd", "answer"}, {"answer", "approve"}});
}

}  // namespace
}  // namespace registry::lab
