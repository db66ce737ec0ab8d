// The operator's reading commands, against a ledger that is open elsewhere and one that is not.
#include "tests/unit/bridge/ctl/reading_commands.h"

namespace registry::ctl {
namespace {

TEST_F(ReadingCommands, ADeviceIsShownWithoutItsPrivateIdentifiers) {
  const Ran masked = On({"device", "show", id_});
  EXPECT_EQ(masked.status, 0) << masked.err;
  EXPECT_THAT(masked.out, HasSubstr("state: attached"));
  EXPECT_THAT(masked.out, Not(HasSubstr(eid_)));
  EXPECT_THAT(masked.out, HasSubstr("****" + eid_.substr(28)));
  EXPECT_THAT(On({"device", "show", id_ + "._device.iot.test", "--reveal"}).out, HasSubstr(eid_));
}

TEST_F(ReadingCommands, ADeviceIsShownWithItsParts) {
  domain::Changeset changes;
  changes.devices = {{ledger::samples::FullDevice(2), 0}};
  ASSERT_TRUE(ledger_->Commit(changes).ok());
  const Json active = Json::parse(On({"device", "show", DeviceOf(2).text(), "--json"}).out);
  ASSERT_EQ(active["profiles"].size(), 1u);
  EXPECT_EQ(active["profiles"][0]["mno"], "mno-a");
  EXPECT_EQ(active["profiles"][0]["state"], "enabled");
  EXPECT_EQ(active["profiles"][0]["iccid"], active["iccid"]);
  ASSERT_EQ(active["credentials"].size(), 1u);
  EXPECT_EQ(active["credentials"][0]["phase"], "live");
  EXPECT_EQ(active["credentials"][0]["serial"], active["certificate"]["serial"]);
  ASSERT_EQ(active["bindings"].size(), 1u);
  EXPECT_EQ(active["bindings"][0]["asp"], "asp-a");
  EXPECT_EQ(active["bindings"][0]["delivered"], 3);
  EXPECT_EQ(active["holds"], Json({"clientHold", "transferProhibited"}));
  EXPECT_EQ(active["codes"], Json::array());
  EXPECT_FALSE(active.contains("transfer"));
  const Ran registered = On({"device", "show", id_});
  EXPECT_THAT(registered.out, HasSubstr("claim"));
  EXPECT_THAT(registered.out, HasSubstr("enabled"));
}

TEST_F(ReadingCommands, DevicesAreListedByWhatIsAskedFor) {
  domain::Changeset changes;
  changes.devices = {{ledger::samples::FullDevice(2), 0}};
  ASSERT_TRUE(ledger_->Commit(changes).ok());
  const std::string active = DeviceOf(2).text();
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"--state", "active"},
                                             {"--party", "asp-a"},
                                             {"--endpoint", "main"},
                                             {"--expires-before", "2099-01-01T00:00:00Z"}}) {
    std::vector<std::string> all{"device", "list"};
    all.insert(all.end(), words.begin(), words.end());
    const Ran ran = On(all);
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr(active)) << words[0];
    EXPECT_THAT(ran.out, Not(HasSubstr(id_))) << words[0];
  }
  EXPECT_THAT(On({"device", "list", "--party", "mno-a", "--state", "attached"}).out, HasSubstr(id_));
  EXPECT_EQ(On({"device", "list", "--state", "deleted"}).out, "there is no such device\n");
}

// RFC 3339, by the configuration where one is named.
TEST_F(ReadingCommands, ADeviceSaysWhenItIsRenewed) {
  domain::Device device = ledger::samples::FullDevice(2);
  device.statuses.clear();
  domain::Changeset changes;
  changes.devices = {{device, 0}};
  ASSERT_TRUE(ledger_->Commit(changes).ok());
  const std::string id = DeviceOf(2).text();
  const auto renews = [](const Json& row) { return FromRfc3339(row.at("renews_at").get<std::string>()); };
  const auto hours = [](int days) { return std::chrono::hours(24 * days); };
  const auto shown = renews(Json::parse(On({"device", "show", id, "--json"}).out));
  ASSERT_TRUE(shown);
  EXPECT_GE(*shown, ledger::samples::kNoon + hours(240));
  EXPECT_LE(*shown, ledger::samples::kNoon + hours(278));
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"device", "list", "--json"}, {"device", "list", "--state", "active", "--json"}}) {
    const Json rows = Json::parse(On(words).out);
    const auto row =
        std::find_if(rows.begin(), rows.end(), [&](const Json& one) { return one["device"] == id; });
    ASSERT_NE(row, rows.end());
    EXPECT_EQ(renews(*row), shown);
  }
  EXPECT_EQ(Json::parse(On({"device", "show", id_, "--json"}).out).at("renews_at"), "")
      << "it has no certificate";

  const std::string file = folder_.path("registry.toml");
  std::ofstream(file) << test::kSmallestConfig << "[renewal]\nfrom_percent = 50\njitter_percent = 0\n";
  const Json early = Json::parse(On({"device", "show", id, "--json", "--config", file}).out);
  // The five minutes before its issue do not count.
  EXPECT_EQ(renews(early), ledger::samples::kNoon + hours(365) / 2 + std::chrono::seconds(150));
}

