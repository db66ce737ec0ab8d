// The chain of trust of a private ecosystem: root, top-level domain and the registry's zone are three signed zones, each
// with the DS of the next one. What a device was given leads down all of them, and another anchor leads nowhere.
#include <gmock/gmock.h>

#include "simulators/lab/heard.h"
#include "simulators/lab/process.h"
#include "tests/support/shell.h"
#include "tests/support/test_lab.h"

namespace registry::lab {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr std::chrono::seconds kPatience{120};

class ChainLab : public testing::Test {
 protected:
  void SetUp() override {
    LabOptions options;
    options.devices = 2;
    options.on_event = [this](const std::string& program, const json& event) { heard_.Hear(program, event); };
    lab_ = test::NewWholeLab(std::move(options));
    ASSERT_NE(lab_, nullptr);
  }
  // BIND's validator over the name server's answers, down from `anchors`; both streams.
  std::string Delv(const std::string& anchors, const std::string& question) const {
    return test::Shell("delv -a '" + anchors + "' +root=. +rtrace +nosplit @" + kAddress + " -p " +
                       std::to_string(lab_->layout().authority) + " " + question + " 2>&1")
        .output;
  }

  Heard heard_;
  std::unique_ptr<Lab> lab_;
};

TEST_F(ChainLab, LeadsFromTheRootOverATopLevelDomainToADevice) {
  std::size_t from = 0;
  const auto done = heard_.Wait(
      from, [](const std::string&, const json& event) { return event.value("event", "") == "done"; },
      kPatience);
  ASSERT_TRUE(done && done->value("ok", false)) << (done ? done->dump() : "nothing heard");
  const std::string name = done->at("device").get<std::string>() + "._device." + kZone;

  const std::string anchors = lab_->layout().In("zones/trust-anchor.bind");
  const std::string proved = Delv(anchors, name + " TLSA");
  EXPECT_THAT(proved, HasSubstr("; fully validated"));
  EXPECT_THAT(proved, HasSubstr(" TLSA 3 0 1 "));
  for (const char* fetched :
       {"./DNSKEY", "test/DS", "test/DNSKEY", "iotregistry.test/DS", "iotregistry.test/DNSKEY"})
    EXPECT_THAT(proved, HasSubstr(std::string(";; fetch: ") + fetched));

  // Of another key of the same name and tag: nothing of it is believed.
  const std::string other = lab_->layout().In("zones/other.bind");
  const auto made = test::Shell("sed -E 's/\"[0-9a-f]{4}/\"0000/' '" + anchors + "' > '" + other + "'");
  ASSERT_TRUE(made.ok()) << made.output;
  EXPECT_THAT(Delv(other, name + " TLSA"), Not(HasSubstr("; fully validated")));

  // What the registry has every device told to trust is the root's, and nothing of its own.
  const auto given = test::Shell("grep -A3 '^trust_anchors' '" + lab_->layout().ConfigFile() + "'");
  EXPECT_THAT(given.output, HasSubstr(lab_->root_ds()));
  EXPECT_THAT(given.output, Not(HasSubstr("iotregistry.test. ")));
  const auto failure = lab_->TakeFailure();
  EXPECT_FALSE(failure) << *failure;
  lab_->Stop();
}

}  // namespace
}  // namespace registry::lab
