// What an operator does with registryctl to a registry that runs, over the real broker and onto devices that are active:
// each verb is tried without doing it, then done, and comes to what was said. One lab serves all of it.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "simulators/lab/heard.h"
#include "simulators/lab/probe.h"
#include "simulators/lab/process.h"
#include "tests/support/test_lab.h"

namespace registry::lab {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr seconds kPatience{120};
constexpr int kDevices = 7;
constexpr char kNobody[] = "01234567-89ab-4cde-8f01-23456789abcd";

class OperatorLab : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    heard_ = std::make_unique<Heard>();
    LabOptions options;
    options.devices = kDevices;
    options.on_event = [](const std::string& program, const json& event) { heard_->Hear(program, event); };
    auto lab = test::NewWholeLab(std::move(options));
    ASSERT_NE(lab, nullptr);
    std::size_t from = 0;
    for (int i = 0; i < kDevices; ++i) {
      const auto done = heard_->Wait(
          from, [](const std::string&, const json& event) { return event.value("event", "") == "done"; },
          kPatience);
      ASSERT_TRUE(done && done->value("ok", false)) << "device " << i;
    }
    lab_ = std::move(lab);
  }
  static void TearDownTestSuite() {
    lab_.reset();
    heard_.reset();
  }
  void SetUp() override { ASSERT_NE(lab_, nullptr) << "the lab did not start"; }
  void TearDown() override {
    const auto failure = lab_->TakeFailure();
    EXPECT_FALSE(failure) << *failure;
  }

  static json Ctl(std::vector<std::string> words) { return test::Registryctl(*lab_, std::move(words)); }
  // What it says on standard error when it fails, as it must.
  static std::string Refusal(std::vector<std::string> words) {
    words.insert(words.begin(), REGISTRY_BINARY_DIR "/bin/registryctl");
    words.insert(words.end(), {"--config", lab_->layout().ConfigFile()});
    const auto said = RunToEnd(words);
    EXPECT_FALSE(said) << *said;
    return said ? "" : said.error().message;
  }
  static json Shown(const std::string& device) { return Ctl({"device", "show", device}); }
  // An active device that no test has had.
  static std::string FreshDevice() {
    for (const json& row : Ctl({"device", "list", "--state", "active"})) {
      if (taken_.insert(row.at("device")).second) return row.at("device");
    }
    ADD_FAILURE() << "no device is left";
    return kNobody;
  }
  static std::vector<json> Audited(const std::string& device) {
    std::vector<json> lines;
    std::istringstream text(
        *RunToEnd({REGISTRY_BINARY_DIR "/bin/registryctl", "audit", "tail", "--lines", "100000", "--device",
                   device, "--config", lab_->layout().ConfigFile()}));
    for (std::string line; std::getline(text, line);) lines.push_back(json::parse(line));
    return lines;
  }

  // So often, as its MNO has reported it.
  static bool IsWiped(const std::string& device, int times) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < until) {
      const auto lines = Audited(device);
      if (std::count_if(lines.begin(), lines.end(),
                        [](const json& line) { return line.at("what") == "applet wiped"; }) == times)
        return true;
    }
    return false;
  }

  static std::unique_ptr<Heard> heard_;
  static std::unique_ptr<Lab> lab_;
  static std::set<std::string> taken_;
};
std::unique_ptr<Heard> OperatorLab::heard_;
std::unique_ptr<Lab> OperatorLab::lab_;
std::set<std::string> OperatorLab::taken_;

