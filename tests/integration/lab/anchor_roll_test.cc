// The root of an ecosystem rolls its KSK over (ANCHORS.md): the new anchor reaches every device by payload before the old
// key goes, one that hears nothing keeps the old one in force, and then everybody has sessions under the new key alone.
#include <gmock/gmock.h>

#include <set>

#include "simulators/lab/heard.h"
#include "simulators/lab/probe.h"
#include "simulators/lab/process.h"
#include "tests/support/built_lab.h"
#include "tests/support/device_session.h"
#include "tests/support/shell.h"
#include "tests/support/test_lab.h"

namespace registry::lab {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

constexpr seconds kPatience{120};
constexpr int kDevices = 4;

class AnchorRollLab : public testing::Test {
 protected:
  void SetUp() override {
    LabOptions options;
    options.devices = kDevices;
    options.root_stand_by = true;
    options.retry_first_seconds = 2;
    options.on_event = [this](const std::string& program, const json& event) { heard_.Hear(program, event); };
    lab_ = test::NewWholeLab(std::move(options));
    ASSERT_NE(lab_, nullptr);
    old_ = Tag(lab_->root_ds());
    new_ = Tag(lab_->stand_by_ds());
  }
  void TearDown() override {
    if (!HasFailure()) return;
    std::size_t from = 0;
    while (const auto said = heard_.Wait(
               from, [](const std::string&, const json&) { return true; }, seconds(0)))
      std::cout << said->dump() << '\n';
  }
  // "… IN DS 12345 13 2 …"
  static std::string Tag(const std::string& ds) {
    const std::string behind = ds.substr(ds.find(" DS ") + 4);
    return behind.substr(0, behind.find(' '));
  }
  // Devices that have said so since `from`, with a good end.
  std::set<std::string> Done(std::size_t from, std::size_t count) {
    return test::DevicesDone(heard_, from, count, kPatience);
  }
  void Radio(const std::string& device, bool on) {
    std::size_t from = heard_.size();
    lab_->SendTo("devices", {{"cmd", "radio"}, {"device", device}, {"on", on}});
    EXPECT_TRUE(heard_.Wait(
        from, [](const std::string&, const json& event) { return event.value("event", "") == "radio"; },
        kPatience));
  }
  bool Welcome(const std::string& device) {
    const auto session = test::SessionAgain(*lab_, heard_, device, kPatience);
    return session && session->value("ok", false);
  }
  // What it says, both streams.
  test::Ran Anchor(const std::string& words) {
    return test::Shell("'" + test::BuiltLab().program_folder + "/registryctl' anchor " + words +
                       " --config '" + lab_->layout().ConfigFile() + "' 2>&1");
  }
  json Shown() { return test::Registryctl(*lab_, {"anchor", "show"}); }
  // A member of what `anchor show` says of the one with this key tag.
  std::uint64_t Count(const std::string& tag, const char* member) {
    const json shown = Shown();
    for (const json& anchor : shown.at("anchors")) {
      if (anchor.at("record").get<std::string>().find(" DS " + tag + " ") != std::string::npos)
        return anchor.at(member);
    }
    return 0;
  }
  std::uint64_t Confirmed(const std::string& tag) { return Count(tag, "confirmed"); }
  void RestartRegistry() {
    lab_->Kill("registryd");
    const auto restarted = lab_->Restart("registryd");
    ASSERT_TRUE(restarted) << restarted.error().message;
  }
  void ProvideAnew() {
    const json order = test::Registryctl(
        *lab_, {"order", "start", "reprovision", "--all", "--rate", "50", "--reason", "anchors"});
    EXPECT_EQ(order.value("kind", ""), "reprovision") << order;
  }
  // What the doctor says of the anchors.
  std::string Doctor() {
    const auto said =
        test::Shell("'" + test::BuiltLab().program_folder + "/registryctl' doctor --json --config '" +
                    lab_->layout().ConfigFile() + "'");
    const json findings = json::parse(said.output, nullptr, false);
    for (const json& finding : findings) {
      if (finding.is_object() && finding.value("check", "") == "trust anchors")
        return finding.value("verdict", "") + ": " + finding.value("says", "") + ". " +
               finding.value("do", "");
    }
    return said.output;
  }
  // Whether BIND's validator believes the registry's zone with this DS of the root alone.
  bool Believed(const std::string& ds) {
    const std::string file = lab_->layout().In("zones/judged.bind"), digest = ds.substr(ds.rfind(' ') + 1);
    const auto said =
        test::Shell("printf 'trust-anchors { . static-ds %s 13 2 \"%s\"; };' " + Tag(ds) + " " + digest +
                    " > '" + file + "' && delv -a '" + file + "' +root=. @" + kAddress + " -p " +
                    std::to_string(lab_->layout().authority) + " " + kZone + " SOA 2>&1");
    return said.output.find("; fully validated") != std::string::npos;
  }