TEST_F(ReadingCommands, OrdersAreListedShownAndReported) {
  EXPECT_EQ(On({"order", "list"}).out, "no order was started\n");
  domain::Changeset changes;
  changes.orders = {{ledger::samples::Order(1), 0}};
  changes.orders[0].order.counts.refused = 1;
  changes.order_items = {ledger::samples::OrderItem(1, 1)};
  ASSERT_TRUE(ledger_->Commit(changes).ok());
  const std::string order = ledger::samples::OrderOf(1).text();
  const Json listed = Json::parse(On({"order", "list", "--json"}).out);
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0]["order"], order);
  EXPECT_EQ(listed[0]["refused"], 1);
  const Json shown = Json::parse(On({"order", "show", order, "--json"}).out);
  EXPECT_EQ(shown["owner"], "asp-a");
  EXPECT_EQ(shown["selection"]["party"], "asp-a");
  const Json reported = Json::parse(On({"order", "report", order, "--outcome", "refused", "--json"}).out);
  ASSERT_EQ(reported.size(), 1u);
  EXPECT_EQ(reported[0]["device"], id_);
  EXPECT_EQ(reported[0]["symbol"], "state_prohibits");
  EXPECT_EQ(On({"order", "report", order, "--outcome", "done"}).out, "no device with this outcome\n");
  EXPECT_EQ(On({"order", "report", order, "--outcome", "well"}).status, 2);
  EXPECT_EQ(On({"order", "show", "1"}).status, 2);
  EXPECT_EQ(On({"order", "show", ledger::samples::OrderOf(2).text()}).status, 1);
}

TEST_F(ReadingCommands, OrdersAreListedAsTheyWereStarted) {
  domain::Changeset changes;
  for (const int number : {1, 2, 3}) {
    changes.orders.push_back({ledger::samples::Order(number), 0});
    domain::Order& order = changes.orders.back().order;
    order.created.micros += (number == 1 ? 2 : 1) * 1'000'000;
  }
  ASSERT_TRUE(ledger_->Commit(changes).ok());
  std::vector<std::string> listed;
  for (const Json& row : Json::parse(On({"order", "list", "--json"}).out)) listed.push_back(row["order"]);
  using ledger::samples::OrderOf;
  EXPECT_EQ(listed, (std::vector{OrderOf(2).text(), OrderOf(3).text(), OrderOf(1).text()}));
}

TEST_F(ReadingCommands, ADeviceIsExplainedInOneLine) {
  const Ran ran = On({"device", "explain", id_});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("says: waits for key.generate of mno-a, attempt 2 of 6, asked again at "));
  EXPECT_THAT(ran.out, HasSubstr(", given up at "));
  EXPECT_THAT(ran.out, HasSubstr("step: registered"));
}

TEST_F(ReadingCommands, AnExplanationGoesByTheMnosOwnPlan) {
  const std::string file = folder_.path("registry.toml");
  std::ofstream(file)
      << test::kSmallestConfig
      << "[retry]\nattempts = 9\n[[party]]\nname = \"mno-a\"\nrole = \"mno\"\nretry_attempts = 4\n";
  const Ran ran = On({"device", "explain", id_, "--config", file});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("of mno-a, attempt 2 of 4, asked again at "));
}

TEST_F(ReadingCommands, NothingIsExplainedByAConfigurationThatRegistrydWouldRefuse) {
  const std::string file = folder_.path("registry.toml");
  std::ofstream(file) << test::kSmallestConfig << "[retry]\nattempts = 0\n";
  const Ran ran = On({"device", "explain", id_, "--config", file});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.err, HasSubstr("attempts"));
  EXPECT_EQ(ran.out, "");
}