TEST_F(OperatorLab, EveryVerbComesToWhatItsDryRunSaid) {
  const std::string device = FreshDevice();
  int tried = 0;
  for (const char* verb : {"suspend", "resume", "disconnect", "reconnect", "rekey", "deactivate",
                           "reactivate", "deactivate", "delete", "restore"}) {
    SCOPED_TRACE(verb);
    const std::string reason = "reason " + std::to_string(++tried);
    const json would = Ctl({"device", verb, device, "--reason", reason, "--dry-run"});
    ASSERT_TRUE(would.contains("reply")) << would;
    EXPECT_EQ(would.at("dry_run"), true);
    EXPECT_EQ(would.at("command"), std::string("device.") + verb);
    for (const json& line : Audited(device))
      EXPECT_THAT(line.at("what").get<std::string>(), Not(HasSubstr(reason)));

    const json did = Ctl({"device", verb, device, "--reason", reason});
    EXPECT_EQ(did, would.at("reply"));
    const auto lines = Audited(device);
    const bool by_operator = std::any_of(lines.begin(), lines.end(), [&](const json& line) {
      return line.at("actor") == "operator" && line.at("what").get<std::string>().ends_with(": " + reason);
    });
    EXPECT_TRUE(by_operator) << json(lines);
  }
}

TEST_F(OperatorLab, AWipeIsForWhatIsDeactivatedAlready) {
  const std::string device = FreshDevice();
  EXPECT_THAT(
      Refusal({"device", "wipe", device, "--reason", "x"}),
      HasSubstr("device " + device + " is active, and a wipe is asked again for a deactivated one only"));
  Ctl({"device", "deactivate", device, "--reason", "sold"});
  ASSERT_TRUE(IsWiped(device, 1));
  const json would = Ctl({"device", "wipe", device, "--reason", "sold twice", "--dry-run"});
  EXPECT_EQ(would.at("asks")[0].at("action"), "applet.wipe");
  EXPECT_FALSE(would.contains("tells")) << would;
  const std::string found = *RunToEnd(
      {"sh", "-c", "exec \"$@\" 2>&1 >/dev/null", "sh", REGISTRY_BINARY_DIR "/bin/registryctl", "device",
       "wipe", device, "--reason", "sold twice", "--dry-run", "--config", lab_->layout().ConfigFile()});
  EXPECT_THAT(found, HasSubstr("device " + device + " is deactivated, and its applet was wiped at 20"));
  EXPECT_EQ(Ctl({"device", "wipe", device, "--reason", "sold twice"}), would.at("reply"));
  EXPECT_TRUE(IsWiped(device, 2));
}

TEST_F(OperatorLab, ADryRunNamesEverythingThatWouldFollow) {
  const std::string device = FreshDevice();
  const json before = Shown(device);
  const json would = Ctl({"device", "deactivate", device + "._device." + kZone, "--reason", "stolen",
                          "--disconnect", "--dry-run"});
  ASSERT_THAT(would.value("devices", json::array()), SizeIs(1)) << would;
  const json& changed = would.at("devices")[0];
  EXPECT_EQ(changed.at("device"), device);
  EXPECT_EQ(changed.at("state"), "active");
  EXPECT_EQ(changed.at("becomes"), "deactivated");
  EXPECT_THAT(changed.at("holds"), IsEmpty());
  EXPECT_THAT(changed.at("holds_become"), Contains("serverHold"));
  EXPECT_THAT(would.at("asks"), Contains(json{{"party", before.at("sponsor")}, {"action", "applet.wipe"}}));
  for (const char* holder : {"sponsor", "claimer"}) {
    EXPECT_THAT(would.at("tells"),
                Contains(json{{"party", before.at(holder)}, {"notification", "device.deactivated"}}));
  }
  EXPECT_EQ(would.at("dns")[0].at("text"), "state=deactivated");
  EXPECT_EQ(would.at("dns")[0].at("tlsa_records"), 0);
  EXPECT_EQ(would.at("revokes")[0].at("serial"), before.at("certificate").at("serial"));
  EXPECT_THAT(would.at("history"), Contains("deactivated: stolen"));

  const json after = Shown(device);
  for (const char* what : {"state", "version", "holds", "certificate"})
    EXPECT_EQ(after.at(what), before.at(what));
}