  Heard heard_;
  std::unique_ptr<Lab> lab_;
  std::string old_, new_;
};

TEST_F(AnchorRollLab, TheNewAnchorIsEverywhereBeforeTheOldKeyGoes) {
  const auto devices = Done(0, kDevices);
  ASSERT_THAT(devices, SizeIs(kDevices));
  const std::string away = *devices.begin();
  EXPECT_TRUE(WaitUntil([&] { return Confirmed(old_) == 0u + kDevices; }, kPatience));
  EXPECT_TRUE(Believed(lab_->root_ds()));
  EXPECT_FALSE(Believed(lab_->stand_by_ds())) << "it is not in the zone yet";

  const auto alone = Anchor("revoke " + old_ + " --reason early");
  EXPECT_THAT(alone.output, HasSubstr("the only one"));
  const auto added =
      Anchor("add '" + lab_->stand_by_ds() + "' --hold-down 0 --reason 'the root has a new key'");
  ASSERT_TRUE(added.ok()) << added.output;
  RestartRegistry();
  EXPECT_EQ(Confirmed(new_), 0u);
  EXPECT_EQ(Shown().at("all_confirmed"), false);
  EXPECT_THAT(Anchor("revoke " + old_ + " --reason early").output,
              HasSubstr("4 devices of 4 have not confirmed another anchor"));

  Radio(away, false);
  std::size_t from = heard_.size();
  ProvideAnew();
  EXPECT_THAT(Doctor(), HasSubstr("warning: key " + new_ + " is not in the DNSKEY set of ."));
  EXPECT_THAT(Done(from, kDevices - 1), Not(testing::Contains(away)));
  EXPECT_TRUE(WaitUntil([&] { return Confirmed(new_) == kDevices - 1u; }, kPatience));
  EXPECT_THAT(Anchor("revoke " + old_ + " --reason early").output,
              HasSubstr("1 device of 4 has not confirmed another anchor (1 with a payload under way)"));
  const json lacking = test::Registryctl(*lab_, {"anchor", "lacking"});
  ASSERT_THAT(lacking, SizeIs(1));
  EXPECT_EQ(lacking[0].at("device"), away);
  EXPECT_EQ(lacking[0].at("payload"), "under way");
  from = heard_.size();
  Radio(away, true);
  EXPECT_THAT(Done(from, 1), testing::ElementsAre(away));
  ASSERT_TRUE(WaitUntil([&] { return Shown().at("all_confirmed") == true; }, kPatience));
  ASSERT_TRUE(lab_->SignRoot(Lab::RootKeys::kBoth));
  EXPECT_TRUE(Believed(lab_->root_ds()) && Believed(lab_->stand_by_ds()));
  EXPECT_THAT(Doctor(), StartsWith("good: each of the 2 "));
  const auto revoked = Anchor("revoke " + old_ + " --reason 'all have the new one'");
  ASSERT_TRUE(revoked.ok()) << revoked.output;
  EXPECT_THAT(revoked.output, HasSubstr("4 devices, and each has another one"));

  ASSERT_TRUE(lab_->SignRoot(Lab::RootKeys::kStandBy));
  EXPECT_FALSE(Believed(lab_->root_ds())) << "who had the old anchor alone would prove nothing now";
  for (const std::string& device : devices) EXPECT_TRUE(Welcome(device)) << device;

  // With the new anchor alone every device proves all names again, from the root down.
  RestartRegistry();
  from = heard_.size();
  ProvideAnew();
  EXPECT_THAT(Done(from, kDevices), SizeIs(kDevices));
  ASSERT_TRUE(WaitUntil([&] { return Count(old_, "may_believe") == 0; }, kPatience));
  const auto removed = Anchor("remove " + old_ + " --force --reason 'nobody has it'");
  ASSERT_TRUE(removed.ok()) << removed.output;
  EXPECT_THAT(removed.output, Not(HasSubstr("may still believe")));

  EXPECT_THAT(test::Registryctl(*lab_, {"ledger", "verify"}).at("faults"), IsEmpty());
  const auto failure = lab_->TakeFailure();
  EXPECT_FALSE(failure) << *failure;
  lab_->Stop();
}

}  // namespace
}  // namespace registry::lab