TEST_F(ReadingCommands, PartiesAreListedWithTheirDevicesAndOpenJobs) {
  domain::Changeset changes;
  changes.devices = {{ledger::samples::FullDevice(2), 0}};
  changes.jobs_put = {ledger::samples::UnsentJob(2, "mno-a")};
  ASSERT_TRUE(ledger_->Commit(changes).ok());
  const std::string file = folder_.path("registry.toml");
  std::ofstream(file) << test::kSmallestConfig << "[retry]\nattempts = 9\n"
                      << "[[party]]\nname = \"mno-a\"\nrole = \"mno\"\nretry_attempts = 4\nretry_open = 5\n"
                      << "batches = true\n"
                      << "[[party]]\nname = \"mno-b\"\nrole = \"mno\"\n"
                      << "[[party]]\nname = \"asp-a\"\nrole = \"asp\"\n";
  const Json rows = Json::parse(On({"party", "list", "--config", file, "--json"}).out);
  ASSERT_EQ(rows.size(), 3u);
  const auto plan = [](int attempts, int open) {
    return Json{{"retry_first_seconds", 30},
                {"retry_attempts", attempts},
                {"retry_progress_seconds", 600},
                {"retry_reported_seconds", 604800},
                {"retry_open", open}};
  };
  const auto row = [](const char* party, const char* role, int devices, int open, int unsent,
                      const Json& retry) {
    return Json{{"party", party},     {"role", role},      {"batches", std::string_view(party) == "mno-a"},
                {"devices", devices}, {"jobs_open", open}, {"jobs_unsent", unsent},
                {"retry", retry}};
  };
  EXPECT_EQ(rows[0], row("asp-a", "asp", 1, 0, 0, Json()));
  EXPECT_EQ(rows[1], row("mno-a", "mno", 2, 1, 1, plan(4, 5)));
  EXPECT_EQ(rows[2], row("mno-b", "mno", 0, 0, 0, plan(9, 10000)));
  const Ran table = On({"party", "list", "--config", file});
  EXPECT_EQ(table.status, 0) << table.err;
  EXPECT_THAT(table.out, HasSubstr("4 times, first after 30 s, 5 open"));
}

TEST_F(ReadingCommands, OnlyAConfigurationKnowsTheParties) {
  const Ran ran = On({"party", "list"});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("--config FILE"));
  const std::string file = folder_.path("registry.toml");
  std::ofstream(file) << test::kSmallestConfig;
  EXPECT_EQ(On({"party", "list", "--config", file}).out, "the configuration names no party\n");
}

TEST_F(ReadingCommands, JsonIsJson) {
  const Json device = Json::parse(On({"device", "show", id_, "--json"}).out);
  EXPECT_EQ(device["device"], id_);
  EXPECT_EQ(device["trace"][0]["step"], "registered");
  EXPECT_EQ(device["jobs"].size(), 1u);
  EXPECT_EQ(Json::parse(On({"device", "list", "--json"}).out).size(), 1u);
  EXPECT_EQ(Json::parse(On({"device", "history", id_, "--json"}).out)[0]["what"], "registered");
  EXPECT_EQ(Json::parse(On({"job", "list", "--json"}).out)[0]["device"], id_);
  EXPECT_EQ(Json::parse(On({"feed", "show", "asp-a", "--json"}).out)["items"][0]["seq"], 1);
  EXPECT_EQ(Json::parse(On({"ledger", "verify", "--json"}).out)["faults"].size(), 0u);
}

TEST_F(ReadingCommands, AStoppedLedgerIsReadAsWell) {
  ledger_.reset();
  EXPECT_THAT(On({"ledger", "verify"}).out, HasSubstr("1 history entries, 1 devices, sound"));
  EXPECT_THAT(On({"device", "list"}).out, HasSubstr(id_));
}

TEST_F(ReadingCommands, TheConfigurationNamesTheLedger) {
  std::ofstream(folder_.path("registry.toml")) << "[ledger]\nfolder = \"ledger\"\n";
  for (const auto& words : {std::vector<std::string>{"device", "list"}, {"device", "show", id_}}) {
    std::vector<std::string> all = words;
    all.insert(all.end(), {"--config", folder_.path("registry.toml")});
    const Ran ran = Ctl(all);
    EXPECT_EQ(ran.status, 0);
    EXPECT_THAT(ran.out, HasSubstr(id_));
    EXPECT_THAT(ran.err, HasSubstr("no device's renews_at is known: ")) << "registryd would refuse it";
  }
  const std::string sound = folder_.path("sound.toml");
  std::ofstream(sound) << test::kSmallestConfig;
  EXPECT_EQ(On({"device", "list", "--config", sound}).err, "");
}