TEST_F(OperatorLab, WhatWouldBeRefusedIsRefusedInBothWaysAlike) {
  const std::string device = FreshDevice();
  const std::pair<std::vector<std::string>, const char*> refused[] = {
      {{"device", "resume", kNobody, "--reason", "x"}, "device_unknown: "},
      {{"device", "reactivate", device, "--reason", "x"}, "state_prohibits: "},
      {{"order", "pause", kNobody, "--reason", "x"}, "order_unknown: "},
      {{"transfer", "approve", kNobody}, "transfer_unknown: "},
  };
  for (auto [words, symbol] : refused) {
    SCOPED_TRACE(words[1]);
    const std::string really = Refusal(words);
    words.emplace_back("--dry-run");
    const std::string would = Refusal(words);
    EXPECT_THAT(really, HasSubstr(symbol));
    EXPECT_THAT(would, HasSubstr(std::string("it would be refused: ") + symbol));
  }
  const std::string eid = lab_->inventory()[0].eid.text();
  const std::string said = Refusal({"device", "suspend", device, "--reason", "card " + eid});
  EXPECT_THAT(said, HasSubstr("--reason holds an EID or ICCID"));
  EXPECT_THAT(Refusal({"device", "suspend", device}), HasSubstr("--reason is required"));
  EXPECT_EQ(Shown(device).at("state"), "active");
}

TEST_F(OperatorLab, WhatIsDoneToPartiesAndWithCodesIsAuditedWithItsReason) {
  const std::string program = REGISTRY_BINARY_DIR "/bin/registryctl", config = lab_->layout().ConfigFile();
  const auto audited = [&](const std::string& actor) {
    const auto lines =
        RunToEnd({program, "audit", "tail", "--lines", "1000", "--actor", actor, "--config", config});
    EXPECT_TRUE(lines) << lines.error().message;
    return lines ? *lines : "";
  };
  const std::string device = Ctl({"device", "list", "--state", "active"}).at(0).at("device");
  const json code =
      Ctl({"authorisation", "set", device, "--purpose", "transfer", "--reason", "the letter was lost"});
  EXPECT_TRUE(code.contains("authorisationCode")) << code;
  EXPECT_THAT(audited("operator"), HasSubstr("authorisation code set for a transfer: the letter was lost"));

  const auto changed = RunToEnd({program, "party", "change", "asp-a", "--contact", "noc@asp-a.example",
                                 "--dir", lab_->layout().Registry("")});
  ASSERT_TRUE(changed) << changed.error().message;
  EXPECT_TRUE(WaitUntil(
      [&] {
        const std::string said = audited("registry");
        return said.find(": changed asp-a, ") != std::string::npos &&
               said.find("taken from the configuration: party asp-a has changed: contact") !=
                   std::string::npos;
      },
      kPatience))
      << audited("registry");
  EXPECT_THAT(Refusal({"order", "start", "suspend", "--party", "nobody", "--reason", "x"}),
              HasSubstr("'nobody' is not registered"));
}