TEST_F(ReadingCommands, StrangersOctetsDoNotReachTheTerminal) {
  const Ran letters = On({"dead-letter", "list"});
  EXPECT_THAT(letters.out, HasSubstr("unknown_party"));
  EXPECT_THAT(letters.out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(letters.out, Not(HasSubstr("secret")));
  EXPECT_THAT(On({"dead-letter", "list", "--reveal"}).out, HasSubstr("secret"));
}

TEST_F(ReadingCommands, ALongTopicPadsNoOtherRow) {
  domain::Changeset changes;
  const std::string topic(1024, 't');
  for (const std::string& each : {topic, std::string("short")}) {
    changes.dead_letters.push_back({UtcTime{1'700'000'000'000'000}, each, "payload", "unknown_party"});
  }
  ASSERT_TRUE(ledger_->Commit(std::move(changes)).ok());
  const std::string table = On({"dead-letter", "list"}).out;
  EXPECT_THAT(table, HasSubstr(topic));
  std::istringstream lines(table);
  int rows = 0;
  for (std::string line; std::getline(lines, line); ++rows) {
    EXPECT_FALSE(line.ends_with(' ')) << line;
    if (line.find(topic) == std::string::npos) {
      EXPECT_LT(line.size(), 200u) << line;
    }
  }
  EXPECT_GE(rows, 3);
}

TEST_F(ReadingCommands, AFaultGivesAStatusOfItsOwn) {
  domain::Changeset changes;
  changes.devices = {{ledger::samples::Device(2), 0}};  // nobody claimed its EID
  ASSERT_TRUE(ledger_->Commit(changes).ok());
  const Ran verified = On({"ledger", "verify"});
  EXPECT_EQ(verified.status, 3);
  EXPECT_THAT(verified.out, HasSubstr("does not hold its EID"));
}

// Event marks, say, leave nothing behind that could miss them.
TEST_F(ReadingCommands, ALedgerWithoutOneOfItsFilesIsNotSound) {
  ledger_.reset();
  ASSERT_TRUE(ledger::OpenRocksDbLedger({folder_.path()}).ok());  // what the log held becomes files
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    if (entry.path().extension() == ".sst") files.push_back(entry.path());
  }
  EXPECT_GE(files.size(), 5u);
  for (const auto& file : files) {
    const std::string aside = file.string() + ".aside";
    std::filesystem::rename(file, aside);
    EXPECT_NE(On({"ledger", "verify"}).status, 0) << "without " << file;
    std::filesystem::rename(aside, file);
  }
  EXPECT_EQ(On({"ledger", "verify"}).status, 0);
}

TEST_F(ReadingCommands, WhatCannotBeFoundIsSaid) {
  EXPECT_EQ(On({"device", "show", DeviceOf(9).text()}).status, 1);
  EXPECT_THAT(On({"device", "show", "x"}).err, HasSubstr("neither a device id nor a device name"));
  EXPECT_THAT(Ctl({"device", "list"}).err, HasSubstr("--ledger"));
  EXPECT_THAT(Ctl({"device", "list", "--ledger", folder_.path("nothing")}).err,
              HasSubstr("there is no ledger"));
  EXPECT_EQ(On({"feed", "show", "NOBODY"}).status, 2);
}

TEST_F(ReadingCommands, TheFeedOfNobodyIsNoEmptyFeed) {
  const Ran unknown = On({"feed", "show", "nobody"});
  EXPECT_EQ(unknown.status, 1);
  EXPECT_EQ(unknown.out, "");
  EXPECT_THAT(unknown.err, HasSubstr("there is no feed of 'nobody'"));
  const std::string config = folder_.path("registry.toml");
  std::ofstream(config) << "[ledger]\nfolder = \"ledger\"\n[[party]]\nname = \"quiet\"\nrole = \"asp\"\n";
  const Ran stranger = Ctl({"feed", "show", "nobody", "--config", config});
  EXPECT_EQ(stranger.status, 1);
  EXPECT_EQ(stranger.out, "");
  EXPECT_THAT(stranger.err, HasSubstr("'nobody' is not registered"));
  const Ran quiet = Ctl({"feed", "show", "quiet", "--config", config});
  EXPECT_EQ(quiet.status, 0) << quiet.err;
  EXPECT_EQ(quiet.out, "last: 0\nacked: 0\nnothing waits to be acknowledged\n");
  // Was registered once: what waits for it is still there.
  EXPECT_EQ(Ctl({"feed", "show", "asp-a", "--config", config}).status, 0);
}

TEST_F(ReadingCommands, NothingToListIsSaid) {
  ASSERT_TRUE(ledger::CreateRocksDbLedger(folder_.path("empty")).ok());
  const std::pair<std::vector<std::string>, const char*> kCases[] = {
      {{"job", "list"}, "no job waits\n"},
      {{"dead-letter", "list"}, "there is no dead letter\n"},
      {{"device", "list"}, "no device was ever registered\n"},
  };
  for (auto [words, said] : kCases) {
    words.insert(words.end(), {"--ledger", folder_.path("empty")});
    EXPECT_EQ(Ctl(words).out, said);
    words.emplace_back("--json");
    EXPECT_EQ(Ctl(words).out, "[]\n");
  }
}

TEST_F(ReadingCommands, AFolderThatMayNotBeReadIsNotTakenForAnEmptyOne) {
  ledger_.reset();
  std::filesystem::permissions(folder_.path(), std::filesystem::perms::none);
  const test::Unprivileged nobody;
  const Ran ran = On({"device", "list"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.err, HasSubstr("Permission denied"));
  EXPECT_THAT(ran.err, Not(HasSubstr("there is no ledger")));
}

std::size_t ScratchFolders() {
  std::size_t count = 0;
  for (const auto& file : std::filesystem::directory_iterator(std::filesystem::temp_directory_path())) {
    count += file.path().filename().string().starts_with("registryctl-");
  }
  return count;
}

TEST_F(ReadingCommands, ACommandThatFailsLeavesNoFolderBehind) {
  const auto before = ScratchFolders();
  EXPECT_EQ(Ctl({"device", "list", "--config", folder_.path("none.toml")}).status, 1);
  EXPECT_EQ(Ctl({"device", "list", "--ledger", folder_.path("nothing")}).status, 1);
  EXPECT_EQ(ScratchFolders(), before);
}

TEST_F(ReadingCommands, AListLongerThanAPageIsOneTableAndOneJsonValue) {
  constexpr std::uint64_t kDevices = 1200;
  domain::Changeset changes;
  for (std::uint64_t i = 2; i <= kDevices; ++i) changes.devices.push_back({ledger::samples::Device(i), 0});
  ASSERT_TRUE(ledger_->Commit(std::move(changes)).ok());
  EXPECT_EQ(Json::parse(On({"device", "list", "--json"}).out).size(), kDevices);
  const std::string table = On({"device", "list"}).out;
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), kDevices + 1);
  EXPECT_EQ(table.find("sponsor"), table.rfind("sponsor"));  // one head
}

TEST_F(ReadingCommands, NoLedgerIsMadeWhereTheNameIsWrong) {
  const std::string none = folder_.path("none");
  const Ran skipped = Ctl({"outbox", "skip", "--sink", "mqtt", "--seq", "1", "--ledger", none});
  EXPECT_EQ(skipped.status, 1);
  EXPECT_THAT(skipped.err, HasSubstr("there is no ledger in"));
  EXPECT_FALSE(std::filesystem::exists(none));
}

TEST_F(ReadingCommands, AnOutboxEntryIsPassedOnlyWhenStoppedAndOnlyTheNext) {
  const auto skip = [&](const std::string& seq) {
    return On({"outbox", "skip", "--sink", "mqtt", "--seq", seq});
  };
  EXPECT_THAT(skip("1").err, HasSubstr("in use by another process"));
  const ledger::Seq last = *ledger_->OutboxLast(ledger::Sink::kMqtt);
  ASSERT_GE(last, 1u);
  ledger_.reset();
  const Ran wrong = skip("9");
  EXPECT_EQ(wrong.status, 1);
  EXPECT_THAT(wrong.err, HasSubstr("waits with is 1"));
  EXPECT_EQ(skip("18446744073709551615").status, 1);  // a number, yet not the one
  const Ran passed = skip("1");
  EXPECT_EQ(passed.status, 0) << passed.err;
  EXPECT_EQ(On({"outbox", "skip", "--sink", "crl", "--seq", "1"}).status, 1);  // nothing waits
  ledger_ = *ledger::OpenRocksDbLedger({folder_.path()});
  EXPECT_EQ(ledger_->LoadSink(ledger::Sink::kMqtt)->cursor, 1u);
  const auto letters = *ledger_->DeadLettersAfter(1, 10);
  ASSERT_EQ(letters.size(), 1u);
  EXPECT_THAT(letters[0].second.reason, HasSubstr("skipped by the operator"));
}

}  // namespace
}  // namespace registry::ctl