TEST_F(OperatorLab, AnOrderIsTriedWithoutTheRegistryAndThenDoneByIt) {
  const auto words = [](std::vector<std::string> more) {
    std::vector<std::string> all{"order", "start", "suspend", "--state", "active", "--reason", "a recall"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  const std::size_t active = Ctl({"device", "list", "--state", "active"}).size();
  ASSERT_GT(active, 0u);
  const json would = Ctl(words({"--dry-run"}));
  EXPECT_EQ(would.at("done"), active);
  EXPECT_EQ(would.at("refused"), 0);
  EXPECT_THAT(Ctl({"order", "list"}), IsEmpty()) << "nothing is left of a dry run";

  const std::string order = Ctl(words({})).at("order");
  const auto until = std::chrono::steady_clock::now() + kPatience;
  json shown;
  do {
    shown = Ctl({"order", "show", order});
  } while (shown.at("state") != "done" && std::chrono::steady_clock::now() < until);
  EXPECT_EQ(shown.at("done"), active);
  EXPECT_EQ(shown.at("reason"), "a recall");
  const auto audited = RunToEnd({REGISTRY_BINARY_DIR "/bin/registryctl", "audit", "tail", "--lines", "100000",
                                 "--actor", "operator", "--config", lab_->layout().ConfigFile()});
  ASSERT_TRUE(audited);
  EXPECT_THAT(*audited, HasSubstr("order " + order + " started: suspend: a recall"));
  EXPECT_THAT(Refusal({"order", "cancel", order, "--dry-run"}), HasSubstr("order_ended: "));
  const json back = Ctl({"order", "start", "resume", "--party", "asp-a", "--reason", "over", "--dry-run"});
  EXPECT_GT(back.at("done"), 0);
  // What was never on hold is refused by itself, and the symbols say why.
  EXPECT_EQ(back.at("refused"), back.at("symbols").value("state_prohibits", 0)) << back;
  EXPECT_THAT(Refusal({"order", "start", "delete", "--reason", "x"}), HasSubstr("--all for everybody's"));
}

TEST_F(OperatorLab, TheAuditStreamOfARegistryThatRunsIsAChain) {
  const std::string file = lab_->layout().In("audit.jsonl");
  const std::string program = REGISTRY_BINARY_DIR "/bin/registryctl", config = lab_->layout().ConfigFile();
  const auto exported = RunToEnd({program, "audit", "export", "--to", file, "--config", config});
  ASSERT_TRUE(exported) << exported.error().message;
  const json verified = Ctl({"audit", "verify", file});
  EXPECT_EQ(verified.at("held_to_ledger"), true);
  EXPECT_GT(verified.at("lines"), kDevices * 5);
  std::ifstream in(file);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  for (const auto& esim : lab_->inventory()) {
    EXPECT_THAT(text, Not(HasSubstr(esim.eid.text())));
    EXPECT_THAT(text, Not(HasSubstr(esim.iccid.text())));
  }
}

TEST_F(OperatorLab, ADeviceIsFoundByEidAndIccid) {
  const auto& esim = lab_->inventory()[1];
  const json by_eid = Ctl({"device", "find", "--eid", esim.eid.text()});
  EXPECT_EQ(Ctl({"device", "find", "--iccid", esim.iccid.text()}), by_eid);
  EXPECT_EQ(Ctl({"device", "show", by_eid.at("device"), "--reveal"}).at("eid"), esim.eid.text());
}

// What it finds, by what it looked at, with another text in the configuration's place.
class Doctor {
 public:
  Doctor(const Lab& lab, const std::string& instead_of = "", const std::string& put = "") {
    const std::string config = lab.layout().ConfigFile(), changed = lab.layout().Registry("doctor.toml");
    std::ifstream in(config);
    std::string text(std::istreambuf_iterator<char>(in), {});
    const auto at = text.find(instead_of);
    EXPECT_NE(at, std::string::npos) << instead_of << " is not in " << text;
    if (at != std::string::npos) text.replace(at, instead_of.size(), put);
    std::ofstream(changed) << text;
    std::filesystem::permissions(changed,
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    const std::string out = lab.layout().In("doctor.json");
    const std::string command =
        REGISTRY_BINARY_DIR "/bin/registryctl doctor --json --config " + changed + " >" + out;
    status_ = WEXITSTATUS(std::system(command.c_str()));
    std::ifstream said(out);
    for (const json& row : json::parse(said, nullptr, false)) rows_.push_back(row);
  }
  int status() const { return status_; }
  const std::vector<json>& rows() const { return rows_; }
  // Empty: it was not looked at.
  json Of(const std::string& check) const {
    for (const json& row : rows_) {
      if (row.at("check") == check) return row;
    }
    return {{"verdict", ""}, {"says", ""}, {"do", ""}};
  }
  std::vector<std::string> Faults() const {
    std::vector<std::string> checks;
    for (const json& row : rows_) {
      if (row.at("verdict") == "fault") checks.push_back(row.at("check"));
    }
    return checks;
  }

 private:
  int status_ = -1;
  std::vector<json> rows_;
};

TEST_F(OperatorLab, TheDoctorFindsNothingWrongWhereNothingIs) {
  const Doctor doctor(*lab_);
  EXPECT_THAT(doctor.Faults(), IsEmpty()) << json(doctor.rows());
  EXPECT_EQ(doctor.status(), 0);
  for (const char* check :
       {"configuration", "registryd", "limit: Max open files", "disk space", "issuing certificate",
        "CRL of devices", "broker TLS", "broker access", "broker subscribe", "broker publish",
        "registryd answers", "resolver", "zone at the resolver", "DS in the parent", "trust anchors"})
    EXPECT_EQ(doctor.Of(check).at("verdict"), "good") << doctor.Of(check);
  EXPECT_NE(doctor.Of("clock").at("verdict"), "") << "whose verdict is the machine's";
  // Whatever is not good says what to do.
  for (const json& row : doctor.rows()) {
    const bool wrong = row.at("verdict") == "warning" || row.at("verdict") == "fault";
    EXPECT_EQ(row.at("do") != "", wrong) << row;
  }
}

struct Wrong {
  std::string instead_of, put, check, says, todo;
};

TEST_F(OperatorLab, TheDoctorSaysWhatIsWrongAndWhatToDo) {
  const Layout& layout = lab_->layout();
  const std::string other = layout.Registry("zone/other.key");
  std::ofstream(other) << "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n";
  std::filesystem::permissions(other, std::filesystem::perms::owner_read);
  const std::string mqtt = "port = " + std::to_string(layout.mqtt),
                    dot = "port = " + std::to_string(layout.dot);
  const Wrong wrongs[] = {
      {"zone/tsig.key", "zone/other.key", "secondary bind", "BADSIG", "secondary-config"},
      {"'registry-transfer'", "'another-transfer'", "secondary bind", "BADKEY", "secondary-config"},
      // Without its key set, that the registry has made by now, the two files are the zone's keys.
      {"'zone/ksk.pem'", "'zone/zsk.pem'\nkey_set = 'zone/none.json'", "DS in the parent", "another DS",
       "have the parent publish: " + std::string(kZone)},
      {layout.In("tls/resolver.pem"), "pki/issuing.pem", "resolver", "certificate", "resolver.certificate"},
      {dot, "port = 1", "resolver", "Connection refused", "whether it runs"},
      {mqtt, "port = 1", "broker TLS", "Connection refused", "BROKER.md"},
      {"interface/registryd.key", "interface/ca.key", "configuration", "mqtt.key_file", "CONFIG.md"},
  };
  for (const Wrong& wrong : wrongs) {
    SCOPED_TRACE(wrong.put + " for " + wrong.instead_of);
    const Doctor doctor(*lab_, wrong.instead_of, wrong.put);
    EXPECT_EQ(doctor.status(), 3);
    EXPECT_THAT(doctor.Faults(), Contains(wrong.check));
    const json found = doctor.Of(wrong.check);
    EXPECT_THAT(found.at("says").get<std::string>(), HasSubstr(wrong.says));
    EXPECT_THAT(found.at("do").get<std::string>(), HasSubstr(wrong.todo));
  }
}

TEST_F(OperatorLab, TheDoctorFindsAResolverThatKeepsRecordsForTooLong) {
  const std::string file = lab_->layout().In("unbound/unbound.conf");
  std::ifstream in(file);
  const std::string good((std::istreambuf_iterator<char>(in)), {});
  const auto restart_with = [&](const std::string& text) {
    lab_->Kill("unbound");
    std::ofstream(file) << text;
    return lab_->Restart("unbound");
  };
  ASSERT_TRUE(restart_with(good + "server:\n    cache-min-ttl: 50\n"));
  const Doctor doctor(*lab_);
  ASSERT_TRUE(restart_with(good));
  const json found = doctor.Of("zone at the resolver");
  EXPECT_EQ(found.at("verdict"), "warning") << found;
  EXPECT_THAT(found.at("says").get<std::string>(), HasSubstr("and its TTL is 1 s"));
  EXPECT_THAT(found.at("do").get<std::string>(), HasSubstr("cache-min-ttl"));
}

TEST_F(OperatorLab, TheCrlIsShownHeldToTheLedgerAndPublished) {
  const std::string device = FreshDevice(), served = lab_->layout().In("served");
  const std::string serial = Shown(device).at("certificate").at("serial");
  std::filesystem::create_directories(served);
  EXPECT_THAT(Refusal({"crl", "show", "--serial", serial}), HasSubstr("is on it"));
  Ctl({"device", "deactivate", device, "--reason", "lost"});
  const auto until = std::chrono::steady_clock::now() + kPatience;
  json shown;
  const auto lists = [&] {
    shown = Ctl({"crl", "show", "--entries"});
    return shown.at("list").dump().find(serial) != std::string::npos;
  };
  while (!lists() && std::chrono::steady_clock::now() < until) continue;
  EXPECT_THAT(shown.at("faults"), IsEmpty()) << shown;
  EXPECT_EQ(Ctl({"crl", "show", "--serial", serial}).at("reason"), 5) << "cessationOfOperation";

  const std::vector<std::string> publish{"crl", "publish", "--to", served, "--reason", "a long pause"};
  const auto with = [&](const char* more) {
    auto words = publish;
    words.emplace_back(more);
    return words;
  };
  const json copied = Ctl(publish);
  EXPECT_EQ(copied.at("made"), false) << "registryd runs";
  EXPECT_EQ(copied.at("copied"), 1);
  EXPECT_EQ(Ctl(publish).at("copied"), 0) << "it is there";

  lab_->Kill("registryd");
  const std::uint64_t before = copied.at("number");
  EXPECT_EQ(Ctl(with("--dry-run")).at("number"), before + 1) << "the one that it would make";
  const json made = Ctl(publish);
  EXPECT_EQ(made.at("made"), true);
  EXPECT_EQ(made.at("number"), before + 1);
  EXPECT_EQ(made.at("copied"), 1);
  const std::string verify = "openssl crl -in " + served + "/crl.pem -noout -CAfile " +
                             lab_->layout().Registry("pki/issuing.pem") + " 2>&1 | grep -q 'verify OK'";
  EXPECT_EQ(WEXITSTATUS(std::system(verify.c_str())), 0);
  const auto audited = RunToEnd({REGISTRY_BINARY_DIR "/bin/registryctl", "audit", "tail", "--lines", "1",
                                 "--config", lab_->layout().ConfigFile()});
  ASSERT_TRUE(audited);
  EXPECT_EQ(json::parse(*audited).at("what"), "CRL made: a long pause");
  const auto restarted = lab_->Restart("registryd");
  ASSERT_TRUE(restarted) << restarted.error().message;
}

TEST_F(OperatorLab, TheDoctorFindsARegistrydThatIsGone) {
  lab_->Kill("registryd");
  const Doctor doctor(*lab_);
  EXPECT_EQ(doctor.status(), 3);
  EXPECT_THAT(doctor.Faults(), testing::ElementsAre("registryd"));
  EXPECT_EQ(doctor.Of("limits").at("verdict"), "skipped");
  EXPECT_EQ(doctor.Of("secondary bind").at("verdict"), "good") << "it serves on";
  const auto restarted = lab_->Restart("registryd");
  ASSERT_TRUE(restarted) << restarted.error().message;
}

}  // namespace
}  // namespace registry::lab
